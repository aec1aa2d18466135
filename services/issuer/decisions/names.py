"""Names that come from outside: made comparable, or refused. Pure."""

from __future__ import annotations

import re
import unicodedata

from services.issuer.errors import InvalidRequest

_MAX_NAME = 255
_MAX_DEVICE_NAME = 100
_ID = re.compile(r"[0-9a-f]{32}")


def is_name(text: str) -> bool:
    """Whether it can stand in a token and in a database: printable, at most 255 characters."""
    return 0 < len(text) <= _MAX_NAME and text.isprintable()


def is_id(text: str) -> bool:
    """Whether it is one of our own ids."""
    return _ID.fullmatch(text) is not None


def username(text: str) -> str:
    """One spelling for what people take for the same name; "" for what cannot be one."""
    name = unicodedata.normalize("NFKC", text).casefold().strip()
    return name if is_name(name) else ""


def new_username(text: str) -> str:
    """The name of a new account. InvalidRequest."""
    name = username(text)
    if not name:
        raise InvalidRequest({"username": f"A username has 1 to {_MAX_NAME} printable characters."})
    return name


def device_name(text: str) -> str | None:
    """What a person calls a device, without control characters; None for nothing. InvalidRequest when it is too long."""
    name = "".join(char for char in text if char.isprintable()).strip()
    if len(name) > _MAX_DEVICE_NAME:
        raise InvalidRequest({"device_name": f"A device's name has at most {_MAX_DEVICE_NAME} characters."})
    return name or None
