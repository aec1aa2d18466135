"""The JSON form of a change of the revocation list (docs/protocol.md), both ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from rescind.errors import InvalidFeed
from rescind.verdicts import ALWAYS, Change, Cut, Verdict
from rescind.vocabulary import Target, TargetType

_MAX = 2**63 - 1
_MAY_BE_EMPTY = {"reason", "step_up_id"}
_TARGETS = {target.value: target for target in TargetType}


def encode_change(change: Change) -> dict[str, object]:
    """Write a change. A session whose number is known goes by `sn` alone, everything else by `id`."""
    target, verdict = change.target, change.verdict
    name: dict[str, object] = {"sn": target.sn} if target.sn >= 0 else {"id": target.id}
    return {
        "target": target.type.value,
        "iss": target.iss,
        **name,
        "verdict": None if verdict is None else _encode_verdict(verdict),
    }


def decode_change(data: object) -> Change:
    """Read a change; InvalidFeed for anything else, unknown members too (an unknown member could make it stricter)."""
    members = _members(data, {"target", "iss", "id", "sn", "verdict"})
    if ("id" in members) == ("sn" in members) or "verdict" not in members:
        raise InvalidFeed("a change names its target by either id or sn, and gives a verdict")
    kind = _TARGETS.get(_text(members, "target"))
    if kind is None or ("sn" in members and kind is not TargetType.SESSION):
        raise InvalidFeed("a change has an unknown target")
    sn = _whole(members, "sn") if "sn" in members else -1
    target = Target(kind, _text(members, "iss"), _text(members, "id") if sn < 0 else "", sn)
    verdict = members["verdict"]
    return Change(target, None if verdict is None else _decode_verdict(verdict))


@lru_cache(maxsize=256)
def ended(reason: str) -> Verdict:
    """Give the most frequent verdict of all; one object for all that share a reason."""
    return Verdict(end=ALWAYS, reason=reason)


def _encode_verdict(verdict: Verdict) -> dict[str, object]:
    data: dict[str, object] = {}
    if verdict.end is not None:
        data["end"] = _encode_cut(verdict.end)
    if verdict.hold is not None:
        data["hold"] = _encode_cut(verdict.hold)
        data["step_up_id"] = verdict.step_up_id
    refresh = _present({"cv": verdict.cv, "iat": verdict.iat})
    if refresh:
        data["refresh"] = refresh
    data["reason"] = verdict.reason
    return data


def _decode_verdict(data: object) -> Verdict:
    members = _members(data, {"end", "hold", "step_up_id", "refresh", "reason"})
    if not members.keys() & {"end", "hold", "refresh"}:
        raise InvalidFeed("a verdict says nothing")
    reason = _text(members, "reason")
    if members.get("end") is True and len(members) == 2:  # noqa: PLR2004  (end and reason, nothing else)
        return ended(reason)
    refresh = _members(members.get("refresh", {}), {"cv", "iat"})
    return Verdict(
        end=_decode_cut(members["end"]) if "end" in members else None,
        hold=_decode_cut(members["hold"]) if "hold" in members else None,
        step_up_id=_text(members, "step_up_id") if "step_up_id" in members else "",
        cv=_optional(refresh, "cv"),
        iat=_optional(refresh, "iat"),
        reason=reason,
    )


def _encode_cut(cut: Cut) -> dict[str, int] | bool:
    if cut == ALWAYS:
        return True
    return _present({"sn": cut.sn, "except": cut.except_sn, "auth_time": cut.auth_time})


def _decode_cut(data: object) -> Cut:
    if data is True:
        return ALWAYS
    members = _members(data, {"sn", "except", "auth_time"})
    return Cut(_optional(members, "sn"), _optional(members, "except"), _optional(members, "auth_time"))


def _present(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number >= 0}


def _members(data: object, known: set[str]) -> Mapping[str, object]:
    if isinstance(data, dict) and data.keys() <= known:
        return data
    raise InvalidFeed("a change has the wrong shape")


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if isinstance(value, str) and (value or name in _MAY_BE_EMPTY):
        return value
    msg = f"a change has no good {name}"
    raise InvalidFeed(msg)


def _whole(members: Mapping[str, object], name: str) -> int:
    value = members.get(name)
    if type(value) is int and 0 <= value <= _MAX:
        return value
    msg = f"a change has no good {name}"
    raise InvalidFeed(msg)


def _optional(members: Mapping[str, object], name: str) -> int:
    return _whole(members, name) if name in members else -1
