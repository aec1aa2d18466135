"""/v1/log and what copies it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from kit.issuer_http import Issuer, bearer
from kit.pairs import NOW

from rescind.position import Position
from services.issuer.contexts import LogQuery
from services.issuer.errors import InvalidRequest
from services.issuer.views import LogEntry
from services.times import iso

READER = bearer("m", "", "log:read")


def entry(seq: int) -> LogEntry:
    return LogEntry(
        position=f"1.{seq}",
        id=f"e{seq}",
        type="TokenRefreshed",
        time=NOW,
        sub="ada",
        sid="sid-1",
        data={"generation": seq, "expires": NOW},
        personal=None,
    )


def shown(seq: int) -> dict[str, object]:
    return {
        "position": f"1.{seq}",
        "id": f"e{seq}",
        "type": "TokenRefreshed",
        "time": iso(NOW),
        "sub": "ada",
        "sid": "sid-1",
        "data": {"generation": seq, "expires": iso(NOW)},
        "personal": None,
    }


def test_a_page(http: httpx.Client, issuer: Issuer) -> None:
    issuer.log.entries.extend(entry(seq) for seq in (1, 2, 3))
    first = http.get("/v1/log?limit=2", headers=READER).json()
    rest = http.get(f"/v1/log?after={first['next']}", headers=READER).json()
    assert first == {"events": [shown(1), shown(2)], "next": "1.2"}
    assert rest == {"events": [shown(3)], "next": None}


def test_every_filter_arrives(http: httpx.Client, issuer: Issuer) -> None:
    query = {
        "after": "1.7",
        "limit": "9",
        "sub": "auth0|7",
        "sid": "s",
        "type": "TokenIssued",
        "since": iso(NOW),
        "until": "2026-11-24T20:00:00+01:00",
    }
    assert http.get("/v1/log", params=query, headers=READER).status_code == 200
    expected = LogQuery(
        after="1.7",
        limit=9,
        sub="auth0|7",
        sid="s",
        type="TokenIssued",
        since=NOW,
        until=1_795_546_800_000,
    )
    assert issuer.script.calls == [("read", expected, None)]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "since=yesterday",
        "since=2026-11-24",
        "until=%00",
        "sub=%00",
        "what=1",
        "sid=" + "x" * 2000,
    ],
)
def test_a_bad_question_names_its_fields(http: httpx.Client, issuer: Issuer, query: str) -> None:
    answer = http.get(f"/v1/log?{query}", headers=READER)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [query.partition("=")[0]])
    assert issuer.script.calls == []


@pytest.mark.parametrize(
    ("scopes", "who"), [("log:read", None), ("log:read log:personal", "client:back end"), ("admin", "client:back end")]
)
def test_who_reads_personal_data_is_said(http: httpx.Client, issuer: Issuer, scopes: str, who: str | None) -> None:
    http.get("/v1/log", headers=bearer("m", "", scopes))
    assert issuer.script.calls[0][2] == who


def test_records_and_keys(http: httpx.Client, issuer: Issuer) -> None:
    assert http.get("/v1/log/records?after=1.7&limit=3", headers=bearer("m", "", "log:replicate")).json() == {"records": []}
    assert http.get("/v1/log/records?after=rubbish", headers=bearer("m", "", "log:replicate")).status_code == 400
    keys = http.post("/v1/subject-keys", json={"subjects": ["a"]}, headers=bearer("m", "", "log:personal"))
    assert keys.json() == {"keys": {"a": "A" * 43 + "="}}
    assert issuer.script.calls == [("records", Position(1, 7), 3), ("subject_keys", ("a",), "client:back end")]
    too_many = {"subjects": ["a"] * 501}
    assert http.post("/v1/subject-keys", json=too_many, headers=bearer("m", "", "log:personal")).status_code == 400


def frames(answer: httpx.Response) -> Iterator[dict[str, str]]:
    frame: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            frame[name] = value
        else:
            yield frame
            frame = {}


def next_event(found: Iterator[dict[str, str]]) -> tuple[str, str, object]:
    frame = next(frame for frame in found if "data" in frame)
    return frame["id"], frame["event"], json.loads(frame["data"])


def test_the_log_is_followed_live(http: httpx.Client, issuer: Issuer) -> None:
    issuer.log.entries.extend([entry(1), entry(2)])
    with http.stream("GET", "/v1/log/stream?after=1.1", headers=READER) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        found = frames(answer)
        assert next_event(found) == ("1.2", "TokenRefreshed", shown(2))
        issuer.log.entries.append(entry(3))
        assert next_event(found) == ("1.3", "TokenRefreshed", shown(3))


def test_last_event_id_resumes(http: httpx.Client, issuer: Issuer) -> None:
    issuer.log.entries.extend(entry(seq) for seq in (1, 2, 3))
    with http.stream("GET", "/v1/log/stream?after=1.1", headers=READER | {"Last-Event-ID": "1.2"}) as answer:
        assert next_event(frames(answer))[0] == "1.3"


def test_a_stream_with_a_bad_question_is_refused_as_such(http: httpx.Client, issuer: Issuer) -> None:
    issuer.script.error = InvalidRequest({"after": "It is no position."})
    assert http.get("/v1/log/stream?after=x", headers=READER).status_code == 400
