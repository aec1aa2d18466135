"""What the anomaly service asks of the others: sessions to end, and keys to open what is sealed."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from kit.issuing import PASSWORD
from kit.raw_server import HOLD, HTML, http_answer, raw_server
from kit.revocation_service import SAME_HOST
from kit.two_services import TwoServices, two_services
from kit.waiting import until

from eventlog.sql.sequencer import Sequencer
from rescind.events.revocation import RevocationMade
from rescind.vocabulary import Effect
from services.anomaly.detector import Sighting
from services.anomaly.opening import CachedKeys
from services.anomaly.ports import Capped, Command, Refused
from services.issuer.contexts import Login, RequestContext
from services.roads.errors import NoAnswer
from services.roads.peer import Peer
from services.roads.revoking import RemoteRevoke
from services.roads.service_token import Granted, ServiceToken
from services.roads.subject_keys import IssuersKeys
from services.roads.wire import Wire

COMMAND = Command(finding_id="f" * 32, sid="sid-1", sn=7, effect=Effect.HOLD, note="network and device changed")
A_TOKEN = ServiceToken(lambda: Granted("a-token", 900))
KEY = b"0123456789abcdef0123456789abcdef"


@contextmanager
def peer_of(*answers: bytes) -> Iterator[Peer]:
    with raw_server(*answers) as server, closing(Wire("the service", server.url, patience_s=0.3)) as wire:
        yield Peer(wire, A_TOKEN)


def revoke_of(apart: TwoServices, *scopes: str) -> RemoteRevoke:
    return RemoteRevoke(apart.to_revocation(apart.token(*apart.client(*scopes), " ".join(scopes))), apart.iss)


# revoking


def test_a_command_becomes_one_revocation_however_often_it_comes(apart: TwoServices) -> None:
    revoke = revoke_of(apart, "revocations:automated")
    revocation_id = revoke(COMMAND)
    assert revoke(COMMAND) == revocation_id
    made = apart.revocation.revocations.find(revocation_id).first
    assert isinstance(made, RevocationMade)
    assert (made.target_type, made.target_id, made.iss) == ("session", "sid-1", apart.iss)
    assert (made.effect, made.reason, made.note, made.automated) == ("hold", "anomaly", COMMAND.note, True)


def test_two_findings_are_two_revocations(apart: TwoServices) -> None:
    revoke = revoke_of(apart, "revocations:automated")
    assert revoke(COMMAND) != revoke(replace(COMMAND, finding_id="another"))


def test_what_the_service_itself_refuses_is_refused(apart: TwoServices) -> None:
    revoke = revoke_of(apart, "revocations:automated")
    with pytest.raises(Refused, match=r"^the revocation service finds the command malformed: note$"):
        revoke(replace(COMMAND, note="x" * 501))
    with pytest.raises(Refused, match=r"malformed: target\.iss$"):
        replace(revoke, iss="https://other.example")(COMMAND)
    revoke(COMMAND)
    with pytest.raises(Refused, match="knows another command"):
        revoke(replace(COMMAND, sid="sid-2"))


def test_without_the_scope_it_is_tried_again_not_dropped(apart: TwoServices) -> None:
    with pytest.raises(NoAnswer, match="403 insufficient_scope"):
        revoke_of(apart, "revocations:read")(COMMAND)


def test_over_the_cap_it_waits(tmp_path: Path) -> None:
    with two_services(tmp_path, settings=replace(SAME_HOST, automated_per_minute=1)) as apart:
        revoke = revoke_of(apart, "revocations:automated")
        revoke(COMMAND)
        with pytest.raises(Capped) as capped:
            revoke(replace(COMMAND, finding_id="another"))
    assert capped.value.retry_after == 60


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"<html>Bad request</html>", status="400 Bad Request"),
        http_answer(b'{"message":"no"}', status="400 Bad Request"),
        http_answer(b'{"code":"invalid_request"}', status="422 Unprocessable"),
        http_answer(b'{"code":"rate_limited"}', status="429 Too Many", headers={"Retry-After": "5"}),
        http_answer(b"slow down", status="429 Too Many", headers={"Retry-After": "5"}),
        http_answer(b'{"code":"retry"}', status="503 Unavailable"),
        http_answer(b'{"code":"not_found"}', status="404 No"),
        http_answer(b'{"code":"token_not_valid"}', status="401 No"),
        http_answer(b'{"id":"r"}', status="200 OK"),
        http_answer(b'{"id":""}', status="201 Created"),
        http_answer(b'{"id":7}', status="201 Created"),
        http_answer(b"{}", status="201 Created"),
        http_answer(b'{"id":"r"}', status="201 Created")[:-1],
        http_answer(b"{}", status="299 Hm"),
        HTML,
        HOLD,
        b"",
    ],
)
def test_no_command_is_dropped_for_what_a_proxy_says(answer: bytes) -> None:
    with peer_of(answer) as peer, pytest.raises(NoAnswer) as found:
        RemoteRevoke(peer, "iss")(COMMAND)
    assert "a-token" not in "".join(traceback.format_exception(found.value))


def test_control_its_own_words_count() -> None:
    made = http_answer(b'{"id":"r"}', status="201 Created")
    capped = http_answer(b'{"code":"capped"}', status="429 Too Many", headers={"Retry-After": "5"})
    refused = http_answer(b'{"code":"invalid_request","fields":{"A B":"x","note":"y"}}', status="400 Bad Request")
    with peer_of(made, capped, refused) as peer:
        revoke = RemoteRevoke(peer, "iss")
        assert revoke(COMMAND) == "r"
        with pytest.raises(Capped) as found:
            revoke(COMMAND)
        assert found.value.retry_after == 5
        with pytest.raises(Refused, match=r"malformed: note$"):
            revoke(COMMAND)


def test_a_cap_without_a_time_does_not_spin() -> None:
    with peer_of(http_answer(b'{"code":"capped"}', status="429 Too Many")) as peer, pytest.raises(Capped) as found:
        RemoteRevoke(peer, "iss")(COMMAND)
    assert found.value.retry_after == 1


# keys


def sightings(apart: TwoServices) -> list[Sighting]:
    """The sealed parts of two people's sign-ins."""
    for name in ("alice", "bob"):
        apart.issuer.subjects.create(name, PASSWORD, ("read",), by="admin:test")
        apart.issuer.sessions.sign_in(Login(username=name, password=PASSWORD), RequestContext(ip="192.0.2.7"))
    Sequencer(apart.issuer.log).number()
    sealed = [each.event for each in apart.issuer.log.read(limit=1000).records if each.event.personal]
    return [Sighting(each.id, each.subject, each.time, each.personal) for each in sealed]


