from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from kit.event_files import GOLDEN, SCHEMAS, example

from rescind.events.personal import Personal
from rescind.events.registry import (
    EVENTS,
    LIST_TYPES,
    AnyEvent,
    UnknownEventType,
    decode,
    decode_personal,
    encode,
    encode_personal,
    may_touch_list,
)
from rescind.events.schema import schema_files
from rescind.events.session import DeviceRenamed, TokenRefreshed
from rescind.events.shape import InvalidEvent, shape
from rescind.events.upcasting import UPCASTERS, Upcaster

RENAMED = DeviceRenamed(sid="s", sn=7)


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.wire)
def test_every_event_comes_back_as_it_went(cls: type[AnyEvent]) -> None:
    event = example(cls)

    assert decode(*encode(event)) == event


def test_data_is_canonical_json() -> None:
    assert encode(replace(RENAMED, sid="ä")) == ("device.renamed.v1", '{"sid":"ä","sn":7}'.encode())


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_every_version_ever_written_is_still_read(path: Path) -> None:

    event = decode(path.stem, path.read_bytes())
    _, now = encode(event)

    assert type(event) is EVENTS[event.wire]
    if path.stem not in UPCASTERS:
        assert json.loads(path.read_bytes()).items() <= json.loads(now).items()


def test_every_event_has_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == EVENTS.keys() | UPCASTERS.keys()


def test_the_schema_files_are_what_the_dataclasses_say() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.iterdir()}

    assert found == schema_files(), "run: .venv/bin/python tests/kit/event_files.py"


@pytest.mark.parametrize("cls", EVENTS.values(), ids=lambda cls: cls.wire)
def test_a_schema_takes_its_event_and_no_other(cls: type[AnyEvent]) -> None:
    schema = json.loads((SCHEMAS / f"{cls.wire}.json").read_text(encoding="utf-8"))
    found = json.loads(encode(example(cls))[1])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)

    for wrong in ({**found, "extra": 1}, {**found, shape(cls)[0].name: []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    "data",
    [
        b'{"sid":"s"}',
        b'{"sid":"s","sn":7,"more":1}',
        b'{"sid":"s","sn":true}',
        b'{"sid":"s","sn":7.0}',
        b'{"sid":"s","sn":"7"}',
        b'{"sid":null,"sn":7}',
        b'{"sid":"s","sn":7,"sn":7}',
        b'{"sid":"s","sn":NaN}',
        b'{"sid":"\xff","sn":7}',
        b'\xef\xbb\xbf{"sid":"s","sn":7}',
        b'["s",7]',
        b"[" * 100_000,
        b"",
    ],
)
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidEvent):
        decode("device.renamed.v1", data)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownEventType):
        decode("device.renamed.v0", b'{"sid":"s","sn":7}')


@pytest.mark.parametrize("wrong", [{"sn": "7"}, {"sn": True}, {"sid": "\ud800"}])
def test_a_wrong_event_is_refused_at_writing(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent):
        encode(replace(RENAMED, **wrong))  # type: ignore[arg-type]


def test_no_message_shows_a_value() -> None:
    with pytest.raises(InvalidEvent) as refused:
        decode("device.renamed.v1", b'{"sid":"s","sn":"hush"}')

    assert str(refused.value) == "DeviceRenamed.sn: int expected"


def test_a_field_with_a_default_may_be_absent_in_older_data() -> None:
    event = decode("token.refreshed.v1", b'{"sid":"s","sn":1,"generation":2,"expires":3,"cv":0,"context_known":true}')

    assert event == TokenRefreshed(sid="s", sn=1, generation=2, expires=3, cv=0, context_known=True, binding="")


def test_old_wires_climb_step_by_step() -> None:
    upcasters = {
        "device.named.v1": Upcaster("device.named.v2", lambda data: {"sid": data["session"]}),
        "device.named.v2": Upcaster("device.renamed.v1", lambda data: {**data, "sn": 7}),
    }

    assert decode("device.named.v1", b'{"session":"s"}', upcasters) == RENAMED


def test_an_upcaster_that_leaves_a_hole_is_found() -> None:
    with pytest.raises(InvalidEvent):
        decode("old.v1", b"{}", {"old.v1": Upcaster("device.renamed.v1", lambda data: data)})


def test_the_list_is_touched_by_these() -> None:
    assert {
        "session.revoked.v1",
        "session.reinstated.v1",
        "session.claims_changed.v1",
        "subject.revoked.v1",
        "subject.reinstated.v1",
        "subject.scopes_changed.v1",
        "client.deleted.v1",
    } == LIST_TYPES


def test_what_is_not_known_and_what_was_once_may_touch_it_too() -> None:
    upcasters = {
        "session.ended.v1": Upcaster("session.ended.v2", lambda data: data),
        "session.ended.v2": Upcaster("session.revoked.v1", lambda data: data),
        "device.named.v1": Upcaster("device.renamed.v1", lambda data: data),
    }
    asked = ["session.revoked.v1", "session.revoked.v2", "session.ended.v1", "device.renamed.v1", "device.named.v1"]

    assert [may_touch_list(each, upcasters) for each in asked] == [True, True, True, False, False]


def test_personal_data_says_only_what_is_known() -> None:
    known = Personal(ip="192.0.2.1", asn=64_496)

    assert encode_personal(known) == b'{"asn":64496,"ip":"192.0.2.1"}'
    assert decode_personal(encode_personal(known)) == known
    with pytest.raises(InvalidEvent):
        decode_personal(b'{"shoe_size":43}')
