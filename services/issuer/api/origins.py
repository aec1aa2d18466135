"""Which web pages may use the refresh cookie, and which may read our answers from another origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from services.problems import Problem

_DEFAULT_PORTS = {"http": 80, "https": 443}
_METHODS = ("GET", "POST", "PATCH", "DELETE")
_HEADERS = ("Authorization", "Content-Type", "Rescind-Device")


def origin_of(url: str) -> str:
    """`scheme://host[:port]` as browsers write it (RFC 6454 section 6.2); ValueError when the URL has no http(s) origin."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        msg = "an origin is written https://host or https://host:port"
        raise ValueError(msg)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def own_origins(url: str) -> frozenset[str]:
    """The origins of a service that is reached at `url`; one on a loopback address is also reached as localhost."""
    origin = origin_of(url)
    host = urlsplit(origin).hostname or ""
    if not _is_loopback(host):
        return frozenset({origin})
    shown = f"[{host}]" if ":" in host else host
    return frozenset({origin, origin.replace(shown, "localhost", 1)})


@dataclass(frozen=True, slots=True)
class Origins:
    """`own`: the service's own origins; `allowed`: foreign ones that are trusted like it. All as `origin_of` writes them."""

    own: frozenset[str]
    allowed: frozenset[str] = frozenset()

    def check_cookie_write(self, headers: Mapping[str, str]) -> None:
        """Refuse a write that a cookie authenticates unless a page of ours, or an allowed one, sent it. Problem 403.

        Browsers put Origin on every POST; one that leaves it out must say `Sec-Fetch-Site: same-origin`, which no page can forge.
        """
        origin = headers.get("origin")
        if origin is None and headers.get("sec-fetch-site") == "same-origin":
            return
        if origin is None or not self._trusts(origin):
            raise _refused()

    def check_sign_in(self, headers: Mapping[str, str]) -> None:
        """Refuse to set a refresh cookie for a foreign page. No Origin at all is no browser. Problem 403."""
        origin = headers.get("origin")
        if origin is not None and not self._trusts(origin):
            raise _refused()

    def _trusts(self, origin: str) -> bool:
        return origin in self.own or origin in self.allowed


def install_cors(app: FastAPI, origins: Origins) -> None:
    """Let pages of the allowed origins read our answers, with credentials (Fetch standard, section 3.2). No `*` ever."""
    if origins.allowed:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(origins.allowed),
            allow_credentials=True,
            allow_methods=_METHODS,
            allow_headers=_HEADERS,
            expose_headers=("Retry-After", "WWW-Authenticate"),
        )


def _refused() -> Problem:
    return Problem(403, "origin_not_allowed", "This page may not use the refresh cookie here. See --public-url.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
