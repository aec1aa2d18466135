from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from contract.event_log_contract import event
from sqlalchemy import Connection, Engine, MetaData, create_engine, exc, text
from sqlalchemy import event as hooks

from eventlog.errors import Contention, StoreUnavailable, UnknownOutcome
from eventlog.sql.engine import open_engine, read_connection, write_connection
from eventlog.sql.log import SqlLog
from eventlog.sql.tables import log_tables

READ = text("SELECT n FROM counter")
SET = text("UPDATE counter SET n = :n")


def transact(engine: Engine, *statements: str) -> None:
    with write_connection(engine) as connection:
        for each in statements:
            connection.execute(text(each))


def make_counter(engine: Engine) -> None:
    transact(engine, "CREATE TABLE counter (n integer)", "INSERT INTO counter VALUES (0)")


def read_counter(engine: Engine) -> int:
    with read_connection(engine) as connection:
        return int(connection.execute(READ).scalar_one())


def test_what_fails_leaves_nothing(engine: Engine) -> None:
    make_counter(engine)

    with suppress(ZeroDivisionError), write_connection(engine) as connection:
        connection.execute(SET, {"n": 1})
        raise ZeroDivisionError

    assert read_counter(engine) == 0


def test_a_reader_keeps_its_snapshot(engine: Engine) -> None:
    make_counter(engine)

    with read_connection(engine) as reading:
        before = reading.execute(READ).scalar_one()
        with write_connection(engine) as writing:
            writing.execute(SET, {"n": 1})
        again = reading.execute(READ).scalar_one()

    assert (before, again, read_counter(engine)) == (0, 0, 1)


def drivers_default(engine: Engine) -> Engine:
    return create_engine(engine.url)


@pytest.mark.parametrize("broken", [False, True], ids=["ours", "control: the driver's default"])
def test_two_writers_on_sqlite_never_decide_on_one_state(sqlite_engine: Engine, *, broken: bool) -> None:
    make_counter(sqlite_engine)
    engine = drivers_default(sqlite_engine) if broken else sqlite_engine
    both = threading.Barrier(2)

    def count(_: int) -> None:
        with engine.begin() as connection:
            n = connection.execute(READ).scalar_one()
            with suppress(threading.BrokenBarrierError):
                both.wait(timeout=0.3)
            connection.execute(SET, {"n": n + 1})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, range(2)))
    if broken:
        engine.dispose()

    assert read_counter(sqlite_engine) == (1 if broken else 2)


@pytest.fixture
def impatient(sqlite_engine: Engine) -> Engine:
    hooks.listen(sqlite_engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
    sqlite_engine.dispose()
    return sqlite_engine


def test_a_file_that_another_process_holds_is_unavailable_to_writers(impatient: Engine) -> None:
    make_counter(impatient)
    elsewhere = open_engine(str(impatient.url), schema="test")

    with write_connection(elsewhere):
        with pytest.raises(StoreUnavailable, match="locked"):
            transact(impatient)
        assert read_counter(impatient) == 0  # readers are not kept waiting
    transact(impatient, "UPDATE counter SET n = 1")
    elsewhere.dispose()

    assert read_counter(impatient) == 1


def test_a_full_disk_is_unavailable_and_leaves_the_log_whole(sqlite_engine: Engine) -> None:
    log = SqlLog(sqlite_engine, log_tables(MetaData()), name="test")
    log.create()
    log.append("a", [event("1")], expected_version=0)
    hooks.listen(log.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
    log.engine.dispose()

    with pytest.raises(StoreUnavailable, match="full"):
        log.append("a", [event("2", data=b"x" * 1_000_000)], expected_version=1)

    assert len(log.read_stream("a")) == 1


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be looked at" * 20, None], ids=["rubbish", "folder"]
)
def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    with pytest.raises(StoreUnavailable) as refused:
        open_engine(f"sqlite:///{path}", schema="test")

    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "schema"),
    [
        ("sqlite://", "test"),
        ("sqlite:///:memory:", "test"),
        ("mysql://localhost/x", "test"),
        ("postgresql://localhost/x", "test"),
        ("sqlite:///x.db", "Test; DROP"),
    ],
)
def test_other_databases_are_refused(url: str, schema: str) -> None:
    with pytest.raises(ValueError, match=r"schema|database"):
        open_engine(url, schema=schema)


def test_a_refused_connection_is_unavailable_and_tells_no_secret() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        with pytest.raises(StoreUnavailable) as refused:
            open_engine(f"postgresql+psycopg://alice:hush-hush@127.0.0.1:{port}/x", schema="test")

    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert not {"alice", "hush-hush", str(port)} & set(str(refused.value).split())


