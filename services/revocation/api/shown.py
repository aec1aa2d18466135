"""Revocations and receipts as JSON."""

from __future__ import annotations

from rescind.events.revocation import RevocationMade
from services.revocation.decisions.receipts import Line, Receipt
from services.revocation.decisions.views import RevocationView
from services.times import iso


def revocation_json(found: RevocationView, *, lift_window_ms: int) -> dict[str, object]:
    """One revocation. A subject is shown by its name in the list: the account's name is not kept here."""
    first = found.first
    made = first if isinstance(first, RevocationMade) else None
    lift_until = found.lift_ends(lift_window_ms)
    return {
        "id": first.revocation_id,
        "position": str(found.position) if found.position else None,
        "target": {"type": first.target_type, "iss": first.iss, "id": first.target_id},
        "effect": first.effect,
        "reason": first.reason,
        "note": made.note if made else "",
        "by": first.by,
        "automated": made.automated if made else False,
        "at": iso(first.at),
        "arrived": iso(found.arrived),
        "parts": found.parts,
        "lifted": None if found.lifted is None else {"at": iso(found.lifted), "by": found.lifted_by},
        "lift_until": None if lift_until is None else iso(lift_until),
    }


def receipt_json(receipt: Receipt) -> dict[str, object]:
    """Who has applied it."""
    return {"complete": receipt.complete, "verifiers": [_line(line) for line in receipt.lines]}


def pending_json(receipt: Receipt) -> dict[str, object]:
    """What a caller who waited is told: whether all live verifiers have it, else which have not."""
    pending = [{"name": line.verifier, "instance": line.instance} for line in receipt.pending]
    return {"complete": receipt.complete, "pending": pending}


def _line(line: Line) -> dict[str, object]:
    return {
        "name": line.verifier,
        "instance": line.instance,
        "applied": line.applied,
        "after_ms": line.after_ms,
        "joined_later": line.joined_later,
        "last_heard": iso(line.last_heard),
        "state": line.state.value,
    }
