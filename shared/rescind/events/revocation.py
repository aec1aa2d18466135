"""The facts of the revocation log, which is the log of the list. Times are milliseconds unless a name says otherwise.

A target is written as `vocabulary.Target`: `target_type`, `iss`, `target_id` (sid, jti, subject name, client_id, kid, or the
`iss` itself) and `sn` (a session's number where it is known, else -1). What it covers:

`cut_sn`, `cut_except`  sessions with a number <= `cut_sn` but for `cut_except`; set by an issuer
`cut_auth_time`         what was authenticated at or before this second; set from outside
`cv`, `iat`             effect `refresh`: the least claims version accepted; until the issuer names one, the last second refused

-1 means: not so. A target of type session, token or key is meant as a whole and has none of them (but for `refresh`).
A hold's step-up goes by the id of its revocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationMade:
    """Somebody revoked a target. `at` is the author's clock; the log's own time of this record is its arrival here."""

    wire: ClassVar[str] = "revocation.made.v1"
    revocation_id: str
    target_type: str
    iss: str
    target_id: str
    sn: int = -1
    effect: str
    reason: str
    by: str  # as in the session log where it comes from there, else "client:ID", or "session:SID" for a person
    at: int
    cut_sn: int = -1
    cut_except: int = -1
    cut_auth_time: int = -1  # seconds
    cv: int = -1
    iat: int = -1  # seconds
    note: str = ""
    liftable: bool = False
    automated: bool = False
    awaited: bool = False  # somebody waits for the verifiers' acknowledgements


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationExtended:
    """The issuer's part of a revocation that came from outside: the same end, hold or refresh, in the issuer's own numbers.

    It stands by itself: after a loss it may be all that is left of the revocation.
    """

    wire: ClassVar[str] = "revocation.extended.v1"
    revocation_id: str
    target_type: str
    iss: str
    target_id: str
    sn: int = -1
    effect: str
    reason: str
    by: str
    at: int
    cut_sn: int = -1
    cut_except: int = -1
    cv: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationLifted:
    """A revocation was undone, with all its parts, also those still to come."""

    wire: ClassVar[str] = "revocation.lifted.v1"
    revocation_id: str
    iss: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonMoved:
    """What `iss` had applied by this position of the revocation log concerns no living token any more: the list drops it.

    What the issuer itself revoked at or before `time` (its clock) and arrives later is not listed at all.
    """

    wire: ClassVar[str] = "list.horizon_moved.v1"
    iss: str
    epoch: int
    seq: int
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAdded:
    """Tokens of `iss` are judged by this list.

    `own`: its log is followed, by what the OAuth client `client_id` sends. Another issuer sends nothing, and its sessions live
    for `max_session_life` seconds at most.
    """

    wire: ClassVar[str] = "source.added.v1"
    iss: str
    own: bool
    client_id: str
    max_session_life: int
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRemoved:
    """Everything of `iss` has ended; until it is added again, all of it is refused."""

    wire: ClassVar[str] = "source.removed.v1"
    iss: str
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationCapped:
    """Automated revocations were refused. `cap`: per_minute or share; written once a minute at most."""

    wire: ClassVar[str] = "automation.capped.v1"
    by: str
    cap: str
    limit: int
    at: int


Fact = RevocationMade | RevocationExtended | RevocationLifted | HorizonMoved | SourceAdded | SourceRemoved | AutomationCapped

REVOCATION_EVENTS = (
    RevocationMade,
    RevocationExtended,
    RevocationLifted,
    HorizonMoved,
    SourceAdded,
    SourceRemoved,
    AutomationCapped,
)
