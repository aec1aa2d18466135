"""A session that somebody copies and uses elsewhere, and what the anomaly service makes of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from demo.people import HOME, HOTEL, Device

_PASSWORD = "correct horse battery staple"
_OWNER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
_OTHER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15"


def copied_session(issuer: str, admin: Mapping[str, str]) -> Device:
    """The device that has the copy: in another network, of another kind, with the session's newest tokens."""
    with httpx.Client(timeout=15, headers={"Connection": "close"}) as http:
        name = f"owner-{uuid.uuid4().hex[:8]}"
        body = {"username": name, "password": _PASSWORD}
        http.post(f"{issuer}/v1/subjects", json=body, headers=admin).raise_for_status()
        owner = Device(http, issuer, "laptop", _OWNER, HOME, f"{name}-laptop")
        owner.sign_in(name, _PASSWORD)
        owner.refresh().raise_for_status()
        copy = replace(owner, name="other", agent=_OTHER, place=HOTEL, device_id=f"{name}-other")
        copy.refresh().raise_for_status()
    return copy


def findings(anomaly: str, admin: Mapping[str, str], sid: str) -> Sequence[Mapping[str, Any]]:
    """Those about this session."""
    answer = httpx.get(f"{anomaly}/v1/findings", params={"sid": sid}, headers=admin, timeout=15)
    found: Sequence[Mapping[str, Any]] = answer.raise_for_status().json()["findings"]
    return found
