"""Findings over HTTP: worker, sender and reader together, with keys and scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from kit.serving import serving
from kit.session_story import HOME, THIEF, SessionStory

from eventlog.memory import MemoryLog
from eventlog.sealing import new_key, seal
from eventlog.sql.engine import open_engine
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from services.access import Access
from services.anomaly.policy import Action
from services.anomaly.ports import Command
from services.anomaly.service import NAME, Parts, room
from services.anomaly.store import open_store


@dataclass
class Issuer:
    """Gives out the key of the one subject and remembers to whom."""

    key: bytes = field(default_factory=new_key)
    readers: list[str] = field(default_factory=list)

    def disclose(self, subjects: Sequence[str], reader: str) -> Mapping[str, bytes]:
        self.readers.append(reader)
        return dict.fromkeys(subjects, self.key)


def check(token: str) -> Claims | Denied:
    """A token of these tests is the list of its scopes."""
    if token == "rubbish":
        return Denied(Denial.MALFORMED, "not a token")
    scopes = frozenset(token.split("+"))
    return Claims(iss="i", sub="c", aud=("a",), exp=1, iat=0, jti="j", client_id="reader", scope=scopes)


def revoke(command: Command) -> str:
    return f"r-{command.sid}"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def base_url(tmp_path: Path, issuer: Issuer) -> Iterator[str]:
    story = SessionStory()
    story.issued("a", HOME)
    story.issued("b", HOME)
    story.refreshed("a", THIEF)
    story.refreshed("b", THIEF)
    story.reused("b", THIEF)
    log = MemoryLog()
    for each in story.records:
        personal = seal(issuer.key, each.event.id, each.event.personal)
        log.append(each.stream, [replace(each.event, personal=personal)], expected_version=each.version - 1)
    engine = open_engine(f"sqlite:///{tmp_path}/anomaly.db", schema="anomaly")
    store = open_store(engine)
    access = Access(check)
    parts = Parts(store=store, disclose=issuer.disclose, revoke=revoke, access=access, action=Action.HOLD)
    with serving(room(parts, log)) as url:
        yield url
    engine.dispose()


def read(base_url: str, token: str, query: str = "") -> httpx.Response:
    return httpx.get(f"{base_url}/v1/findings{query}", headers={"Authorization": f"Bearer {token}"})


def settled(base_url: str, token: str) -> list[dict[str, object]]:
    """The three findings, once the commands have been answered."""
    for _ in range(1000):
        found: list[dict[str, object]] = read(base_url, token).json()["findings"]
        if len(found) == 3 and all(each["revocation_id"] for each in found):
            return found
    pytest.fail("the findings do not settle")


def test_findings_tell_the_rule_the_action_and_the_revocation(base_url: str, issuer: Issuer) -> None:
    found = settled(base_url, "log:read")
    assert [(each["rule"], each["action"], each["revocation_id"], each["sid"]) for each in found] == [
        ("network_and_device_changed", "hold", "r-a", "a"),
        ("network_and_device_changed", "hold", "r-b", "b"),
        ("refresh_token_reused", "none", "r-b", "b"),
    ]
    assert {each["evidence"] for each in found} == {None}
    assert issuer.readers == [NAME]


def test_the_evidence_is_for_those_who_may_read_personal_data_and_is_audited(base_url: str, issuer: Issuer) -> None:
    settled(base_url, "log:read")
    [first, *_] = read(base_url, "log:read+log:personal").json()["findings"]
    assert "192.0.2.0/24 with Chrome on Windows" in first["evidence"]
    assert issuer.readers == [NAME, "client:reader"]


def test_findings_are_paged_and_filtered(base_url: str) -> None:
    everything = settled(base_url, "admin")
    first = read(base_url, "admin", "?limit=2").json()
    rest = read(base_url, "admin", f"?after={first['next']}").json()
    assert [each["id"] for each in first["findings"] + rest["findings"]] == [each["id"] for each in everything]
    assert rest["next"] is None
    assert [each["sid"] for each in read(base_url, "admin", "?sid=a").json()["findings"]] == ["a"]


@pytest.mark.parametrize(
    ("token", "status"), [("rubbish", 401), ("log:personal", 403), ("revocations:read", 403), ("log:read", 200)]
)
def test_the_scope_is_needed(base_url: str, token: str, status: int) -> None:
    assert read(base_url, token).status_code == status


def test_without_a_token_it_is_401(base_url: str) -> None:
    assert httpx.get(f"{base_url}/v1/findings").status_code == 401


def test_the_room_is_ready_when_the_log_is_read_and_the_outbox_is_empty(base_url: str) -> None:
    settled(base_url, "log:read")
    assert httpx.get(f"{base_url}/readyz").status_code == 200
    assert "rescind_anomaly_outbox_commands 0" in httpx.get(f"{base_url}/metrics").text
