"""One account: what it is and what happens to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rescind.events.subject import (
    PasswordChanged,
    SubjectCreated,
    SubjectDisabled,
    SubjectEnabled,
    SubjectForgotten,
    SubjectReinstated,
    SubjectRevoked,
    SubjectScopesChanged,
)
from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import restriction
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.scopes import split, words

SubjectEvent = (
    SubjectCreated
    | SubjectDisabled
    | SubjectEnabled
    | SubjectScopesChanged
    | PasswordChanged
    | SubjectRevoked
    | SubjectReinstated
    | SubjectForgotten
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account's state. `id` stands for it in the log, `name` in the revocation list; `client_id` "": one of our own.

    `cv`: the least claims version that its tokens may have; `last_cv`: the highest one given to any of its sessions;
    `last_sn`: the number of its youngest session, -1 without one.
    """

    id: str
    sub: str
    name: str
    client_id: str
    created: int
    version: int = 0  # of its stream
    scopes: frozenset[str] = frozenset()
    disabled: bool = False
    forgotten: bool = False
    cv: int = 0
    last_cv: int = 0
    last_sn: int = -1
    restrictions: tuple[Restriction, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectStep:
    """The next state and what is to be written about it."""

    account: Account
    events: tuple[SubjectEvent, ...] = ()


def create(account: Account, scopes: frozenset[str]) -> SubjectStep:
    """An account is made, or first named by a client."""
    return _happened(account, 0, SubjectCreated(name=account.name, client_id=account.client_id, scope=words(scopes)))


def set_scopes(account: Account, scopes: frozenset[str], *, revocation_id: str, by: str) -> SubjectStep:
    """Give other scopes; the same ones change nothing."""
    if scopes == account.scopes:
        return SubjectStep(account)
    return _happened(account, 0, _scopes_changed(account, scopes, revocation_id, by, answers=False))


def answer_refresh(account: Account, *, revocation_id: str, at_least: int, by: str) -> SubjectStep:
    """Answer a `refresh` from outside: scopes as before, a new claims version, `at_least` this one."""
    event = _scopes_changed(account, account.scopes, revocation_id, by, answers=True)
    return _happened(account, 0, replace(event, cv=max(event.cv, at_least)))


def disable(account: Account, *, revocation_id: str, by: str, now: int) -> SubjectStep:
    """Refuse sign-ins and end everything; again changes nothing."""
    if account.disabled:
        return SubjectStep(account)
    end = _ending(account, revocation_id, Reason.SUBJECT_DISABLED, by)
    return _happened(account, now, SubjectDisabled(by=by), *end)


def enable(account: Account, *, by: str) -> SubjectStep:
    """Allow sign-ins again; what ended stays ended."""
    return _happened(account, 0, SubjectEnabled(by=by)) if account.disabled else SubjectStep(account)


def change_password(account: Account, *, revocation_id: str, except_sn: int, by: str, now: int) -> SubjectStep:
    """A new password stands, and every session but `except_sn` (-1: none) ends."""
    end = _ending(account, revocation_id, Reason.PASSWORD_CHANGED, by, except_sn)
    return _happened(account, now, PasswordChanged(by=by), *end)


def sign_out(account: Account, *, revocation_id: str, except_sn: int, by: str, now: int) -> SubjectStep:
    """End every session up to now but `except_sn` (-1: none)."""
    return _happened(account, now, *_ending(account, revocation_id, Reason.SIGNED_OUT_ELSEWHERE, by, except_sn))


def forget(account: Account, *, revocation_id: str, by: str, now: int) -> SubjectStep:
    """End everything; the key of the personal data goes with the event."""
    end = _ending(account, revocation_id, Reason.SUBJECT_FORGOTTEN, by)
    return _happened(account, now, *end, SubjectForgotten(by=by))


def revoke(
    account: Account,
    *,
    revocation_id: str,
    sn: int,
    except_sn: int,
    auth_time: int,
    effect: Effect,
    reason: Reason,
    by: str,
    now: int,
) -> SubjectStep:
    """Answer a revocation from outside with the sessions that it means; what is known or covered already changes nothing.

    `auth_time` (seconds, -1: none) is kept beside the answer: the list goes by it, so that it binds later sign-ins, too.
    """
    event = _revoked(account, revocation_id, sn, except_sn, effect, reason, by, answers=True)
    new = replace(_restriction(event, now), auth_time=auth_time)
    if restriction.is_known(account.restrictions, new) or (sn < 0 and auth_time < 0):
        return SubjectStep(account)
    kept = replace(account, restrictions=restriction.added(account.restrictions, new))
    return SubjectStep(kept, (event,) if sn >= 0 else ())


def reinstate(account: Account, *, revocation_id: str) -> SubjectStep:
    """Take a revocation back; unknown ones change nothing."""
    if all(each.id != revocation_id for each in account.restrictions):
        return SubjectStep(account)
    return _happened(account, 0, SubjectReinstated(revocation_id=revocation_id, name=account.name))


def evolve(account: Account, event: SubjectEvent, at: int) -> Account:  # noqa: PLR0911  (a table)
    """What an event changes."""
    match event:
        case SubjectCreated():
            return replace(account, scopes=split(event.scope))
        case SubjectDisabled():
            return replace(account, disabled=True)
        case SubjectEnabled():
            return replace(account, disabled=False)
        case SubjectScopesChanged():
            return replace(account, scopes=split(event.scope), cv=event.cv, last_cv=event.cv)
        case SubjectRevoked():
            return replace(account, restrictions=restriction.added(account.restrictions, _restriction(event, at)))
        case SubjectReinstated():
            return replace(account, restrictions=restriction.lifted(account.restrictions, event.revocation_id))
        case SubjectForgotten():
            return replace(account, forgotten=True, disabled=True)
        case PasswordChanged():
            return account


def _happened(account: Account, now: int, *events: SubjectEvent) -> SubjectStep:
    for event in events:
        account = evolve(account, event, now)
    return SubjectStep(account, events)


def _scopes_changed(
    account: Account, scopes: frozenset[str], revocation_id: str, by: str, *, answers: bool
) -> SubjectScopesChanged:
    return SubjectScopesChanged(
        revocation_id=revocation_id,
        name=account.name,
        scope=words(scopes),
        cv=account.last_cv + 1,
        by=by,
        answers=answers,
    )


def _ending(account: Account, revocation_id: str, reason: Reason, by: str, except_sn: int = -1) -> tuple[SubjectRevoked, ...]:
    """End every session up to now; nothing to say where there never was one."""
    if account.last_sn < 0:
        return ()
    return (_revoked(account, revocation_id, account.last_sn, except_sn, Effect.END, reason, by, answers=False),)


def _revoked(
    account: Account, revocation_id: str, sn: int, except_sn: int, effect: Effect, reason: Reason, by: str, *, answers: bool
) -> SubjectRevoked:
    return SubjectRevoked(
        revocation_id=revocation_id,
        name=account.name,
        sn=sn,
        except_sn=except_sn,
        effect=effect.value,
        reason=reason.value,
        by=by,
        answers=answers,
    )


def _restriction(event: SubjectRevoked, at: int) -> Restriction:
    return Restriction(
        id=event.revocation_id,
        effect=Effect(event.effect),
        reason=Reason(event.reason),
        at=at,
        sn=event.sn,
        except_sn=event.except_sn,
    )
