from __future__ import annotations

import base64

import pytest

from services.issuer.api.forms import Credentials, credentials, parse_form, required
from services.problems import Problem

FORM = "application/x-www-form-urlencoded"


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def refusal(call: object, *arguments: object) -> tuple[int, str]:
    assert callable(call)
    with pytest.raises(Problem) as caught:
        call(*arguments)
    return caught.value.status, caught.value.code


def test_a_form_is_read_and_empty_parameters_are_as_if_omitted() -> None:
    assert parse_form(f"{FORM};charset=UTF-8", b"grant_type=a+b&scope=&x=%C3%A4") == {"grant_type": "a b", "x": "ä"}
    assert parse_form(FORM.upper(), b"") == {}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"grant_type": "x"}'),
        ("", b"grant_type=x"),
        ("multipart/form-data; boundary=x", b"--x--"),
        (FORM, b"token=a&token=b"),
        (FORM, b"token=a&token="),
        (FORM, b"token=%FF"),
        (FORM, b"token=\xff"),
        (FORM, b"token=%00"),
        (FORM, b"&".join(b"a%d=1" % number for number in range(60))),
    ],
)
def test_a_malformed_form_is_an_invalid_request(content_type: str, body: bytes) -> None:
    assert refusal(parse_form, content_type, body) == (400, "invalid_request")


def test_a_missing_parameter_is_an_invalid_request() -> None:
    assert required({"token": "t"}, "token") == "t"
    assert refusal(required, {}, "token") == (400, "invalid_request")


def test_a_client_authenticates_in_the_header_with_encoded_parts() -> None:
    assert credentials([basic("back+end", "s3%3Acret%2B%2F%C3%A4")], {}) == Credentials("back end", "s3:cret+/ä")
    assert credentials([basic("c", "a:b")], {"client_id": "c"}) == Credentials("c", "a:b")
    assert credentials([basic("c", "")], {}) == Credentials("c", "")
    assert credentials(["basic " + basic("c", "s").partition(" ")[2]], {}) == Credentials("c", "s")


def test_or_in_the_form_or_not_at_all() -> None:
    assert credentials([], {"client_id": "c", "client_secret": "s"}) == Credentials("c", "s")
    assert credentials([], {"client_id": "c"}) == Credentials("c", None)
    assert credentials([], {"client_secret": "s"}) is None


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ([basic("c", "s")], {"client_secret": "s"}),
        ([basic("c", "s")], {"client_id": "c", "client_secret": "s"}),
        ([basic("c", "s")], {"client_id": "other"}),
        ([basic("c", "s"), basic("c", "s")], {}),
    ],
)
def test_but_never_in_two_ways(headers: list[str], form: dict[str, str]) -> None:
    assert refusal(credentials, headers, form) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header",
    [
        *("", "Basic", "Basic !", "Basic YQ", "Basic YQ==", "Bearer abc", "Basic /w=="),
        *(basic("", "s"), basic("c%00", "s"), basic("%FF", "s")),
    ],
)
def test_a_header_that_cannot_be_read_is_an_invalid_client(header: str) -> None:
    assert refusal(credentials, [header], {}) == (401, "invalid_client")


def test_a_secret_is_in_no_representation() -> None:
    assert "s3cret" not in repr(Credentials("c", "s3cret"))
