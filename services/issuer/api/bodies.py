"""JSON from strangers: no duplicate members, no NaN, no deep nesting, nothing that a database cannot store as text."""

from __future__ import annotations

import json
import re
from typing import NoReturn

_DEEPEST = 20
_NOT_PLAIN = re.compile("[\0\ud800-\udfff]")


def parse(body: bytes) -> object:
    """Read UTF-8 JSON; json.JSONDecodeError with a sentence for anything else."""
    try:
        value: object = json.loads(body.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
        _check(value, 0)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:  # also bytes that are no UTF-8, and numbers of thousands of digits
        message = str(error) if type(error) is ValueError else "no UTF-8, or nested too deeply"
        raise json.JSONDecodeError(message, "", 0) from None
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in one object")
    return members


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _check(value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    match value:
        case str():
            _check_text(value)
        case list():
            for item in value:
                _check(item, depth + 1)
        case dict():
            for name, item in value.items():
                _check_text(name)
                _check(item, depth + 1)
        case float() if value in (float("inf"), float("-inf")):
            raise ValueError("a number is too large")


def _check_text(text: str) -> None:
    if not is_plain(text):
        raise ValueError("a text has a NUL or half a surrogate pair")


def is_plain(text: str) -> bool:
    """Whether a database can store this text: no NUL, no lone surrogates."""
    return not _NOT_PLAIN.search(text)
