"""One act of a subject: what it is worth, what follows, what is remembered. For the worker, backtests and the adapter alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from services.anomaly.scoring.acts import Act, Kind, Net
from services.anomaly.scoring.campaigns import Campaign
from services.anomaly.scoring.evidence import Sight, evidence
from services.anomaly.scoring.learning import learn
from services.anomaly.scoring.memory import PENDING, SESSIONS, Memory, Pending, Session, marked
from services.anomaly.scoring.movement import next_interval, too_soon
from services.anomaly.scoring.novelty import Level
from services.anomaly.scoring.packing import pack, unpack
from services.anomaly.scoring.policy import Action, Policy, decide
from services.anomaly.scoring.reasons import Reason, total
from services.anomaly.scoring.reuse import verdict
from services.anomaly.scoring.traits import CLASS_NUMBERS, CLASSES, FIXED, Spot, Traits, short_net
from services.anomaly.scoring.weights import WEIGHTS

HOUR = 3600
PROVED = 3
_CAP = 0xFFFF


@dataclass(frozen=True, slots=True)
class Judgement:
    """`after`: the subject's packed state."""

    score: float
    action: Action
    reasons: Sequence[Reason]
    after: bytes


def judge(before: bytes, act: Act, seen: Traits, campaign: Campaign, policy: Policy) -> Judgement:
    """`before`: the subject's packed state, empty at first. ValueError: it is of another version, or not whole."""
    memory, second = unpack(before), act.ts // 1000
    action, reasons = Action.NONE, list[Reason]()
    match act.kind:
        case Kind.SIGN_IN | Kind.REFRESH:
            action, reasons = _use(memory, act, seen, second, campaign, policy)
        case Kind.REUSE:
            action, reasons = _reuse(memory, act, seen, second)
        case Kind.PASSED:
            reasons = _passed(memory, act, second)
        case Kind.FAILED:
            reasons = _failed(memory, act)
        case Kind.FAILURE:
            if not memory.seen:
                return Judgement(0.0, action, reasons, before)
            memory.trouble = memory.trouble._replace(failed_net=seen.net, failed_second=second)
    return Judgement(total(reasons), action, reasons, pack(memory))


def _use(memory: Memory, act: Act, seen: Traits, second: int, campaign: Campaign, policy: Policy) -> tuple[Action, list[Reason]]:
    sid, sign_in = crc32(act.sid.encode()), act.kind is Kind.SIGN_IN
    session = None if sign_in else memory.session(sid)
    level, reasons = evidence(Sight(memory, session, seen, second, sign_in, campaign))
    action = decide(policy, total(reasons))
    if action is Action.REVOKE_SESSION and sign_in:
        action = Action.STEP_UP  # whoever signs in can prove themselves; ending it would only make them sign in again
    if not memory.seen:
        memory.first = second // 86_400
    _continue(memory, sid, session, seen, second, level)
    memory.second = max(memory.second, second)
    if action in {Action.NONE, Action.ALERT}:
        learn(memory, seen, second)
    elif action is Action.STEP_UP:
        _wait(memory, act, seen)
    return action, reasons


def _continue(memory: Memory, sid: int, session: Session | None, seen: Traits, second: int, level: Level | None) -> None:
    """The session's last act, whether it is believed or not: it is what the next one is compared with."""
    far = level is not None and (level >= Level.NEW_PROVIDER or (level is Level.SAME_PROVIDER and seen.cls is Net.HOME))
    net, asn, cls = seen.net, seen.asn, CLASS_NUMBERS[seen.cls]
    if session is None:
        if len(memory.sessions) >= SESSIONS:
            memory.sessions.remove(min(memory.sessions))
        word = marked(net, cls, 0, moved=far)
        memory.sessions.append(Session(second, sid, word, asn, seen.device, seen.unit, seen.ver, 0, 0, 0))
        return
    if not net:
        net, asn, cls = session.net, session.asn, session.cls
    gap, stayed = second - session.second, net == session.net
    early = session.early + 1 if too_soon(session, second) else 0
    memory.sessions.remove(session)
    memory.sessions.append(
        Session(
            second=max(second, session.second),
            sid=sid,
            word=marked(net, cls, early, moved=far or (stayed and session.moved)),
            asn=asn,
            device=seen.device or session.device,
            unit=seen.unit or session.unit,
            ver=seen.ver or session.ver,
            before=session.before if stayed else short_net(session.net),
            stay=min(_CAP, max(0, gap) + (session.stay if stayed else 0)),
            interval=min(_CAP, next_interval(session.interval, gap)),
        )
    )


def _wait(memory: Memory, act: Act, seen: Traits) -> None:
    cc = seen.cc
    spot = seen.spot or Spot(0, 0, -1)
    eid, cls = crc32(act.eid.encode()), CLASS_NUMBERS[seen.cls]
    memory.pending = memory.pending[-(PENDING - 1) :]
    memory.pending.append(
        Pending(eid, seen.net, seen.asn, cc, cls, spot.lat, spot.lon, spot.acc, seen.device, seen.unit, seen.ver)
    )


def _taken(memory: Memory, act: Act) -> Pending | None:
    eid = crc32(act.ref.encode())
    found = next((each for each in memory.pending if each.eid == eid), None)
    if found:
        memory.pending.remove(found)
    return found


def _passed(memory: Memory, act: Act, second: int) -> list[Reason]:
    found = _taken(memory, act)
    if found is None:
        return []
    cls = CLASSES[found.cls]
    spot = Spot(found.lat, found.lon, found.acc) if found.acc >= 0 and cls in FIXED else None
    seen = Traits(found.net, found.asn, found.cc, cls, spot, found.device, found.unit, found.ver, 0, scripted=False)
    learn(memory, seen, second, PROVED)
    return [Reason("step_up", "passed", 0.0)]


def _failed(memory: Memory, act: Act) -> list[Reason]:
    found = _taken(memory, act)
    if found:
        memory.trouble = memory.trouble._replace(refused_net=found.net)
    _end(memory, crc32(act.sid.encode()))
    return [Reason("step_up", "failed", 0.0)]


def _end(memory: Memory, sid: int) -> None:
    memory.sessions = [each for each in memory.sessions if each.sid != sid]


def _reuse(memory: Memory, act: Act, seen: Traits, second: int) -> tuple[Action, list[Reason]]:
    sid = crc32(act.sid.encode())
    why = verdict(memory, sid, seen, second)
    reasons = [Reason("reuse", why, WEIGHTS["reuse"][why])]
    if why in {"race", "ended"}:
        return Action.NONE, reasons
    if why == "unknown":
        return Action.ALERT, reasons
    last = memory.trouble
    again = last.broken_second and second - last.broken_second < HOUR and last.broken_sid != sid
    memory.trouble = last._replace(broken_sid=sid, broken_second=second)
    _end(memory, sid)
    return Action.REVOKE_SUBJECT if again else Action.REVOKE_FAMILY, reasons
