from __future__ import annotations

from collections.abc import Sequence

import pytest

from rescind.vocabulary import Effect, Reason, TargetType, subject_name
from services.principal import Principal
from services.revocation.decisions.commands import MakeRevocation, author, decide, keyed_id, same_request, weight
from services.revocation.decisions.sources import Source
from services.revocation.errors import InvalidRevocation

OWN, OTHER = "https://id.example", "https://keycloak.example"
SOURCES = (Source(iss=OWN, own=True), Source(iss=OTHER, own=False, max_session_life=3600))
CALLER = Principal("c", "back-end", None, -1, frozenset({"revocations:write"}))
NOW = 1_700_000_000_999


def command(
    kind: TargetType = TargetType.SESSION,
    name: str = "x",
    *,
    iss: str = "",
    effect: Effect = Effect.END,
    reason: Reason = Reason.ADMIN,
) -> MakeRevocation:
    return MakeRevocation(target_type=kind, target_id=name, iss=iss, effect=effect, reason=reason)


def fields_of(wanted: MakeRevocation, sources: Sequence[Source] = SOURCES) -> set[str]:
    with pytest.raises(InvalidRevocation) as found:
        decide(wanted, CALLER, sources=sources, revocation_id="r", now=NOW)
    return set(found.value.fields)


def test_a_subject_is_named_without_its_name() -> None:
    made = decide(command(TargetType.SUBJECT, "alice"), CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert made.target_id == subject_name(OWN, "alice")
    assert "alice" not in repr(made)


@pytest.mark.parametrize("kind", [TargetType.SUBJECT, TargetType.CLIENT])
def test_what_began_up_to_this_second_is_meant(kind: TargetType) -> None:
    made = decide(command(kind), CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert made.cut_auth_time == 1_700_000_000
    assert made.iat == -1


def test_a_refresh_refuses_what_was_issued_up_to_this_second() -> None:
    wanted = command(TargetType.SUBJECT, effect=Effect.REFRESH)
    made = decide(wanted, CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert (made.iat, made.cut_auth_time, made.cv) == (1_700_000_000, -1, -1)


@pytest.mark.parametrize("kind", [TargetType.SESSION, TargetType.TOKEN, TargetType.KEY])
def test_a_session_a_token_and_a_key_are_meant_as_a_whole(kind: TargetType) -> None:
    made = decide(command(kind), CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert (made.cut_sn, made.cut_except, made.cut_auth_time, made.iat) == (-1, -1, -1, -1)
    assert made.liftable is (kind is not TargetType.KEY)


@pytest.mark.parametrize("reason", set(Reason) - {Reason.ADMIN, Reason.COMPROMISED, Reason.ANOMALY})
def test_only_starred_reasons_may_be_given(reason: Reason) -> None:
    assert fields_of(command(reason=reason)) == {"reason"}


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (TargetType.SESSION, Effect.REFRESH),
        (TargetType.TOKEN, Effect.HOLD),
        (TargetType.CLIENT, Effect.HOLD),
        (TargetType.KEY, Effect.HOLD),
        (TargetType.KEY, Effect.REFRESH),
    ],
)
def test_not_every_effect_fits_every_target(kind: TargetType, effect: Effect) -> None:
    assert fields_of(command(kind, effect=effect)) == {"effect"}


def test_refresh_is_for_subjects_of_an_own_issuer() -> None:
    assert fields_of(command(TargetType.SUBJECT, iss=OTHER, effect=Effect.REFRESH)) == {"effect"}


def test_the_issuer_may_be_left_out_where_one_log_is_followed() -> None:
    assert decide(command(), CALLER, sources=SOURCES, revocation_id="r", now=NOW).iss == OWN
    two = (*SOURCES, Source(iss="https://id2.example", own=True))
    assert fields_of(command(), two) == {"target.iss"}
    assert fields_of(command(), ()) == {"target.iss"}


def test_an_unknown_or_removed_issuer_is_refused() -> None:
    assert fields_of(command(iss="https://typo.example")) == {"target.iss"}
    assert fields_of(command(iss=OWN), (Source(iss=OWN, own=True, active=False),)) == {"target.iss"}


def test_an_issuer_is_named_by_its_id() -> None:
    made = decide(command(TargetType.ISSUER, OTHER), CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert (made.iss, made.target_id) == (OTHER, OTHER)
    assert fields_of(command(TargetType.ISSUER, OTHER, iss=OWN)) == {"target.iss"}


def test_a_person_is_named_by_the_session() -> None:
    assert author(CALLER) == "client:back-end"
    assert author(Principal("alice", "first-party", "sid", 3, frozenset())) == "session:sid"


def test_a_key_belongs_to_its_author() -> None:
    assert keyed_id("client:a", "k") == keyed_id("client:a", "k")
    assert len({keyed_id("client:a", "k"), keyed_id("client:b", "k"), keyed_id("client:a", "l")}) == 3
    assert keyed_id("client:ab", "c") != keyed_id("client:a", "bc")


def test_the_same_request_a_second_later_is_the_same() -> None:
    one, later = (
        decide(command(TargetType.SUBJECT), CALLER, sources=SOURCES, revocation_id="r", now=NOW + ms) for ms in (0, 1_000)
    )
    other = decide(command(TargetType.CLIENT), CALLER, sources=SOURCES, revocation_id="r", now=NOW)
    assert same_request(one, later)
    assert not same_request(one, other)


def test_a_client_a_key_and_an_issuer_weigh_more_than_any_number() -> None:
    wanted = [command(kind, OWN if kind is TargetType.ISSUER else "x") for kind in TargetType]
    weights = {each.target_type: weight(decide(each, CALLER, sources=SOURCES, revocation_id="r", now=NOW)) for each in wanted}
    heavy = {kind for kind, found in weights.items() if found is None}
    assert heavy == {TargetType.CLIENT, TargetType.KEY, TargetType.ISSUER}
