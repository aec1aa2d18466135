"""A session's personal part as JSON, for sealing. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.issuer.decisions.binding import Anchor
from services.issuer.decisions.presence import Presence
from services.issuer.decisions.session import Profile

_ENCODER = json.JSONEncoder(separators=(",", ":"))
_PRESENCE = ("ip", "user_agent", "device", "browser", "os", "asn", "place")


def dump(profile: Profile) -> bytes:
    """Write what is known."""
    anchor = profile.anchor
    return _ENCODER.encode(
        {
            "anchor": [anchor.networks, anchor.asn, anchor.device, anchor.browser],
            "last": {name: value for name in _PRESENCE if (value := getattr(profile.last, name)) is not None},
            "known": profile.last.known,
            "device_name": profile.device_name,
            "claims": profile.claims,
        }
    ).encode()


def load(data: bytes) -> Profile:
    """Read `dump` back."""
    found: Mapping[str, Any] = json.loads(data)
    networks, asn, device, browser = found["anchor"]
    return Profile(
        anchor=Anchor(networks=tuple(networks), asn=asn, device=device, browser=browser),
        last=Presence(known=found["known"], **found["last"]),
        device_name=found["device_name"],
        claims=found["claims"],
    )
