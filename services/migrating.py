"""The tables of each room, by Alembic: a folder of migrations a room, applied under the schema's lock.

Two versions run side by side during an upgrade: a migration only adds what the older version does not mind.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from eventlog.sql.engine import lock, read_connection, write_connection
from services.runtime import CannotStart

_ROOMS = Path(__file__).parent


def migrate(engine: Engine, room: str) -> None:
    """Bring a room's schema up to this version; one of several processes does it. StoreUnavailable."""
    script = _script(room)
    with write_connection(engine) as connection:
        lock(connection, "schema")
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # an index may take long; nobody waits for its lock
        if not set(_at(connection)) <= {each.revision for each in script.walk_revisions()}:
            return  # a newer version was here: its schema serves this one, too

        def steps(found: Any, _: MigrationContext) -> Any:
            return script._upgrade_revs("head", found)  # noqa: SLF001  (what Alembic's own command does)

        with EnvironmentContext(Config(), script, fn=steps) as environment:
            environment.configure(connection=connection)
            environment.run_migrations()


def require_schema(engine: Engine, room: str) -> None:
    """CannotStart until bootstrap has brought the room's schema up to this version, or beyond it."""
    script = _script(room)
    known = {each.revision for each in script.walk_revisions()}
    with read_connection(engine) as connection:
        at = _at(connection)
    if not at:
        raise CannotStart("The tables are not made yet: run bootstrap.")
    if set(at) <= known and set(at) != set(script.get_heads()):
        raise CannotStart("The tables are of an older version: run bootstrap.")


def _at(connection: Connection) -> Sequence[str]:
    return MigrationContext.configure(connection).get_current_heads()


def _script(room: str) -> ScriptDirectory:
    return ScriptDirectory(str(_ROOMS / room / "migrations"))
