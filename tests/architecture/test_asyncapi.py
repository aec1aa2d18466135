"""docs/asyncapi.yaml is what is produced on Kafka: made from the events, held against real messages, parsed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import asyncapi
from kit.documents import ASYNCAPI
from kit.event_files import example

from eventlog.kafka.cloudevents import Message, encode_mark, encode_record
from eventlog.kafka.topics import REVOCATIONS, SESSIONS
from eventlog.port import Event, Recorded
from eventlog.source_mark import SourceMark
from rescind.events.registry import EVENTS, encode
from rescind.position import Position

PARSER = Path(__file__).resolve().parents[1] / "asyncapi"
ISS, NOW = "https://issuer.example", 1_800_000_000_123


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(ASYNCAPI.read_text("utf-8"))


def test_it_is_fresh() -> None:
    assert ASYNCAPI.read_text("utf-8") == asyncapi.text(), "run `make docs`"


def test_topics_and_partitions_are_the_real_ones(document: Any) -> None:
    found = {each["address"]: each["bindings"]["kafka"]["partitions"] for each in document["channels"].values()}
    assert found == {topic.name: topic.partitions for topic in (SESSIONS, REVOCATIONS)}


def test_every_event_is_on_one_topic_and_the_watermark_on_both(document: Any) -> None:
    sessions, revocations = (set(document["channels"][name]["messages"]) for name in ("sessions", "revocations"))
    assert len(sessions | revocations) == len(EVENTS) + 1
    assert sessions & revocations == {"WatermarkV1"}


@pytest.mark.parametrize("wire", sorted(EVENTS))
@pytest.mark.parametrize("full", [True, False], ids=["full", "sparse"])
def test_a_record_as_it_is_sent_fits(document: Any, wire: str, full: bool) -> None:
    type_, data = encode(example(EVENTS[wire]))
    there = {"subject": "subject-1", "session": "session-1", "personal": b"sealed"} if full else {}
    event = Event(**{"id": "id-1", "type": type_, "time": NOW, "subject": "", "session": "", "personal": b""} | there, data=data)  # type: ignore[arg-type]  # one dict of several types
    recorded = Recorded("stream-1", 1, event, Position(1, 7), b"h" * 32)
    assert not asyncapi.misfits(document, encode_record(ISS, recorded, Position(1, 6), target="session:i:s" if full else ""))


def test_a_watermark_as_it_is_sent_fits(document: Any) -> None:
    mark = SourceMark(Position(1, 7), NOW, Position(1, 5), 3)
    assert not asyncapi.misfits(document, encode_mark(ISS, mark, Position(1, 6)))


@pytest.mark.parametrize("broken", ["value", "header"])
def test_control_another_message_does_not_fit(document: Any, broken: str) -> None:
    message = encode_mark(ISS, SourceMark(Position(1, 7), NOW, Position(1, 5), 3), Position(1, 6))
    if broken == "value":
        message = Message(message.key, b'{"applied": 5}', message.headers)
    else:
        message = Message(message.key, message.value, (*message.headers, ("ce_ip", b"192.0.2.1")))
    assert asyncapi.misfits(document, message)


def parse(path: Path) -> subprocess.CompletedProcess[str]:
    if not shutil.which("npm"):
        pytest.skip("needs Node.js with npm, to run the AsyncAPI parser")
    if not (PARSER / "node_modules/@asyncapi/parser").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=PARSER, check=True, timeout=100)
    return subprocess.run(["node", "parse.mjs", str(path)], cwd=PARSER, capture_output=True, text=True, timeout=60, check=False)


def test_the_asyncapi_parser_reads_it() -> None:
    done = parse(ASYNCAPI)
    assert done.returncode == 0, done.stdout


def test_control_the_parser_refuses_a_broken_one(tmp_path: Path) -> None:
    broken = tmp_path / "asyncapi.yaml"
    broken.write_text(ASYNCAPI.read_text("utf-8").replace("address: rescind.sessions.v1", "address: 7"), "utf-8")
    assert parse(broken).returncode == 1


def test_the_parser_is_locked_by_hash_and_without_a_registry() -> None:
    packages = json.loads((PARSER / "package-lock.json").read_text("utf-8"))["packages"]
    assert not [name for name, each in packages.items() if name and ("integrity" not in each or "resolved" in each)]
