"""Where a request comes from: the address, user agent and device that the use cases are told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import Request

from services.issuer.api import device_cookie
from services.issuer.api.addresses import Network, client_address
from services.issuer.api.cookies import DEVICE
from services.issuer.api.device_cookie import Device
from services.issuer.contexts import RequestContext

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_USER_AGENT = 512
_LONGEST_DEVICE = 255


def client_ip(request: Request, proxies: Sequence[Network]) -> str | None:
    """The client's address; None when it is unknown."""
    peer = request.client.host if request.client else None
    return client_address(peer, request.headers.getlist("x-forwarded-for"), proxies)


def user_agent(text: str | None) -> str | None:
    """The first 512 characters without control characters; None when nothing is left."""
    return _CONTROLS.sub("", (text or "")[:_LONGEST_USER_AGENT]).strip() or None


def told_device(text: str | None) -> str | None:
    """A device as a trusted back end names it: any text up to 255 characters, without control characters; None for no such."""
    name = _CONTROLS.sub("", text or "").strip()
    return name if 0 < len(name) <= _LONGEST_DEVICE else None


def cookie_device(request: Request) -> Device | None:
    """The browser's device cookie, if it sent a well-formed one."""
    return device_cookie.read(request.cookies.get(DEVICE))


def context_of(request: Request, proxies: Sequence[Network]) -> RequestContext:
    """The request's own context: the client's `Rescind-Device` name goes before the device cookie."""
    device = cookie_device(request)
    return RequestContext(
        ip=client_ip(request, proxies),
        user_agent=user_agent(request.headers.get("user-agent")),
        device=device_cookie.named(request.headers.get("rescind-device")) or (device.id if device else None),
    )
