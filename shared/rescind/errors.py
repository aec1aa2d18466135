"""Why a token is refused, and what is raised when the feed speaks nonsense."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Denial(StrEnum):
    """The closed list of reasons; metrics and `WWW-Authenticate` name them."""

    MALFORMED = "malformed"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    UNKNOWN_KEY = "unknown_key"
    WRONG_TYPE = "wrong_type"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    INVALID_CLAIMS = "invalid_claims"
    SESSION_REVOKED = "session_revoked"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  (a reason's name, no secret)
    TOKEN_OUTDATED = "token_outdated"  # noqa: S105  (a reason's name, no secret)
    STEP_UP_REQUIRED = "step_up_required"
    KEY_REVOKED = "key_revoked"
    STALE = "stale"
    NOT_READY = "not_ready"
    INSUFFICIENT_SCOPE = "insufficient_scope"


@dataclass(frozen=True, slots=True)
class Denied:
    """A refusal. `detail` is a sentence for people; it holds nothing from the token. `step_up_id` names the way out of a hold."""

    reason: Denial
    detail: str
    step_up_id: str = ""


class InvalidFeed(ValueError):
    """A change or a snapshot is not what docs/protocol.md says. Fail closed: drop it and resynchronise."""
