from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuer.api.bodies import is_plain, parse

DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud800"}',
        b'{"a": "\x00"}',
        DEEP,
        b"[" * 30 + b"]" * 30,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'\xef\xbb\xbf{"a": 1}',
    ],
)
def test_what_is_not_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        parse(body)


def test_plain_json_is_read() -> None:
    assert parse('{"a": [1, 2.5, null, "ä", {"b": true}], "c": "\\ud83d\\ude00"}'.encode()) == {
        "a": [1, 2.5, None, "ä", {"b": True}],
        "c": "😀",
    }


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except json.JSONDecodeError:
        return


@given(st.text())
def test_plain_text_can_be_stored(text: str) -> None:
    assert is_plain(text) is ("\0" not in text)  # hypothesis makes no surrogates here
    assert not is_plain(text + "\udc00")
