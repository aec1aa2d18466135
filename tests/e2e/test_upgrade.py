"""Two versions side by side: the next one adds to the tables and writes an event that this one does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from e2e.test_story import fresh_database
from kit.balancer import balancer
from kit.cluster import Cluster, Role, cluster
from kit.installation import PASSWORD, Installation, Pair
from kit.load import Load, working
from kit.versions import NEW_EVENT, SKIPPING, Version
from kit.waiting import until
from kit.witness import Witness, witness

from demo.joining import add_verifier
from rescind import Claims, Denied
from rescind.errors import Denial
from rescind.freshness import boot_clock

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(600)]
_WAIT_S = 90.0
_ADDED = 'op.add_column("{table}", sa.Column("added", sa.Text())); op.create_table("added", sa.Column("id", sa.Text()))'
_NEEDED = (
    'op.add_column("sessions", sa.Column("needed", sa.Text(), nullable=False, server_default="x")); '
    'op.alter_column("sessions", "needed", server_default=None)'
)


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The next version."""
    added = {room: _ADDED.format(table=table) for room, table in {"issuer": "sessions", "revocation": "sources"}.items()}
    return Version(tmp_path_factory.mktemp("next"), NEW_EVENT, added).write()


@pytest.fixture
def made(tmp_path: Path, postgres_url: str, kafka_bootstrap: str) -> Iterator[Cluster]:
    """Two of each, to be started."""
    with fresh_database(postgres_url) as database, cluster(tmp_path, database=database, kafka=kafka_bootstrap, each=2) as pair:
        pair.bootstrap()
        pair.topics()
        yield pair


@contextmanager
def watching(made: Cluster, feed: str) -> Iterator[Witness]:
    with witness(made.iss, feed, add_verifier(made.stage(), "witness")) as seen:
        until(lambda: seen.verifier.ready, timeout=_WAIT_S)
        seen.anew()
        yield seen


def put_in_place(made: Cluster, role: Role) -> Role:
    """Instead of the process of this name that runs: SIGTERM, and then the other."""
    made.roles[role.name].stop()
    made.roles[role.name] = role
    role.start()
    return role


def test_an_upgrade_in_order_interrupts_nobody(made: Cluster, following: Version) -> None:
    """The tables first, while the old version works on them; then one process after the other, readers first."""
    order = ["revocation-1", "revocation-2", "anomaly-1", "relay-1", "relay-2", "issuer-1", "issuer-2"]
    made.start(*order)
    for name in order:
        made.roles[name].await_ready()
    with (
        balancer(*(role.url for role in made.of("issuer"))) as issuers,
        balancer(*(role.url for role in made.of("revocation"))) as revocations,
        watching(made, revocations.url) as seen,
    ):
        load = Load(issuers.url, revocations.url, made.admin(), seen.end, patient=True)
        with working(load, people=2):
            until(lambda: load.cycles >= 3, timeout=_WAIT_S)
            done = following.bootstrap(made)
            assert done.returncode == 0, done.stderr
            put_in_place(made, made.roles["issuer-2"]).await_ready()  # the old one once more, on the new tables
            for name in order:
                put_in_place(made, following.of(made.roles[name])).await_ready()
                until(lambda before=load.cycles: load.cycles > before + 1, timeout=_WAIT_S)  # type: ignore[misc]
        until(lambda: seen.open == 0, timeout=_WAIT_S)
        assert load.failures == []
        assert (seen.stale, seen.wrong) == ([], [])
    assert {"session.revoked.v1", "session.revoked.v2"} <= types_of(made), "both versions have written"


def types_of(made: Cluster) -> set[str]:
    """Of what the issuer's log has."""
    found: set[str] = set()
    after = "0.0"
    with httpx.Client(base_url=made.of("issuer")[1].url, headers=made.admin(), timeout=15) as http:
        while rows := http.get("/v1/log/records", params={"after": after, "limit": 1000}).raise_for_status().json()["records"]:
            found |= {row["type"] for row in rows}
            after = rows[-1]["position"]
    return found


def test_what_is_not_known_stops_who_has_to_read_it_until_it_is_upgraded(
    made: Cluster, following: Version, tmp_path: Path
) -> None:
    """In the wrong order, the issuer first. Control: a version that passes by what it does not know loses a revocation."""
    skipping = Version(tmp_path / "skipping", SKIPPING).write()
    ours = {name: made.roles[name] for name in ("relay-1", "revocation-1", "anomaly-1")}
    assert following.bootstrap(made).returncode == 0
    for role in (following.of(made.roles["issuer-1"]), skipping.of(ours["relay-1"]), skipping.of(ours["revocation-1"])):
        put_in_place(made, role)
    put_in_place(made, ours["anomaly-1"])
    for name in ("issuer-1", "relay-1", "revocation-1"):
        made.roles[name].await_ready()
    with (
        watching(made, made.of("revocation")[0].url) as seen,
        httpx.Client(base_url=made.iss, timeout=15) as http,
    ):
        people = Installation(http, made.admin())
        people.account()
        lost, halted, alive = (people.sign_in() for _ in range(3))

        end(people, lost, seen)
        until(lambda: bool(seen.wrong), timeout=_WAIT_S)  # the control: it is accepted, by a list that claims to be complete
        seen.ended.clear()
        seen.wrong.clear()

        for name in ("relay-1", "revocation-1"):
            put_in_place(made, ours[name]).await_ready()
        until(lambda: seen.verifier.ready, timeout=_WAIT_S)
        end(people, halted, seen)
        until(lambda: "Update this service" in missing(ours["revocation-1"], "revocation: facts of"), timeout=_WAIT_S)
        until(lambda: "UnknownEventType" in missing(ours["anomaly-1"], "anomaly: sessions"), timeout=_WAIT_S)
        until(lambda: not seen.verifier.ready, timeout=_WAIT_S)
        assert [reason(seen, each) for each in (halted, alive)] == [Denial.STALE] * 2

        for name in ("revocation-1", "anomaly-1"):
            put_in_place(made, following.of(ours[name])).await_ready()
        until(lambda: seen.open == 0, timeout=_WAIT_S)
        until(lambda: reason(seen, alive) is None, timeout=_WAIT_S)
        assert reason(seen, halted) is Denial.SESSION_REVOKED
        assert seen.wrong == []


def end(people: Installation, pair: Pair, seen: Witness) -> None:
    people.log_out(pair)
    seen.end(pair.access, boot_clock())


def missing(role: Role, line: str) -> str:
    return " ".join(words for name, words in (role.missing() or {}).items() if name.startswith(line))


def reason(seen: Witness, pair: Pair) -> Denial | None:
    answer = seen.verifier.verify(pair.access)
    assert isinstance(answer, Claims | Denied)
    return answer.reason if isinstance(answer, Denied) else None


def test_control_a_migration_that_takes_something_away_is_seen(made: Cluster, tmp_path: Path) -> None:
    """The old version cannot fill what it does not know: the first test above would find that."""
    issuer = made.roles["issuer-1"]
    put_in_place(made, issuer).await_ready()
    with httpx.Client(base_url=issuer.url, timeout=15) as http:
        people = Installation(http, made.admin())
        people.account()
        people.sign_in()
        assert Version(tmp_path / "breaking", migrations={"issuer": _NEEDED}).write().bootstrap(made).returncode == 0
        assert http.post("/api/token/", json={"username": "maya", "password": PASSWORD}).is_server_error