def test_violated_constraints_and_our_own_mistakes_pass_through(engine: Engine) -> None:
    with pytest.raises(exc.IntegrityError):
        transact(engine, "CREATE TABLE one (n integer PRIMARY KEY)", "INSERT INTO one VALUES (1), (1)")
    with pytest.raises((exc.ProgrammingError, exc.OperationalError)):
        transact(engine, "SELECT * FROM nowhere")


def test_an_error_shows_no_parameters(engine: Engine) -> None:
    with pytest.raises(exc.DBAPIError) as failed, write_connection(engine) as connection:
        connection.execute(text("SELECT :secret FROM nowhere"), {"secret": "hush-hush"})

    assert "hush-hush" not in str(failed.value)


def kill(engine: Engine, victim: int) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:victim, 5000)"), {"victim": victim})


def backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


@pytest.mark.postgres
def test_a_connection_lost_before_the_commit_wrote_nothing(postgres_engine: Engine) -> None:
    make_counter(postgres_engine)

    def die() -> None:
        with write_connection(postgres_engine) as connection:
            connection.execute(SET, {"n": 1})
            kill(postgres_engine, backend(connection))
            connection.execute(SET, {"n": 2})

    with pytest.raises(StoreUnavailable):
        die()

    assert read_counter(postgres_engine) == 0


@pytest.mark.postgres
def test_a_connection_lost_at_the_commit_is_an_unknown_outcome(postgres_engine: Engine) -> None:
    make_counter(postgres_engine)
    killer = create_engine(postgres_engine.url)

    def lose(connection: Connection) -> None:
        kill(killer, connection.connection.dbapi_connection.info.backend_pid)  # type: ignore[union-attr]

    hooks.listen(postgres_engine, "commit", lose)
    with pytest.raises(UnknownOutcome), write_connection(postgres_engine) as connection:
        connection.execute(SET, {"n": 1})
    hooks.remove(postgres_engine, "commit", lose)
    killer.dispose()

    assert read_counter(postgres_engine) == 0  # and the pool has thrown the dead connection away


@pytest.mark.postgres
def test_idle_connections_that_died_are_replaced(postgres_engine: Engine) -> None:
    make_counter(postgres_engine)
    killer = create_engine(postgres_engine.url)
    with postgres_engine.connect() as connection:
        victim = backend(connection)
    kill(killer, victim)
    killer.dispose()

    assert read_counter(postgres_engine) == 0


@pytest.mark.postgres
def test_a_constraint_that_fails_at_the_commit_is_no_unknown_outcome(postgres_engine: Engine) -> None:
    with pytest.raises(exc.IntegrityError):
        transact(
            postgres_engine,
            "CREATE TABLE one (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO one VALUES (1), (1)",
        )


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("setting", "statement"),
    [
        ("statement_timeout", "SELECT pg_sleep(10)"),
        ("lock_timeout", "LOCK TABLE counter"),
    ],
)
def test_what_takes_too_long_is_unavailable(postgres_engine: Engine, setting: str, statement: str) -> None:
    make_counter(postgres_engine)

    with write_connection(postgres_engine) as holder:
        holder.execute(text("LOCK TABLE counter"))
        with pytest.raises(StoreUnavailable) as refused:
            transact(postgres_engine, f"SET LOCAL {setting} = 20", statement)

    assert type(refused.value) is StoreUnavailable


@pytest.mark.postgres
def test_the_loser_of_a_deadlock_may_try_again(postgres_engine: Engine) -> None:
    transact(
        postgres_engine,
        "CREATE TABLE pair (id integer PRIMARY KEY, n integer)",
        "INSERT INTO pair VALUES (0, 0), (1, 0)",
    )
    both = threading.Barrier(2)

    def cross(first: int) -> type[Exception] | None:
        try:
            with write_connection(postgres_engine) as connection:
                connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": first})
                both.wait()
                connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": 1 - first})
        except StoreUnavailable as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(cross, range(2))) == {None, Contention}


@pytest.mark.postgres
def test_an_exhausted_pool_is_unavailable(postgres_url: str) -> None:
    engine = open_engine(postgres_url, schema="test", pool=1)
    engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    engine.pool._max_overflow = 0  # type: ignore[attr-defined]

    with read_connection(engine), pytest.raises(StoreUnavailable, match="in use"), read_connection(engine):
        pass
    engine.dispose()


@pytest.mark.parametrize("nth", range(3))
def test_processes_may_open_a_new_store_together(tmp_path: Path, nth: int) -> None:
    del nth

    def start(_: int) -> None:
        engine = open_engine(f"sqlite:///{tmp_path}/log.db", schema="test")
        log = SqlLog(engine, log_tables(MetaData()), name="test")
        log.create()
        engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, range(6)))


@pytest.mark.postgres
def test_processes_may_open_a_new_schema_together(postgres_database: str) -> None:
    def start(_: int) -> None:
        engine = open_engine(postgres_database, schema="test")
        log = SqlLog(engine, log_tables(MetaData()), name="test")
        log.create()
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
