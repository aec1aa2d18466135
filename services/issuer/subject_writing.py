"""Writing what happened to an account, in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace

from rescind.events.personal import Personal
from rescind.events.subject import SubjectRevoked
from rescind.vocabulary import LIFTABLE, Effect, Reason
from services.issuer.decisions.subject import Account, SubjectStep
from services.issuer.sql.unit import Unit


def save_account(unit: Unit, step: SubjectStep, *, now: int, personal: Personal | None = None) -> Account:
    """Record a step of a locked account, save its state and mark the sessions that ended for good."""
    account = step.account
    version = unit.record_all(
        f"subject-{account.id}", account.version, step.events, now=now, subject=account.id, personal=personal
    )
    account = replace(account, version=version)
    unit.subjects.save(account)
    for event in step.events:
        if isinstance(event, SubjectRevoked) and _is_final(event):
            unit.sessions.close(account.id, sn=event.sn, except_sn=event.except_sn, why=event.reason, now=now)
    return account


def _is_final(event: SubjectRevoked) -> bool:
    return Effect(event.effect) is Effect.END and Reason(event.reason) not in LIFTABLE
