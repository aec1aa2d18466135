from __future__ import annotations

import json

import pytest

from rescind.errors import Denial, Denied
from rescind.refusals import Refusal, TwoTokens, bearer, lacks, no_token, refusal, two_tokens

TOKEN_FAULTS = set(Denial) - {Denial.STALE, Denial.NOT_READY, Denial.INSUFFICIENT_SCOPE, Denial.STEP_UP_REQUIRED}


def challenge(answer: Refusal) -> str:
    return dict(answer.headers)["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        (["Bearer abc.def.ghi"], "abc.def.ghi"),
        (["bearer   abc"], "abc"),
        (["BEARER abc "], "abc"),
        (["Bearer"], None),
        (["Bearer "], None),
        (["Basic YTpi"], None),
        (["Bearerabc"], None),
        ([""], None),
    ],
)
def test_the_scheme_is_read_in_any_case(headers: list[str], token: str | None) -> None:
    assert bearer(headers) == token


def test_two_headers_are_not_guessed_at() -> None:
    with pytest.raises(TwoTokens):
        bearer(["Bearer a", "Bearer a"])
    assert two_tokens("api").status == 400


@pytest.mark.parametrize("reason", sorted(TOKEN_FAULTS))
def test_a_bad_token_is_401_invalid_token(reason: Denial) -> None:
    answer = refusal(Denied(reason, "for a reason"), realm="api")
    assert answer.status == 401
    assert challenge(answer) == 'Bearer realm="api", error="invalid_token", error_description="for a reason"'
    assert json.loads(answer.body) == {"title": "Unauthorized", "status": 401, "detail": "for a reason", "reason": reason.value}


@pytest.mark.parametrize("reason", [Denial.STALE, Denial.NOT_READY])
def test_what_may_pass_later_is_503_and_no_fault_of_the_token(reason: Denial) -> None:
    answer = refusal(Denied(reason, "later"), realm="api")
    assert answer.status == 503
    assert dict(answer.headers)["Retry-After"] == "1"
    assert "WWW-Authenticate" not in dict(answer.headers)


def test_a_hold_asks_for_a_step_up() -> None:
    answer = refusal(Denied(Denial.STEP_UP_REQUIRED, "on hold", "u-1"), realm="api")
    assert answer.status == 401
    assert 'error="insufficient_user_authentication"' in challenge(answer)
    assert json.loads(answer.body)["step_up_id"] == "u-1"


def test_a_missing_scope_is_403_and_named() -> None:
    denied = lacks(frozenset({"read"}), "write")
    assert denied
    answer = refusal(denied, realm="api", scope="write")
    assert (answer.status, challenge(answer)) == (403, 'Bearer realm="api", error="insufficient_scope", scope="write"')
    assert lacks(frozenset({"read"}), "read") is None


def test_without_a_token_there_is_no_error_code() -> None:
    assert challenge(no_token("api")) == 'Bearer realm="api"'


def test_nothing_breaks_out_of_a_header() -> None:
    answer = refusal(Denied(Denial.EXPIRED, 'a"b\\c\r\nX: y'), realm='r"')
    assert challenge(answer) == 'Bearer realm="r", error="invalid_token", error_description="abcX: y"'
