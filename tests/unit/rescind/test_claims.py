from __future__ import annotations

import pytest
from kit.tokens import AUD, ISS, NOW, claims

from rescind.claims import Claims, check_claims
from rescind.errors import Denial, Denied


def check(payload: dict[str, object], *, own: bool = True, now: float = NOW, audience: str = AUD) -> Claims | Denied:
    return check_claims(payload, issuer=ISS, audience=frozenset({audience}), now_s=now, max_life=3600, own=own, kid="k1")


def reason(answer: Claims | Denied) -> Denial | None:
    return answer.reason if isinstance(answer, Denied) else None


def test_a_good_token_of_ours_is_read_whole() -> None:
    found = check(claims())
    assert isinstance(found, Claims)
    assert (found.iss, found.sub, found.aud, found.jti, found.client_id) == (ISS, "ann", (AUD,), "token-1", "web")
    assert (found.sid, found.sn, found.cv, found.auth_time, found.kid) == ("session-1", 7, 3, NOW - 100, "k1")
    assert found.scope == {"read", "write"}


def test_a_machines_token_has_no_session() -> None:
    found = check(claims(sid=None, sn=None, cv=None, auth_time=None))
    assert isinstance(found, Claims)
    assert (found.sid, found.sn, found.cv, found.auth_time) == (None, -1, -1, -1)


def test_the_printed_form_names_no_account() -> None:
    assert "ann" not in repr(check(claims()))


WRONG_SECONDS: list[object] = [str(NOW + 900), True, -1, 2**53, float(NOW + 900) * 1e300, [NOW + 900], "١٢٣"]
WRONG_NAMES: list[object] = ["", 5, "x" * 256, "a\nb", "a\x00", "\ud800"]
WRONG_AUDIENCES: list[object] = [[], [5], "", {}, [""], ["orders", None]]
WRONG_NUMBERS: list[object] = ["7", -1, True, 1.5, 2**53]


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *[(claim, None) for claim in ("sub", "aud", "exp", "iat", "jti", "client_id")],
        *[(claim, value) for claim in ("exp", "iat", "auth_time") for value in WRONG_SECONDS],
        *[(claim, value) for claim in ("sub", "jti", "client_id", "sid") for value in WRONG_NAMES],
        *[("aud", value) for value in WRONG_AUDIENCES],
        *[(claim, value) for claim in ("sn", "cv") for value in WRONG_NUMBERS],
        ("sn", None),
        ("cv", None),
        ("auth_time", None),
        ("sid", None),
        ("scope", 5),
        ("scope", [5]),
        ("nbf", "1"),
        ("exp", NOW + 3601),
        ("exp", NOW),
    ],
)
def test_a_claim_of_the_wrong_type_or_size_is_refused(claim: str, value: object) -> None:
    assert reason(check(claims(**{claim: value}))) is Denial.INVALID_CLAIMS


@pytest.mark.parametrize("iss", [None, "https://issuer.example/", 5, ["https://issuer.example"]])
def test_another_issuer_is_refused(iss: object) -> None:
    assert reason(check(claims(iss=iss))) is Denial.WRONG_ISSUER


def test_another_audience_is_refused_and_one_of_several_suffices() -> None:
    assert reason(check(claims(aud="orders2"))) is Denial.WRONG_AUDIENCE
    assert reason(check(claims(aud=["billing", "orders"]))) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOW + 929.9, None),
        (NOW + 930, Denial.EXPIRED),
        (NOW - 30, None),
        (NOW - 31, Denial.NOT_YET_VALID),
    ],
)
def test_time_has_thirty_seconds_of_leeway(now: float, expected: Denial | None) -> None:
    assert reason(check(claims(), now=now)) is expected


def test_not_before_counts() -> None:
    assert reason(check(claims(nbf=NOW + 31))) is Denial.NOT_YET_VALID
    assert reason(check(claims(nbf=NOW + 30))) is None


def test_another_issuers_token_needs_less_and_its_numbers_mean_nothing() -> None:
    payload = claims(jti=None, client_id=None, sn=99, cv=99, auth_time=None, azp="shop", typ="Bearer", exp=NOW + 300.5)
    found = check(payload, own=False)
    assert isinstance(found, Claims)
    assert (found.jti, found.client_id, found.sn, found.cv, found.auth_time, found.exp) == ("", "shop", -1, -1, -1, NOW + 300)


def test_scopes_may_come_as_a_list() -> None:
    found = check(claims(scope=None, scp=["read", "pay"]), own=False)
    assert isinstance(found, Claims)
    assert found.scope == {"read", "pay"}


@pytest.mark.parametrize("typ", ["ID", "Refresh", "Logout", 5])
def test_another_issuers_identity_or_refresh_token_is_no_access_token(typ: object) -> None:
    assert reason(check(claims(typ=typ), own=False)) is Denial.INVALID_CLAIMS
