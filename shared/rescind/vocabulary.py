"""The closed words of revocation that issuer, revocation service and verifiers share: targets, effects, reasons."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class TargetType(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105  (a target's name, no secret)
    SUBJECT = "subject"
    CLIENT = "client"
    KEY = "key"
    ISSUER = "issuer"


class Effect(StrEnum):
    """What happens to the tokens of a target, the strictest first."""

    END = "end"
    HOLD = "hold"
    REFRESH = "refresh"


class Reason(StrEnum):
    """Why a session ended or was held."""

    LOGOUT = "logout"
    SIGNED_OUT_ELSEWHERE = "signed_out_elsewhere"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  (a reason's name, no secret)
    SUBJECT_DISABLED = "subject_disabled"
    SUBJECT_FORGOTTEN = "subject_forgotten"
    SESSION_LIMIT = "session_limit"
    REFRESH_REUSE = "refresh_reuse"
    BINDING_MISMATCH = "binding_mismatch"
    CLAIMS_CHANGED = "claims_changed"
    STEP_UP_FAILED = "step_up_failed"
    ADMIN = "admin"
    COMPROMISED = "compromised"
    ANOMALY = "anomaly"


LIFTABLE = frozenset({Reason.ADMIN, Reason.COMPROMISED, Reason.ANOMALY})
"""The reasons that a caller may give from outside, and the only ones that can be lifted."""


@dataclass(frozen=True, slots=True)
class Target:
    """A revocation's target, as the list names it.

    `iss` is the issuer whose tokens are meant. `id` is the sid, jti, subject name (see `subject_name`), client_id or kid; for
    an issuer it is the `iss` itself. `sn` is a session's number where it is known, else -1.
    """

    type: TargetType
    iss: str
    id: str
    sn: int = -1


def subject_name(iss: str, sub: str) -> str:
    """Name a subject in the list without naming the account: SHA-256 over (iss, sub), truncated to 128 bits, in hex."""
    return hashlib.sha256(f"{len(iss)}:{iss}{sub}".encode()).hexdigest()[:32]
