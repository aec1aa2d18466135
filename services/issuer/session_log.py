"""Reading the session log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventlog.port import Recorded
from rescind.position import Position
from services.issuer.contexts import LogQuery
from services.issuer.views import LogPage


class SessionLog:
    """The log for people and programs that may read it."""

    def read(self, query: LogQuery, *, with_personal_for: str | None) -> LogPage:
        """A page in position order. `with_personal_for`: who reads the decrypted personal part (audited); None: nobody.

        InvalidRequest for a position or an event type that is none.
        """
        raise NotImplementedError

    def records(self, after: Position, *, limit: int) -> Sequence[Recorded]:
        """Rows as they stand in the log, still sealed (/v1/log/records)."""
        raise NotImplementedError

    def subject_keys(self, subject_ids: Sequence[str], *, by: str) -> Mapping[str, bytes]:
        """The data keys of these log subjects, audited (/v1/subject-keys); forgotten and unknown ones are missing."""
        raise NotImplementedError
