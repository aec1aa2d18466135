"""Sessions: begin, rotate, look at, end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from services.issuer.contexts import Login, RequestContext, StartSession
from services.issuer.views import Client, Pair, SessionView


class Sessions:
    """The use cases of sessions. Every method may raise EventLogError (answer: retry)."""

    def sign_in(self, login: Login, context: RequestContext) -> Pair:
        """Check name and password and begin a session. NoActiveAccount."""
        raise NotImplementedError

    def start(self, client: Client, start: StartSession, context: RequestContext) -> Pair:
        """Begin a session for a subject that `client` authenticated. Forbidden, InvalidRequest, InvalidScope."""
        raise NotImplementedError

    def refresh(self, token: str, context: RequestContext, *, client_id: str = "") -> Future[Pair]:
        """Exchange a refresh token. The future fails with InvalidToken, SessionEnded, SessionSuspended, StepUpRequired.

        `client_id` "" skips the check that the session belongs to that client.
        """
        raise NotImplementedError

    def verify(self, token: str) -> None:
        """Return when the token (of either kind) would be accepted now. Errors as for `refresh`."""
        raise NotImplementedError

    def logout(self, token: str) -> None:
        """End the session of a genuine unexpired token of either kind, whatever its state. InvalidToken."""
        raise NotImplementedError

    def revoke(self, token: str, client: Client) -> None:
        """RFC 7009: end the token's session; unknown tokens are no error. Forbidden, UnsupportedTokenType."""
        raise NotImplementedError

    def introspect(self, token: str, client: Client) -> Mapping[str, object] | None:
        """RFC 7662: the members of an active token; None when it is not active or not this client's business."""
        raise NotImplementedError

    def of_subject(self, subject_id: str) -> Sequence[SessionView]:
        """Living sessions, the newest first."""
        raise NotImplementedError

    def end(self, subject_id: str, sid: str, *, by: str) -> None:
        """End one session of this subject. NotFound."""
        raise NotImplementedError

    def end_many(self, subject_id: str, *, keep_sid: str | None, by: str) -> int:
        """End all sessions but `keep_sid` and say how many ended."""
        raise NotImplementedError

    def rename(self, subject_id: str, sid: str, name: str) -> None:
        """Name the session's device. NotFound, InvalidRequest."""
        raise NotImplementedError

    def change_claims(
        self, client: Client, sid: str, scopes: Sequence[str] | None, claims: Mapping[str, object] | None
    ) -> None:
        """Change what the session's tokens say; the old ones die at once. NotFound, InvalidRequest, InvalidScope."""
        raise NotImplementedError
