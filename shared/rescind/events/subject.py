"""What happens to one account. `name` is the subject's name in the revocation list (`vocabulary.subject_name`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCreated:
    """An account was made, or first named by a bring-your-own login (`client_id`)."""

    wire: ClassVar[str] = "subject.created.v1"
    name: str
    client_id: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDisabled:
    """The account may not sign in."""

    wire: ClassVar[str] = "subject.disabled.v1"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEnabled:
    """The account may sign in again."""

    wire: ClassVar[str] = "subject.enabled.v1"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectScopesChanged:
    """The account's scopes changed: tokens with a claims version below `cv` are refused, sessions live on.

    `answers`: this is the issuer's part of a `refresh` revocation from outside (scopes as before, `cv` raised).
    """

    wire: ClassVar[str] = "subject.scopes_changed.v1"
    revocation_id: str
    name: str
    scope: str
    cv: int
    by: str
    answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged:
    """A new password stands; which sessions end is said by the SubjectRevoked beside it."""

    wire: ClassVar[str] = "subject.password_changed.v1"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRevoked:
    """Every session of the subject with `sn` <= this one ended or is held, but for `except_sn` (-1: none)."""

    wire: ClassVar[str] = "subject.revoked.v1"
    revocation_id: str
    name: str
    sn: int
    except_sn: int
    effect: str
    reason: str
    by: str
    answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReinstated:
    """A revocation of this subject was lifted."""

    wire: ClassVar[str] = "subject.reinstated.v1"
    revocation_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectForgotten:
    """The subject's key is gone, and with it all that stood in `personal`."""

    wire: ClassVar[str] = "subject.forgotten.v1"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFailed:
    """A sign-in failed. `cause`: wrong_password, unknown, disabled. Without a subject, `name_mac` is an HMAC of the name."""

    wire: ClassVar[str] = "login.failed.v1"
    cause: str
    name_mac: str = ""


SUBJECT_EVENTS = (
    SubjectCreated,
    SubjectDisabled,
    SubjectEnabled,
    SubjectScopesChanged,
    PasswordChanged,
    SubjectRevoked,
    SubjectReinstated,
    SubjectForgotten,
    LoginFailed,
)
