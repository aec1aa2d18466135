"""The decision about one presented refresh token. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rescind.events.session import RefreshTokenReused, TokenRefreshed, TokenReplayed
from rescind.vocabulary import Effect, Reason
from services.issuer.decisions import rotation, session
from services.issuer.decisions.binding import Bound, compare
from services.issuer.decisions.presence import Presence, known_other_network, same_device
from services.issuer.decisions.restriction import Restriction, Standing, State
from services.issuer.decisions.rotation import Classified, Kind
from services.issuer.decisions.session import EXPIRED, Session, SessionEvent
from services.issuer.errors import InvalidToken, IssuerError, SessionEnded, SessionSuspended, StepUpRequired
from services.issuer.settings import IssuerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A genuine refresh token of this session, and what the decision depends on besides the session.

    `exp` seconds. `others`: the restrictions of the subject, the client and the issuer. `cv`: the subject's claims version.
    `kid`: the refresh key that signs now.
    """

    generation: int
    exp: int
    presence: Presence
    others: tuple[Restriction, ...]
    cv: int
    kid: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`refusal` None: the session's current refresh token is the answer. Events are to be written either way."""

    session: Session
    events: tuple[SessionEvent, ...] = ()
    refusal: IssuerError | None = None


def refusal_of(standing: Standing) -> IssuerError | None:
    """What a session that stands like this is answered; None where it lives."""
    match standing.state:
        case State.ENDED:
            return SessionEnded(standing.why, standing.at)
        case State.SUSPENDED:
            return SessionSuspended(standing.why, standing.at)
        case State.HELD:
            return StepUpRequired(standing.revocation_id, standing.at)
        case State.LIVE:
            return None


def refusal_of_state(state: Session, others: tuple[Restriction, ...], settings: IssuerSettings, now: int) -> IssuerError | None:
    """Why no token of this session is accepted now; None where it lives. Ends before holds, expiry last."""
    refusal = refusal_of(state.standing(others, now=now, lift_window=settings.lift_window * 1000))
    if refusal is None and (state.closed_why == EXPIRED or session.limit_reached(state, settings, now)):
        return InvalidToken(EXPIRED)
    return refusal


def decide(state: Session, presented: Presented, settings: IssuerSettings, *, now: int, new_id: Callable[[], str]) -> Decision:
    """Judge a refresh. The order matters: an ended session says why, and only a living one can be reused."""
    if now >= presented.exp * 1000 and presented.generation != state.rotation.generation:
        return Decision(state, refusal=InvalidToken(EXPIRED))
    refusal = refusal_of_state(state, presented.others, settings, now)
    if refusal is not None:
        limit = session.limit_reached(state, settings, now) if isinstance(refusal, InvalidToken) else ""
        step = session.expire(state, limit=limit, now=now) if limit else session.Step(state)
        return Decision(step.session, step.events, refusal)
    return _decide_living(state, presented, settings, now=now, new_id=new_id)


def _decide_living(
    state: Session, presented: Presented, settings: IssuerSettings, *, now: int, new_id: Callable[[], str]
) -> Decision:
    found = _classify(state, presented, settings, now)
    if found.kind is Kind.UNKNOWN:
        return Decision(state, refusal=InvalidToken())
    if found.kind is Kind.REUSE:
        return _reused(state, presented, found.cause, now=now, revocation_id=new_id())
    bound = compare(state.profile.anchor, presented.presence)
    if bound.strict(state.bind_ip, state.bind_device):
        return _ended(state, Reason.BINDING_MISMATCH, revocation_id=new_id(), now=now)
    if found.kind is Kind.ROTATE:
        return _rotated(state, presented, bound, settings, now)
    return _replayed(state, presented, late=found.kind is Kind.LATE_REPLAY, now=now)


def _classify(state: Session, presented: Presented, settings: IssuerSettings, now: int) -> Classified:
    return rotation.classify(
        state.rotation,
        presented.generation,
        now=now,
        same_device=same_device(state.profile.last, presented.presence),
        other_network=known_other_network(state.profile.last, presented.presence),
        race_window=settings.race_window * 1000,
        late_replays=settings.late_replays,
    )


def _rotated(state: Session, presented: Presented, bound: Bound, settings: IssuerSettings, now: int) -> Decision:
    exp = session.expiry(settings, created=state.created, remember_me=state.remember_me, now=now)
    child = rotation.advanced(state.rotation, exp=exp, kid=presented.kid, now=now)
    profile = replace(state.profile, anchor=bound.anchor, last=presented.presence)
    event = TokenRefreshed(
        sid=state.sid,
        sn=state.sn,
        generation=child.generation,
        expires=child.exp * 1000,
        cv=max(state.cv, presented.cv),
        context_known=presented.presence.known,
        binding=bound.words(state.bind_ip, state.bind_device),
    )
    return Decision(replace(state, rotation=child, last_seen=now, profile=profile), (event,))


def _replayed(state: Session, presented: Presented, *, late: bool, now: int) -> Decision:
    event = TokenReplayed(
        sid=state.sid,
        sn=state.sn,
        generation=state.rotation.generation,
        late=late,
        context_known=presented.presence.known,
    )
    kept = rotation.marked_late(state.rotation) if late else state.rotation
    return Decision(replace(state, rotation=kept, last_seen=now), (event,))


def _reused(state: Session, presented: Presented, cause: str, *, now: int, revocation_id: str) -> Decision:
    event = RefreshTokenReused(
        sid=state.sid,
        sn=state.sn,
        presented=presented.generation,
        generation=state.rotation.generation,
        cause=cause,
        revocation_id=revocation_id,
    )
    ended = _ended(state, Reason.REFRESH_REUSE, revocation_id=revocation_id, now=now)
    return Decision(ended.session, (event, *ended.events), ended.refusal)


def _ended(state: Session, reason: Reason, *, revocation_id: str, now: int) -> Decision:
    step = session.revoke(state, revocation_id=revocation_id, effect=Effect.END, reason=reason, by="issuer", now=now)
    return Decision(step.session, step.events, SessionEnded(reason.value, now))
