"""Reads one setting's text. ValueError says what the text must be, and never repeats it: it may hold a password."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

_SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")
_CERTIFICATE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}(=[A-Za-z0-9.:*-]{1,253})?")
_DATABASES = ("postgresql+psycopg", "postgresql")


def read_whole(least: int, most: int = 10 * 366 * 86_400) -> Callable[[str], int]:
    """A whole number in a range."""

    def read(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= value <= most:
            msg = f"must be a whole number from {least} to {most}"
            raise ValueError(msg)
        return value

    return read


def read_fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = "must be a number from 0 to 1"
        raise ValueError(msg)
    return value


def read_path(text: str) -> Path:
    """A file or a folder; `~` is the home folder."""
    if not text:
        msg = "must name a path"
        raise ValueError(msg)
    return Path(text).expanduser()


def read_base_url(text: str) -> str:
    """`https://auth.example.com`, perhaps with a path; no query, no user, no slash at the end."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        msg = "must be a URL such as https://auth.example.com"
        raise ValueError(msg)
    return text.rstrip("/")


def read_origin(text: str) -> str:
    """`https://app.example.com`: scheme, host and, where it is not the usual one, port."""
    url = read_base_url(text)
    if urlsplit(url).path:
        msg = "must be an origin such as https://app.example.com, without a path"
        raise ValueError(msg)
    return url


def read_network(text: str) -> str:
    """An address or a network: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`."""
    try:
        return str(ip_network(text))
    except ValueError as error:
        msg = "must be an address or a network such as 10.0.0.0/8"
        raise ValueError(msg) from error


def read_database(text: str) -> str:
    """`postgresql+psycopg://user:password@host:port/name`; empty keeps SQLite files."""
    parts = urlsplit(text)
    if not text:
        return ""
    if parts.scheme not in _DATABASES or not parts.path.strip("/"):
        msg = "must be a URL such as postgresql+psycopg://user:password@host:5432/name"
        raise ValueError(msg)
    return "postgresql+psycopg" + text[len(parts.scheme) :]


def read_servers(text: str) -> str:
    """`kafka-1:9092,kafka-2:9092`."""
    servers = [each.strip() for each in text.split(",")]
    if not all(_SERVER.fullmatch(each) for each in servers):
        msg = "must be host:port, more of them after commas"
        raise ValueError(msg)
    return ",".join(servers)


def read_certificate(text: str) -> str:
    """`issuer` or `issuer=auth.example.com`: whose certificate, and one more name in it."""
    if not _CERTIFICATE.fullmatch(text):
        msg = "must be NAME or NAME=HOST"
        raise ValueError(msg)
    return text
