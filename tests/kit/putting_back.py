"""One service's schema of PostgreSQL, kept as it is at one moment, and put back later: a restore from a backup."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, inspect, text


@dataclass(frozen=True)
class Backup:
    """`numbers`: the last value of each sequence, None for one that was not used."""

    database: str
    schema: str
    numbers: dict[str, int | None]

    @property
    def kept(self) -> str:
        return f"{self.schema}_kept"

    def put_back(self) -> None:
        """While the service does not run."""
        engine = create_engine(self.database)
        with engine.begin() as connection:
            tables = _tables(connection, self.schema)
            connection.execute(text("SET session_replication_role = replica"))  # rows in any order
            connection.execute(text(f"TRUNCATE {', '.join(f'{self.schema}.{each}' for each in tables)}"))
            for each in tables:
                copy = f"INSERT INTO {self.schema}.{each} OVERRIDING SYSTEM VALUE SELECT * FROM {self.kept}.{each}"  # noqa: S608  (names of our own)
                connection.execute(text(copy))
            for name, last in self.numbers.items():
                connection.execute(
                    text("SELECT setval(:name, :last, :used)"),
                    {"name": f"{self.schema}.{name}", "last": last or 1, "used": last is not None},
                )
        engine.dispose()


def back_up(database: str, schema: str) -> Backup:
    """In one transaction, while the service runs."""
    engine = create_engine(database, isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        wanted = text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = :schema")
        found = connection.execute(wanted, {"schema": schema}).all()
        backup = Backup(database, schema, {row.sequencename: row.last_value for row in found})
        connection.execute(text(f"DROP SCHEMA IF EXISTS {backup.kept} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {backup.kept}"))
        for each in _tables(connection, schema):
            connection.execute(text(f"CREATE TABLE {backup.kept}.{each} AS TABLE {schema}.{each}"))
    engine.dispose()
    return backup


def _tables(connection: Connection, schema: str) -> list[str]:
    return inspect(connection).get_table_names(schema)
