"""Why the issuer refuses.

IssuerError
├── InvalidToken          rubbish, wrong type, wrong issuer, unknown, superseded or expired
├── SessionEnded          the session is over for good
├── SessionSuspended      the session ended, but the revocation may still be lifted
├── StepUpRequired        the session is on hold until a step-up is passed
├── NoActiveAccount       wrong password, unknown name, disabled account: all the same
├── WrongPassword         the old password of a signed-in person is not right
├── Throttled             too many failures
├── InvalidRequest        fields that cannot be used, each with a sentence
├── InvalidScope          scopes beyond what the client has
├── UnsupportedTokenType  a token that belongs to no session cannot be revoked here (RFC 7009 section 2.2.1)
├── Forbidden             the caller may not do this
├── NotFound              no such thing, or not the caller's
└── Conflict              it exists already, or changed meanwhile

None of them carries a token, a password, a name or an address.
"""

from __future__ import annotations

from collections.abc import Mapping

TOKEN_REVOKED = "token_revoked"  # noqa: S105  (a reason's name, no secret)
TOKEN_OUTDATED = "token_outdated"  # noqa: S105  (a reason's name, no secret)


class IssuerError(Exception):
    """Root of the issuer's refusals."""


class InvalidToken(IssuerError):
    """`reason`: invalid, expired, or of an access token whose session lives: token_revoked, token_outdated."""

    def __init__(self, reason: str = "invalid") -> None:
        super().__init__(reason)
        self.reason = reason


class SessionEnded(IssuerError):
    """`why`: the revocation's reason, or "expired". `at`: milliseconds."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.why = why
        self.at = at


class SessionSuspended(IssuerError):
    """`why`: the revocation's reason. `at`: milliseconds. Nothing is to be cleared: it may be lifted."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.why = why
        self.at = at


class StepUpRequired(IssuerError):
    """`step_up_id`: the id of the revocation that holds the session. `at`: milliseconds."""

    def __init__(self, step_up_id: str, at: int = 0) -> None:
        super().__init__("step_up_required")
        self.step_up_id = step_up_id
        self.at = at


class NoActiveAccount(IssuerError):
    """Wrong password, unknown name and disabled account look alike."""


class WrongPassword(IssuerError):
    """The old password is not right."""


class Throttled(IssuerError):
    """`retry_after`: seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("throttled")
        self.retry_after = retry_after


class InvalidRequest(IssuerError):
    """`fields`: field name -> one sentence that says what to mend."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = dict(fields)


class InvalidScope(IssuerError):
    """Scopes beyond what the client has (RFC 6749 section 5.2)."""


class UnsupportedTokenType(IssuerError):
    """The token belongs to no session (RFC 7009 section 2.2.1)."""


class Forbidden(IssuerError):
    """The caller may not do this. The message is a sentence without names."""


class NotFound(IssuerError):
    """No such thing, or it is not the caller's."""


class Conflict(IssuerError):
    """It exists already, or it changed meanwhile."""
