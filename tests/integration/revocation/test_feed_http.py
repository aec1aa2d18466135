"""/v1/feed, /v1/feed/ack and /v1/snapshots over real HTTP: docs/protocol.md."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from kit.revocation_service import ISS, KEY, SAME_HOST, Issuer, Served, bearer, opened, served
from kit.waiting import until

from eventlog.sql.engine import open_engine
from rescind.changes import decode_change
from rescind.events.session import SessionRevoked
from rescind.frames import Decoder, Delta, Frame, Heartbeat, Snapshot
from rescind.position import Position
from rescind.revocations import RevocationList
from services.revocation.decisions.marks import Marks

WRITE, READ = "revocations:write", "revocations:read"
SETTINGS = replace(SAME_HOST, snapshot_loads=2, reader_backlog=200_000)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    engine = open_engine(f"sqlite:///{tmp_path}/revocation.db", schema="revocation")
    with opened(engine, SETTINGS) as revocation, served(revocation) as found:
        until(lambda: revocation.projector.standing is not None)
        yield found
    engine.dispose()


@dataclass
class Reading:
    """An open stream, frame by frame."""

    frames: Iterator[Frame]
    response: httpx.Response

    def next(self, kind: type[Frame]) -> Frame:
        return next(frame for frame in self.frames if isinstance(frame, kind))

    def delta(self) -> Delta:
        found = self.next(Delta)
        assert isinstance(found, Delta)
        return found

    def snapshot(self) -> Snapshot:
        found = next(self.frames)
        assert isinstance(found, Snapshot)
        return found


def decoded(response: httpx.Response) -> Iterator[Frame]:
    decoder = Decoder()
    for piece in response.iter_raw():
        yield from decoder.feed(piece)


@contextmanager
def following(service: Served, credential: str, query: str = "", **headers: str) -> Iterator[Reading]:
    authorization = {"Authorization": f"Bearer {credential}"} | headers
    with (
        httpx.Client(base_url=service.url, timeout=10) as http,
        http.stream("GET", f"/v1/feed{query}", headers=authorization) as found,
    ):
        yield Reading(decoded(found), found)


def revoke(service: Served, name: str, **more: object) -> str:
    body = {"target": {"type": "session", "id": name}, "reason": "admin", **more}
    answer = service.post("/v1/revocations", body, WRITE)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["position"])


def ack(service: Served, credential: str, **changed: object) -> httpx.Response:
    body = {"instance": "one", "at": None, "mark": None, "max_staleness": 10, "policy": "strict", "applied": []} | changed
    return service.http.post("/v1/feed/ack", json=body, headers={"Authorization": f"Bearer {credential}"})


def load(service: Served, credential: str, frame: Snapshot) -> RevocationList:
    answer = service.http.get(frame.url, headers={"Authorization": f"Bearer {credential}"})
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == frame.digest
    return RevocationList.load(answer.content)


def test_snapshot_deltas_and_resuming_lead_to_the_same_list(service: Served) -> None:
    credential = service.verifier()
    revoke(service, "a")
    with following(service, credential) as reading:
        assert reading.response.headers["content-type"] == "text/event-stream"
        frame = reading.snapshot()
        listed = load(service, credential, frame)
        assert listed.position == frame.position
        revoke(service, "b")
        delta = reading.delta()
        assert delta.origin == listed.position
        listed.apply(delta.position, [decode_change(change) for change in delta.changes])
    revoke(service, "c")
    with following(service, credential, f"?after={delta.position}&mark={delta.mark}") as reading:
        later = reading.delta()
        assert later.origin == delta.position
        listed.apply(later.position, [decode_change(change) for change in later.changes])
    assert len(listed) == 3
    assert listed.digest() == service.revocation.projector.listed.digest()


def test_last_event_id_resumes_like_after(service: Served) -> None:
    credential = service.verifier()
    with following(service, credential) as reading:
        reading.snapshot()
        revoke(service, "a")
        first = reading.delta()
    revoke(service, "b")
    with following(service, credential, f"?mark={first.mark}", **{"Last-Event-ID": str(first.position)}) as reading:
        assert reading.delta().origin == first.position


@pytest.mark.parametrize("mark", ["", "x", "A" * 64])
def test_a_position_without_its_mark_is_answered_with_a_snapshot(service: Served, mark: str) -> None:
    credential = service.verifier()
    position = revoke(service, "a")
    with following(service, credential, f"?after={position}&mark={mark}") as reading:
        assert reading.snapshot().position == Position.parse(position)


def test_a_position_above_the_head_is_never_answered_with_a_snapshot(service: Served) -> None:
    credential = service.verifier()
    for after in ("1.999", "7.0"):
        answer = service.http.get(f"/v1/feed?after={after}&mark=x", headers={"Authorization": f"Bearer {credential}"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("query", ["?after=x", "?after=1", "?after=1.x", f"?after=1.1&mark={'m' * 200}"])
def test_a_malformed_question_is_a_400(service: Served, query: str) -> None:
    answer = service.http.get(f"/v1/feed{query}", headers={"Authorization": f"Bearer {service.verifier()}"})
    assert answer.status_code == 400


def test_heartbeats_come_with_ages(service: Served) -> None:
    Issuer(service.revocation).send()
    with following(service, service.verifier()) as reading:
        beat = reading.next(Heartbeat)
        assert isinstance(beat, Heartbeat)
        assert set(beat.ages) == {ISS}


def test_snapshots_are_immutable_and_known_by_their_tag(service: Served) -> None:
    credential = service.verifier()
    authorization = {"Authorization": f"Bearer {credential}"}
    with following(service, credential) as reading:
        url = reading.snapshot().url
    first = service.http.get(url, headers=authorization)
    assert "immutable" in first.headers["Cache-Control"]
    again = service.http.get(url, headers=authorization | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    revoke(service, "a")
    assert service.http.get(url, headers=authorization).content == first.content
    assert service.http.get("/v1/snapshots/1.999", headers=authorization).status_code == 404
    assert service.http.get("/v1/snapshots/x", headers=authorization).status_code == 400


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"max_staleness": 4.9}, "max_staleness"),
        ({"max_staleness": "10"}, "max_staleness"),
        ({"policy": "hope"}, "policy"),
        ({"instance": ""}, "instance"),
        ({"instance": "x" * 129}, "instance"),
        ({"at": "one"}, "at"),
        ({"applied": [[1]]}, "applied.0.1"),
        ({"applied": [[-1, 1]]}, "applied.0.0"),
        ({"applied": [[1, 1]] * 1001}, "applied"),
    ],
)
def test_a_malformed_acknowledgement_is_a_400(service: Served, changed: dict[str, object], field: str) -> None:
    answer = ack(service, service.verifier(), **changed)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]


def test_an_acknowledgement_is_answered_with_head_and_ages(service: Served) -> None:
    credential = service.verifier()
    Issuer(service.revocation).send()
    until(lambda: ack(service, credential).json()["ages"].get(ISS, 10**9) < 5_000)
    found = ack(service, credential).json()
    assert found["head"] == "1.1"
    assert 0 <= found["age_ms"] < 5_000


def test_a_position_without_its_mark_is_no_acknowledgement(service: Served) -> None:
    credential = service.verifier()
    assert ack(service, credential, at="1.1", mark="x").status_code == 503
    assert service.get("/v1/verifiers", "verifiers:read").json()["verifiers"][0]["instances"] == []


def test_the_receipt_says_who_has_it_and_after_how_many_ms(service: Served) -> None:
    credential = service.verifier()
    with following(service, credential) as reading:
        frame = reading.snapshot()
        ack(service, credential, at=str(frame.position), mark=frame.mark)
        position = revoke(service, "a")
        made = service.get("/v1/revocations", READ).json()["revocations"][0]
        behind = service.get(f"/v1/revocations/{made['id']}", READ).json()
        delta = reading.delta()
        assert str(delta.position) == position
        ack(service, credential, at=position, mark=delta.mark, applied=[[delta.position.seq, 0]])
    path = f"/v1/revocations/{made['id']}"
    until(lambda: bool(service.get(path, READ).json()["complete"]) and bool(service.get(path, READ).json()["verifiers"]))
    (line,) = service.get(path, READ).json()["verifiers"]
    assert [each["applied"] for each in behind["verifiers"]] in ([False], [])
    assert (line["name"], line["instance"], line["applied"], line["state"]) == ("api", "one", True, "live")
    assert isinstance(line["after_ms"], int)
    fleet = service.get("/v1/verifiers", "verifiers:read").json()["verifiers"][0]["instances"][0]
    assert (fleet["at"], fleet["behind"], fleet["policy"]) == (position, 0, "strict")


def test_wait_names_the_live_verifier_that_has_not_acknowledged(service: Served) -> None:
    credential = service.verifier()
    with following(service, credential) as reading:
        frame = reading.snapshot()
        ack(service, credential, at=str(frame.position), mark=frame.mark)
        body = {"target": {"type": "session", "id": "a"}, "reason": "admin", "wait": 0.3}
        made = service.post("/v1/revocations", body, WRITE).json()
        assert (made["complete"], made["pending"]) == (False, [{"name": "api", "instance": "one"}])
        assert reading.delta().ack  # it was asked to answer at once


def test_wait_returns_when_the_last_live_verifier_has_it(service: Served) -> None:
    credential = service.verifier()
    with following(service, credential) as reading:
        frame = reading.snapshot()
        ack(service, credential, at=str(frame.position), mark=frame.mark)
        request = httpx.Request(
            "POST",
            f"{service.url}/v1/revocations",
            json={"target": {"type": "session", "id": "a"}, "reason": "admin", "wait": 30},
            headers=bearer(WRITE),
        )
        with httpx.Client(timeout=10) as other, _thread_of(other, request) as answered:
            delta = reading.delta()
            ack(service, credential, at=str(delta.position), mark=delta.mark, applied=[[delta.position.seq, 0]])
            made = answered().json()
    assert (made["complete"], made["pending"]) == (True, [])


@contextmanager
def _thread_of(http: httpx.Client, request: httpx.Request) -> Iterator[Callable[[], httpx.Response]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(http.send, request).result


def test_a_decommissioned_verifiers_stream_is_cut(service: Served) -> None:
    credential = service.verifier()
    with following(service, credential) as reading:
        reading.snapshot()
        service.http.delete("/v1/verifiers/api", headers=bearer("verifiers:write"))
        for _ in reading.frames:
            pass  # it ends
    assert ack(service, credential).status_code == 401


def test_a_stalled_reader_is_cut_off_and_the_others_get_everything(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/revocation.db", schema="revocation")
    with opened(engine, SETTINGS) as revocation, served(revocation, without=["revocation projector"]) as service:
        until(lambda: revocation.log.head()[0].seq == 1)
        revocation.projector.step()
        revocation.snapshots.follow(revocation.projector.listed, "m")
        credential = service.verifier()
        address = urlsplit(service.url)
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect((address.hostname, address.port))
        where = "/v1/feed?after=1.1&mark=" + _mark(service)
        stalled.sendall(f"GET {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {credential}\r\n\r\n".encode())
        until(lambda: revocation.feed.readers == 1)
        with stalled, following(service, credential, where.removeprefix("/v1/feed")) as reading:
            until(lambda: revocation.feed.readers == 2)
            large = ({"target": "session", "iss": "i" * 100_000, "sn": 1, "verdict": None},)
            for seq in range(2, 200):  # 20 MB: more than any socket's buffers hold
                revocation.feed.publish(Delta(Position(1, seq - 1), Position(1, seq), large, "m"))
                assert reading.delta().position.seq == seq
            until(lambda: revocation.feed.readers == 1)
    engine.dispose()


def _mark(service: Served) -> str:
    log, marks = service.revocation.log, Marks(KEY)
    position, hash_ = log.head()
    return marks.make(position, hash_)


def _long(n: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{n}", sid="s" * 30_000 + str(n), sn=-1, effect="end", reason="logout", by="user")


def test_streams_end_when_the_process_stops(service: Served) -> None:
    with following(service, service.verifier()) as reading:
        reading.snapshot()
        service.revocation.feed.urge()
        reading.next(Heartbeat)
        service.stop_streams()
        for _ in reading.frames:
            pass  # it ends


def test_so_many_snapshots_at_one_time(service: Served) -> None:
    credential = service.verifier()
    issuer = Issuer(service.revocation)
    issuer.send(*map(_long, range(400)))
    until(lambda: service.revocation.projector.listed.position.seq > 400)
    with following(service, credential) as reading:
        url = reading.snapshot().url
    headers = {"Authorization": f"Bearer {credential}"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=10) as http:
        with http.stream("GET", url) as one, http.stream("GET", url) as other:  # 12 MB each, that nobody reads on
            assert (one.status_code, other.status_code) == (200, 200)
            refused = service.http.get(url, headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        until(lambda: service.http.get(url, headers=headers).status_code == 200)


def test_frames_are_what_the_protocol_page_says(service: Served) -> None:
    credential = service.verifier()
    position = revoke(service, "a")
    with following(service, credential) as reading:
        lines = []
        for line in reading.response.iter_lines():
            lines.append(line)
            if line.startswith("event: heartbeat"):
                break
    assert lines[0] == "event: snapshot"
    data = json.loads(lines[1].removeprefix("data: "))
    assert data.keys() == {"url", "position", "digest", "mark"}
    assert data["position"] == position
    assert quote(data["mark"]) == data["mark"]  # goes into a query as it is
