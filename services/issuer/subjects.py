"""Subjects: the accounts."""

from __future__ import annotations

from collections.abc import Sequence

from services.issuer.contexts import RequestContext
from services.issuer.views import Subject


class Subjects:
    """The use cases of accounts. Every method may raise EventLogError (answer: retry)."""

    def create(self, username: str, password: str, scopes: Sequence[str], *, by: str) -> Subject:
        """Make an account of our own. InvalidRequest, Conflict."""
        raise NotImplementedError

    def find(self, sub: str) -> Subject:
        """Look up by the platform's name. NotFound."""
        raise NotImplementedError

    def set_scopes(self, sub: str, scopes: Sequence[str], *, by: str) -> Subject:
        """Change the scopes; tokens with the old ones are refused everywhere, sessions live. NotFound, InvalidRequest."""
        raise NotImplementedError

    def disable(self, sub: str, *, by: str) -> None:
        """End all sessions and refuse sign-ins; again is the same. NotFound."""
        raise NotImplementedError

    def enable(self, sub: str, *, by: str) -> None:
        """Allow sign-ins again. NotFound."""
        raise NotImplementedError

    def set_password(self, sub: str, password: str, *, by: str) -> None:
        """Set a new password and end all sessions. NotFound, InvalidRequest."""
        raise NotImplementedError

    def change_password(
        self, subject_id: str, old: str, new: str, *, current_sid: str | None, context: RequestContext
    ) -> None:
        """Change one's own password; all other sessions end (all, by setting). WrongPassword, InvalidRequest, Conflict."""
        raise NotImplementedError

    def forget(self, sub: str, *, by: str) -> None:
        """End everything and delete the key of the personal data; the name cannot be found afterwards. NotFound."""
        raise NotImplementedError