def test_keys_open_what_the_issuer_sealed_and_the_log_says_who_asked(apart: TwoServices) -> None:
    client_id, secret = apart.client("log:personal")
    keys = CachedKeys(IssuersKeys(apart.to_issuer(apart.token(client_id, secret, "log:personal"))))
    seen = sightings(apart)
    assert {each.ip for each in keys.open(seen) if each} == {"192.0.2.7"}
    until(lambda: b"subject-keys" in audit(apart))
    assert f'"client:{client_id}"'.encode() in audit(apart)


def test_for_whom_a_service_opened_it_stands_in_the_log(apart: TwoServices) -> None:
    client_id, secret = apart.client("log:personal")
    keys = IssuersKeys(apart.to_issuer(apart.token(client_id, secret, "log:personal")))
    keys([each.subject for each in sightings(apart)], "session:s1")
    until(lambda: f'"client:{client_id} for session:s1"'.encode() in audit(apart))


def audit(apart: TwoServices) -> bytes:
    records = apart.issuer.log.read(limit=1000).records
    return b"\n".join(each.event.data for each in records if each.event.type == "personal.read.v1")


def test_forgotten_and_unknown_subjects_have_no_key(apart: TwoServices) -> None:
    keys = IssuersKeys(apart.to_issuer(apart.token(*apart.client("log:personal"), "log:personal")))
    subjects = sorted({each.subject for each in sightings(apart)})
    apart.issuer.subjects.forget(subjects[0], by="admin:test")
    assert sorted(keys([*subjects, "nobody"])) == subjects[1:]
    assert keys([]) == {}


def test_many_subjects_are_asked_for_in_turn(apart: TwoServices) -> None:
    keys = IssuersKeys(apart.to_issuer(apart.token(*apart.client("log:personal"), "log:personal")))
    subjects = sorted({each.subject for each in sightings(apart)})
    asked = [*(f"nobody-{number}" for number in range(1100)), *subjects]
    assert sorted(keys(asked)) == subjects


def told(**keys: object) -> bytes:
    return http_answer(json.dumps({"keys": keys}).encode())


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"{}"),
        http_answer(b'{"keys":[]}'),
        told(a=base64.b64encode(KEY).decode(), b=base64.b64encode(KEY).decode()),
        told(a=base64.b64encode(KEY[:31]).decode()),
        told(a=base64.b64encode(KEY).decode() + "\n"),
        told(a=base64.b64encode(KEY).decode()[:-1]),
        told(a=7),
        told(a=None),
        told(a=base64.b64encode(KEY).decode())[:-1],
        http_answer(b'{"code":"insufficient_scope"}', status="403 No"),
        HTML,
        HOLD,
        b"",
    ],
)
def test_what_are_no_keys_is_no_answer_and_is_not_quoted(answer: bytes) -> None:
    with peer_of(answer) as peer, pytest.raises(NoAnswer) as found:
        IssuersKeys(peer)(["a"])
    said = "".join(traceback.format_exception(found.value))
    assert base64.b64encode(KEY).decode()[:20] not in said
    assert "a-token" not in said


def test_control_a_key_is_one() -> None:
    with peer_of(told(a=base64.b64encode(KEY).decode())) as peer:
        assert IssuersKeys(peer)(["a", "b"]) == {"a": KEY}
