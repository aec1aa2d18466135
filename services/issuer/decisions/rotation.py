"""What a presented refresh token is: the current one, its parent, or a copy. Pure.

The rule (architecture 4.8), with the decision about clients that ignore new tokens:

- The current token rotates: its child becomes current.
- The direct parent, while its child was never presented and from the device that presented it first, is answered with the same
  child any number of times. After the race window, or from a network known to be another, the answer is *late*.
- Lateness is counted by generation, not by request: a parent that comes late a hundred times while its child stays
  unused is one late generation. So a client that for ever presents its first token (it loses or ignores every answer) keeps
  working until that token expires, while an owner and a thief who take turns with copies must move on through late
  generations, and are caught at the third in a row. A generation without a late replay starts the count anew.
- A parent from another device, a parent whose child was used, and everything older are reuse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

_GRANDPARENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The current refresh token, from which it is derived again byte for byte, and how its parent behaved.

    `iat`, `exp` are seconds, `at` (when it was made) milliseconds. `late`: its parent came late. `late_run`: so many
    generations in a row before it had a late parent.
    """

    generation: int
    iat: int
    exp: int
    kid: str
    at: int
    late: bool = False
    late_run: int = 0


class Kind(StrEnum):
    """What to do with a presented token."""

    ROTATE = "rotate"
    REPLAY = "replay"
    LATE_REPLAY = "late_replay"
    REUSE = "reuse"
    UNKNOWN = "unknown"  # a generation that we never made: our database is older than the token


@dataclass(frozen=True, slots=True)
class Classified:
    """`cause` of a reuse: child_used, other_device, late, older."""

    kind: Kind
    cause: str = ""


def classify(
    rotation: Rotation,
    presented: int,
    *,
    now: int,
    same_device: bool,
    other_network: bool,
    race_window: int,
    late_replays: int,
) -> Classified:
    """Judge generation `presented`. `now` and `race_window` in milliseconds; device and network compared with the rotation's."""
    match rotation.generation - presented:
        case 0:
            return Classified(Kind.ROTATE)
        case 1 if not same_device:
            return Classified(Kind.REUSE, "other_device")
        case 1 if now <= rotation.at + race_window and not other_network:
            return Classified(Kind.REPLAY)
        case 1:
            return _late(rotation, late_replays)
        case behind if behind < 0:
            return Classified(Kind.UNKNOWN)
        case behind:
            return Classified(Kind.REUSE, "child_used" if behind == _GRANDPARENT else "older")


def _late(rotation: Rotation, late_replays: int) -> Classified:
    """A generation is late once, however often its parent comes; so many late ones in a row are forgiven."""
    if rotation.late_run < late_replays:
        return Classified(Kind.LATE_REPLAY)
    return Classified(Kind.REUSE, "late")


def advanced(rotation: Rotation, *, exp: int, kid: str, now: int) -> Rotation:
    """The child: `exp` in seconds, `now` in milliseconds."""
    return Rotation(
        generation=rotation.generation + 1,
        iat=now // 1000,
        exp=exp,
        kid=kid,
        at=now,
        late_run=rotation.late_run + 1 if rotation.late else 0,
    )


def marked_late(rotation: Rotation) -> Rotation:
    """The current token's parent came late."""
    return replace(rotation, late=True)
