"""The migrations make what the code describes, once, from several processes, and beside another version."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, inspect, text

from services.anomaly.tables import anomaly_tables
from services.issuer.sql.tables import issuer_tables
from services.migrating import migrate, require_schema
from services.revocation.sql.tables import revocation_tables
from services.runtime import CannotStart


def described(room: str) -> MetaData:
    if room == "revocation":
        return revocation_tables().log.events.metadata
    metadata = MetaData()
    make: Callable[[MetaData], object] = issuer_tables if room == "issuer" else anomaly_tables
    make(metadata)
    return metadata


def differences(engine: Engine, metadata: MetaData) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


@pytest.mark.parametrize("room", ["issuer", "revocation", "anomaly"])
def test_the_migrations_make_what_the_code_describes(engine: Engine, room: str) -> None:
    with pytest.raises(CannotStart, match="run bootstrap"):
        require_schema(engine, room)
    migrate(engine, room)
    migrate(engine, room)
    require_schema(engine, room)
    metadata = described(room)
    assert differences(engine, metadata) == []
    Table("more", metadata, Column("one", Integer, primary_key=True))  # the control: a difference is seen
    assert differences(engine, metadata)


def test_processes_that_start_together_make_it_once(engine: Engine) -> None:
    failed: list[Exception] = []

    def work() -> None:
        try:
            migrate(engine, "issuer")
        except Exception as error:  # noqa: BLE001  (it is looked at below)
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    require_schema(engine, "issuer")


def test_a_schema_that_a_newer_version_has_left_serves(engine: Engine) -> None:
    migrate(engine, "issuer")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate(engine, "issuer")
    require_schema(engine, "issuer")
    assert inspect(engine).has_table("events")
