"""/v1/revocations, /v1/verifiers, /v1/sources, /v1/facts and /v1/revocation-log over real HTTP."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kit.revocation_service import ISS, SAME_HOST, Issuer, Served, bearer, opened, served
from kit.waiting import until

from eventlog.sql.engine import open_engine
from rescind.events.session import SessionRevoked
from rescind.vocabulary import subject_name

WRITE, READ, AUTOMATED = "revocations:write", "revocations:read", "revocations:automated"
SETTINGS = replace(SAME_HOST, automated_per_minute=3, automated_share=0.01, automated_floor=2)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    engine = open_engine(f"sqlite:///{tmp_path}/revocation.db", schema="revocation")
    with opened(engine, SETTINGS) as revocation, served(revocation) as found:
        until(lambda: revocation.projector.standing is not None)
        yield found
    engine.dispose()


def body(kind: str = "session", name: str = "s1", **more: object) -> dict[str, object]:
    return {"target": {"type": kind, "id": name}, "reason": "admin", **more}


def revoked(service: Served, **more: object) -> dict[str, Any]:
    answer = service.post("/v1/revocations", body(**more), WRITE)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_revoking_answers_with_id_and_position(service: Served) -> None:
    made = revoked(service, note="found on a paste site")
    assert made["position"] == "1.2"
    assert made["target"] == {"type": "session", "iss": ISS, "id": "s1"}
    assert (made["effect"], made["reason"], made["by"]) == ("end", "admin", "client:back-end")
    found = service.get(f"/v1/revocations/{made['id']}", READ).json()
    assert found == made | {"complete": True, "verifiers": []}


def test_no_account_name_is_kept(service: Served, tmp_path: Path) -> None:
    made = revoked(service, kind="subject", name="alice@example.com")
    assert made["target"]["id"] == subject_name(ISS, "alice@example.com")
    listed = service.get(f"/v1/revocations?sub={quote('alice@example.com')}&iss={quote(ISS)}", READ).json()
    assert [each["id"] for each in listed["revocations"]] == [made["id"]]
    assert all(b"alice" not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"target": {"type": "session"}, "reason": "admin"}, "target.id"),
        ({"target": {"type": "planet", "id": "x"}, "reason": "admin"}, "target.type"),
        ({"target": {"type": "session", "id": ""}, "reason": "admin"}, "target.id"),
        ({"target": {"type": "session", "id": "x" * 256}, "reason": "admin"}, "target.id"),
        ({"target": {"type": "session", "id": "a\u0000b"}, "reason": "admin"}, "target.id"),
        (body(reason="logout"), "reason"),
        (body(reason="refresh_reuse"), "reason"),
        (body(reason="because"), "reason"),
        (body(effect="refresh"), "effect"),
        (body("key", "k", effect="hold"), "effect"),
        (body(wait=31), "wait"),
        (body(wait="1"), "wait"),
        (body(surprise=1), "surprise"),
        ({"target": {"type": "session", "id": "x", "iss": "https://typo.example"}, "reason": "admin"}, "target.iss"),
    ],
)
def test_what_makes_no_sense_is_a_400_with_the_field(service: Served, wrong: dict[str, object], field: str) -> None:
    answer = service.post("/v1/revocations", wrong, WRITE)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert field in answer.json()["fields"]


def test_the_same_key_is_the_same_revocation(service: Served) -> None:
    first = revoked(service, idempotency_key="finding-1")
    assert revoked(service, idempotency_key="finding-1")["id"] == first["id"]
    assert revoked(service, idempotency_key="finding-2")["id"] != first["id"]
    other = service.post("/v1/revocations", body(name="s2", idempotency_key="finding-1"), WRITE)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    stranger = service.post("/v1/revocations", body(name="s2", idempotency_key="finding-1"), WRITE, client="another")
    assert stranger.status_code == 201  # keys are each caller's own


def test_unknown_ids_are_404(service: Served) -> None:
    assert service.get("/v1/revocations/nope", READ).status_code == 404
    assert service.post("/v1/revocations/nope/lift", {}, WRITE).status_code == 404
    assert service.http.delete("/v1/verifiers/nope", headers=bearer("verifiers:write")).status_code == 404
    assert service.http.delete("/v1/sources/nope", headers=bearer("sources:write")).status_code == 404


def test_lifting(service: Served) -> None:
    made = revoked(service)
    assert made["lift_until"] is not None
    lifted = service.post(f"/v1/revocations/{made['id']}/lift", {}, WRITE)
    assert lifted.status_code == 200
    assert lifted.json()["lifted"]["by"] == "client:back-end"
    assert lifted.json()["lift_until"] is None
    assert service.post(f"/v1/revocations/{made['id']}/lift", {}, WRITE).json() == lifted.json()
    until(lambda: len(service.revocation.projector.listed) == 0)


def test_a_key_is_revoked_for_good(service: Served) -> None:
    made = revoked(service, kind="key", name="kid1")
    refused = service.post(f"/v1/revocations/{made['id']}/lift", {}, WRITE)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_liftable")


def test_what_an_issuer_ended_itself_is_not_lifted_here(service: Served) -> None:
    Issuer(service.revocation).send(SessionRevoked(revocation_id="own", sid="s", sn=1, effect="end", reason="logout", by="user"))
    assert service.get("/v1/revocations/own", READ).json()["reason"] == "logout"
    assert service.post("/v1/revocations/own/lift", {}, WRITE).status_code == 409


def test_lists_page(service: Served) -> None:
    ids = [revoked(service, name=f"s{n}")["id"] for n in range(5)]
    first = service.get("/v1/revocations?limit=3", READ).json()
    rest = service.get(f"/v1/revocations?limit=3&after={first['next']}", READ).json()
    assert [each["id"] for each in first["revocations"] + rest["revocations"]] == ids
    assert rest["next"] is None
    assert [each["id"] for each in service.get("/v1/revocations?sid=s3", READ).json()["revocations"]] == [ids[3]]
    assert service.get("/v1/revocations?after=x", READ).status_code == 400
    assert service.get("/v1/revocations?sub=alice", READ).status_code == 400


def test_automated_callers_are_capped_and_it_is_written_down(service: Served) -> None:
    answers = [service.post("/v1/revocations", body(name=f"s{n}", reason="anomaly"), AUTOMATED) for n in range(4)]
    assert [each.status_code for each in answers] == [201, 201, 429, 429]  # two of no live sessions
    assert (answers[2].json()["code"], answers[2].json()["reason"]) == ("capped", "share")
    assert int(answers[2].headers["Retry-After"]) > 0
    Issuer(service.revocation, live_sessions=100_000).send()
    later = [service.post("/v1/revocations", body(name=f"t{n}", reason="anomaly"), AUTOMATED) for n in range(2)]
    assert [each.status_code for each in later] == [201, 429]
    assert later[1].json()["reason"] == "per_minute"

    def capped() -> int:
        records = service.get("/v1/revocation-log?limit=1000", "log:replicate").json()["records"]
        return [each["type"] for each in records].count("automation.capped.v1")

    until(lambda: capped() == 2)  # once a cap and minute
    assert revoked(service, name="by hand")["automated"] is False  # people are not capped


def test_a_capped_command_that_was_made_before_is_answered(service: Served) -> None:
    keyed = body(name="s0", reason="anomaly", idempotency_key="f")
    made = service.post("/v1/revocations", keyed, AUTOMATED).json()["id"]
    for n in range(3):
        service.post("/v1/revocations", body(name=f"s{n}", reason="anomaly"), AUTOMATED)
    again = service.post("/v1/revocations", keyed, AUTOMATED)
    assert (again.status_code, again.json()["id"]) == (201, made)


@pytest.mark.parametrize(("kind", "name"), [("client", "c"), ("key", "k"), ("issuer", ISS)])
def test_automation_cannot_end_everything(service: Served, kind: str, name: str) -> None:
    Issuer(service.revocation, live_sessions=10**6).send()
    assert service.post("/v1/revocations", body(kind, name, reason="anomaly"), AUTOMATED).status_code == 429
    assert service.get("/v1/revocations", READ).json()["revocations"] == []


def test_automation_cannot_lift(service: Served) -> None:
    made = revoked(service)
    assert service.post(f"/v1/revocations/{made['id']}/lift", {}, AUTOMATED).status_code == 403


def test_verifiers(service: Served) -> None:
    credential = service.verifier("api-1")
    assert len(credential) >= 43
    taken = service.post("/v1/verifiers", {"name": "api-1"}, "verifiers:write")
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert service.post("/v1/verifiers", {"name": "no spaces"}, "verifiers:write").status_code == 400
    fleet = service.get("/v1/verifiers", "verifiers:read").json()
    assert [(each["name"], each["instances"]) for each in fleet["verifiers"]] == [("api-1", [])]
    assert credential not in str(fleet)
    assert service.http.delete("/v1/verifiers/api-1", headers=bearer("verifiers:write")).status_code == 204
    assert service.get("/v1/verifiers", "verifiers:read").json()["verifiers"] == []


def test_the_fleet_pages_by_next(service: Served) -> None:
    for name in ("c", "a", "b"):
        service.verifier(name)
    first = service.get("/v1/verifiers?limit=2", "verifiers:read").json()
    assert ([each["name"] for each in first["verifiers"]], first["next"]) == (["a", "b"], "b")
    rest = service.get("/v1/verifiers?limit=2&after=b", "verifiers:read").json()
    assert ([each["name"] for each in rest["verifiers"]], rest["next"]) == (["c"], None)


def test_sources(service: Served) -> None:
    other = "https://keycloak.example/realms/main"
    path = f"/v1/sources/{quote(other, safe='')}"
    put = {"headers": bearer("sources:write")}
    assert service.http.put(path, json={"max_session_life": 36_000}, **put).status_code == 201  # type: ignore[arg-type]
    assert service.http.put(path, json={"max_session_life": 36_000}, **put).status_code == 200  # type: ignore[arg-type]
    assert service.http.put(path, json={}, **put).status_code == 400  # type: ignore[arg-type]
    assert service.http.put(path, json={"own": True, "max_session_life": 1}, **put).status_code == 400  # type: ignore[arg-type]
    listed = service.get("/v1/sources", "sources:write").json()["sources"]
    assert [(each["iss"], each["own"]) for each in listed] == [(ISS, True), (other, False)]
    assert service.post(
        "/v1/revocations", {"target": {"type": "session", "id": "x", "iss": other}, "reason": "admin"}, WRITE
    ).is_success
    assert service.http.delete(path, headers=bearer("sources:write")).status_code == 204
    assert len(service.get("/v1/sources", "sources:write").json()["sources"]) == 1


def posted(issuer: Issuer, *events: SessionRevoked) -> dict[str, object]:
    post = issuer.says(*events)
    return {
        "iss": post.iss,
        "prev": str(post.prev),
        "records": [
            {
                "position": str(each.position),
                "stream": each.stream,
                "version": each.version,
                "id": each.event.id,
                "type": each.event.type,
                "time": each.event.time,
                "data": b64encode(each.event.data).decode(),
            }
            for each in post.records
        ],
        "mark": {
            "position": str(post.mark.position),
            "time": post.mark.time,
            "applied": str(post.mark.applied),
            "live_sessions": post.mark.live_sessions,
        },
    }


def ended(sn: int) -> SessionRevoked:
    return SessionRevoked(revocation_id=f"r{sn}", sid=f"s{sn}", sn=sn, effect="end", reason="logout", by="user")


def test_the_express_road(service: Served) -> None:
    issuer = Issuer(service.revocation)
    where = f"/v1/facts?iss={quote(ISS, safe='')}"
    assert service.get(where, "facts:write").json() == {"position": None}
    sent = posted(issuer, ended(1), ended(2))
    assert service.post("/v1/facts", sent, "facts:write", client="thief").status_code == 403
    assert service.post("/v1/facts", sent, "facts:write", client="relay").json() == {"position": "1.2"}
    assert service.get(where, "facts:write").json() == {"position": "1.2"}
    until(lambda: len(service.revocation.projector.listed) == 2)
    early = sent | {"mark": {"position": "1.1", "time": 0, "applied": "0.0", "live_sessions": 0}}
    conflict = service.post("/v1/facts", early, "facts:write", client="relay")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "position_conflict")
    assert conflict.json()["fields"] == {"position": "1.2"}


def test_facts_that_cannot_be_read_are_refused_and_named(service: Served) -> None:
    sent = posted(Issuer(service.revocation), ended(1))
    sent["records"][0]["data"] = b64encode(b"{}").decode()  # type: ignore[index]
    answer = service.post("/v1/facts", sent, "facts:write", client="relay")
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_fact")
    assert f"revocation: facts of {ISS}" in service.http.get("/readyz").json()["missing"]


def test_the_way_back_is_byte_for_byte(service: Served) -> None:
    made = revoked(service)
    first = service.get("/v1/revocation-log?limit=1", "log:replicate").json()
    rest = service.get(f"/v1/revocation-log?after={first['next']}", "log:replicate").json()
    (record,) = rest["records"]
    (stored,) = service.revocation.log.read_stream(f"revocation-{made['id']}")
    assert record["data"] == b64encode(stored.event.data).decode()
    assert record["hash"] == b64encode(stored.hash).decode()
    assert (record["position"], rest["next"]) == (made["position"], made["position"])


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("POST", "/v1/revocations", [WRITE, AUTOMATED]),
        ("GET", "/v1/revocations", [READ]),
        ("GET", "/v1/revocations/x", [READ]),
        ("POST", "/v1/revocations/x/lift", [WRITE]),
        ("POST", "/v1/facts", ["facts:write"]),
        ("GET", "/v1/facts?iss=x", ["facts:write"]),
        ("GET", "/v1/revocation-log", ["log:replicate"]),
        ("POST", "/v1/verifiers", ["verifiers:write"]),
        ("GET", "/v1/verifiers", ["verifiers:read"]),
        ("DELETE", "/v1/verifiers/x", ["verifiers:write"]),
        ("GET", "/v1/sources", ["sources:write"]),
        ("PUT", "/v1/sources/x", ["sources:write"]),
        ("DELETE", "/v1/sources/x", ["sources:write"]),
    ],
)
def test_every_endpoint_asks_for_its_scope(service: Served, method: str, path: str, scopes: list[str]) -> None:
    json: dict[str, object] | None = {} if method in ("POST", "PUT") else None
    assert service.http.request(method, path, json=json).status_code == 401
    assert service.http.request(method, path, json=json, headers=bearer("introspect")).status_code == 403
    for scope in [*scopes, "admin"]:
        assert service.http.request(method, path, json=json, headers=bearer(scope)).status_code not in (401, 403)


@pytest.mark.parametrize("path", ["/v1/feed", "/v1/snapshots/1.1"])
def test_the_feed_asks_for_a_verifiers_credential(service: Served, path: str) -> None:
    for headers in ({}, bearer("admin"), {"Authorization": "Basic x"}, {"Authorization": "Bearer"}):
        answer = service.http.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_sequencer_that_stands_still_leaves_the_position_open(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/revocation.db", schema="revocation")
    with opened(engine) as revocation, served(revocation, without=["revocation sequencer"]) as service:
        made = revoked(service, wait=0.1)
        assert made["position"] is None  # durable, and honestly without a place
        assert revocation.revocations.find(made["id"]).first.reason == "admin"
    engine.dispose()


@pytest.mark.parametrize(
    ("method", "path", "refusals"),
    [
        ("post", "/v1/revocations", {400: "invalid_request", 409: "idempotency_conflict", 429: "capped"}),
        ("post", "/v1/revocations/{revocation_id}/lift", {404: "not_found", 409: "not_liftable"}),
        ("post", "/v1/verifiers", {403: "insufficient_scope", 409: "name_taken"}),
        ("delete", "/v1/sources/{iss}", {404: "not_found"}),
        ("post", "/v1/facts", {409: "position_conflict", 422: "unreadable_fact"}),
        ("get", "/v1/snapshots/{position}", {401: "not_authenticated", 404: "not_found", 503: "busy"}),
    ],
)
def test_the_description_names_what_is_refused(service: Served, method: str, path: str, refusals: dict[int, str]) -> None:
    """As problem+json; and nowhere the framework's own 422."""
    paths = service.http.get("/openapi.json").json()["paths"]
    responses = paths[path][method]["responses"]
    for status, code in refusals.items():
        assert f"`{code}`" in responses[str(status)]["description"]
        assert list(responses[str(status)]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in str(paths)
