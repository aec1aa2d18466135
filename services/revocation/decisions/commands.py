"""What a caller asks to revoke, checked and turned into a fact. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rescind.events.revocation import RevocationMade
from rescind.vocabulary import LIFTABLE, Effect, Reason, TargetType, subject_name
from services.principal import Principal
from services.revocation.decisions.sources import Source
from services.revocation.errors import InvalidRevocation

_EFFECTS = {
    TargetType.SESSION: (Effect.END, Effect.HOLD),
    TargetType.TOKEN: (Effect.END,),
    TargetType.SUBJECT: (Effect.END, Effect.HOLD, Effect.REFRESH),
    TargetType.CLIENT: (Effect.END,),
    TargetType.KEY: (Effect.END,),
    TargetType.ISSUER: (Effect.END,),
}
_CUT = frozenset({TargetType.SUBJECT, TargetType.CLIENT, TargetType.ISSUER})
_MANY = frozenset({TargetType.CLIENT, TargetType.KEY, TargetType.ISSUER})


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRevocation:
    """`target_id` as the caller names it (for a subject its `sub`). `iss` "" means the one issuer whose log we follow."""

    target_type: TargetType
    target_id: str
    iss: str = ""
    effect: Effect = Effect.END
    reason: Reason
    note: str = ""
    idempotency_key: str = ""
    awaited: bool = False


def author(caller: Principal) -> str:
    """How the log names a caller: a client by its id, a person by the session, which leads to the account and is no name."""
    return f"client:{caller.client_id}" if caller.sid is None else f"session:{caller.sid}"


def keyed_id(by: str, idempotency_key: str) -> str:
    """Give the id of the one revocation that this author's key can ever make."""
    return hashlib.sha256(f"{len(by)}:{by}{idempotency_key}".encode()).hexdigest()[:32]


def is_automated(caller: Principal) -> bool:
    """Whether the caps hold for this caller."""
    return not caller.has("revocations:write")


def decide(
    command: MakeRevocation, caller: Principal, *, sources: Sequence[Source], revocation_id: str, now: int
) -> RevocationMade:
    """Make the fact; `now` is the revocation database's clock. InvalidRevocation."""
    source = _source(command, sources)
    _check(command, source)
    subject = command.target_type is TargetType.SUBJECT
    second = now // 1000
    ends_before_now = command.target_type in _CUT and command.effect is not Effect.REFRESH
    return RevocationMade(
        revocation_id=revocation_id,
        target_type=command.target_type.value,
        iss=source.iss,
        target_id=subject_name(source.iss, command.target_id) if subject else command.target_id,
        effect=command.effect.value,
        reason=command.reason.value,
        by=author(caller),
        at=now,
        cut_auth_time=second if ends_before_now else -1,
        iat=second if command.effect is Effect.REFRESH else -1,
        note=command.note,
        liftable=command.target_type is not TargetType.KEY,
        automated=is_automated(caller),
        awaited=command.awaited,
    )


def same_request(one: RevocationMade, other: RevocationMade) -> bool:
    """Whether two facts come from the same request, sent twice."""
    return _asked(one) == _asked(other)


def weight(made: RevocationMade) -> int | None:
    """How many sessions this ends, for the caps; None for any number: a client's, a key's, an issuer's."""
    return None if TargetType(made.target_type) in _MANY else 1


def _asked(made: RevocationMade) -> tuple[str, ...]:
    return made.target_type, made.iss, made.target_id, made.effect, made.reason, made.note


def _source(command: MakeRevocation, sources: Sequence[Source]) -> Source:
    iss = command.target_id if command.target_type is TargetType.ISSUER else command.iss
    if command.target_type is TargetType.ISSUER and command.iss not in ("", iss):
        raise InvalidRevocation({"target.iss": "an issuer is named by its id; leave iss out"})
    active = [each for each in sources if each.active]
    found = [each for each in active if (each.iss == iss if iss else each.own)]
    if len(found) == 1:
        return found[0]
    if iss:
        raise InvalidRevocation({"target.iss": "no such source; add it with PUT /v1/sources/{iss}"})
    raise InvalidRevocation({"target.iss": "needed: there is not exactly one issuer whose log is followed"})


def _check(command: MakeRevocation, source: Source) -> None:
    fields: dict[str, str] = {}
    if command.reason not in LIFTABLE:
        fields["reason"] = f"a caller may give {', '.join(sorted(each.value for each in LIFTABLE))}"
    if command.effect not in _EFFECTS[command.target_type]:
        allowed = ", ".join(each.value for each in _EFFECTS[command.target_type])
        fields["effect"] = f"for a {command.target_type.value}: {allowed}"
    elif command.effect is Effect.REFRESH and not source.own:
        fields["effect"] = "refresh works for subjects of an issuer whose log is followed"
    if fields:
        raise InvalidRevocation(fields)
