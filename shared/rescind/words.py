"""Changes, claims and refusals in words, for people at a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rescind.changes import decode_change
from rescind.claims import Claims
from rescind.errors import Denied
from rescind.frames import Delta, Heartbeat, Snapshot
from rescind.revocations import RevocationList
from rescind.verdicts import ALWAYS, Change, Cut, Verdict


def of_frame(frame: Delta | Heartbeat) -> Iterator[str]:
    """One line a change; a heartbeat says how old the service's knowledge is. InvalidFeed for a malformed change."""
    if isinstance(frame, Heartbeat):
        ages = ", ".join(f"{iss} {age} ms ago" for iss, age in sorted(frame.ages.items()))
        yield f"{frame.position} heartbeat; heard from {ages or 'no issuer'}"
        return
    for change in frame.changes:
        yield f"{frame.position} {of_change(decode_change(change))}"


def of_snapshot(frame: Snapshot, data: bytes) -> str:
    """How much the list names. InvalidFeed for a malformed snapshot."""
    return f"{frame.position} snapshot; {len(RevocationList.load(data))} targets are listed"


def of_change(change: Change) -> str:
    """Say what is refused from now on."""
    target = change.target
    name = f"number {target.sn}" if target.sn >= 0 else target.id
    return f"{target.type.value} {name} of {target.iss}: {_verdict(change.verdict)}"


def of_claims(claims: Claims, now_s: int) -> Iterator[str]:
    """Say what an accepted token claims; `now_s` and its times are NumericDate seconds."""
    yield f"subject  {claims.sub}"
    if claims.sid is not None:
        yield f"session  {claims.sid}" + (f", number {claims.sn}" if claims.sn >= 0 else "")
    if claims.client_id:
        yield f"client   {claims.client_id}"
    yield f"scope    {' '.join(sorted(claims.scope)) or 'none'}"
    yield f"issuer   {claims.iss}, key {claims.kid}"
    yield f"issued   {_time(claims.iat)}"
    yield f"expires  {_time(claims.exp)}, in {claims.exp - now_s} s"


def of_refusal(denied: Denied) -> Iterator[str]:
    """Say why a token is refused."""
    yield f"refused: {denied.reason.value}"
    yield denied.detail
    if denied.step_up_id:
        yield f"the way out is step-up {denied.step_up_id}"


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return "listed no more"
    parts = [f"{word}{_cut(cut)}" for word, cut in (("ended", verdict.end), ("on hold", verdict.hold)) if cut]
    if verdict.cv >= 0:
        parts.append(f"claims below version {verdict.cv} are outdated")
    if verdict.iat >= 0:
        parts.append(f"tokens issued up to {_time(verdict.iat)} are outdated")
    return ", ".join(parts) + (f" ({verdict.reason})" if verdict.reason else "")


def _cut(cut: Cut) -> str:
    if cut == ALWAYS:
        return ""
    parts = []
    if cut.sn >= 0:
        parts.append(f"sessions up to number {cut.sn}" + (f" but for {cut.except_sn}" if cut.except_sn >= 0 else ""))
    if cut.auth_time >= 0:
        parts.append(f"what signed in up to {_time(cut.auth_time)}")
    return f": {' and '.join(parts)}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
