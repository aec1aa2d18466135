"""Binding a session to the network and the device of its sign-in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.issuer.decisions.presence import Presence, network


class Bind(StrEnum):
    """What happens on a difference: nothing, a word in the event, or the session's end."""

    OFF = "off"
    LOG = "log"
    STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a session is bound to. `networks` in CIDR form, at most one of each family; `asn` of the first."""

    networks: tuple[str, ...] = ()
    asn: int | None = None
    device: str | None = None
    browser: str | None = None


UNANCHORED = Anchor()


@dataclass(frozen=True, slots=True)
class Bound:
    """What differs, and the anchor to keep (it may have learned a network)."""

    ip_differs: bool
    device_differs: bool
    anchor: Anchor

    def strict(self, bind_ip: str, bind_device: str) -> bool:
        """Whether the session ends."""
        return (self.ip_differs and bind_ip == Bind.STRICT) or (self.device_differs and bind_device == Bind.STRICT)

    def words(self, bind_ip: str, bind_device: str) -> str:
        """For the event: "ip", "device", "ip device" or ""."""
        differing = (
            ("ip", self.ip_differs and bind_ip != Bind.OFF),
            ("device", self.device_differs and bind_device != Bind.OFF),
        )
        return " ".join(name for name, differs in differing if differs)


def anchored(presence: Presence) -> Anchor:
    """The anchor of a sign-in."""
    networks = (network(presence.ip),) if presence.ip else ()
    return Anchor(networks=networks, asn=presence.asn, device=presence.device, browser=presence.browser)


def compare(anchor: Anchor, presence: Presence) -> Bound:
    """Compare a refresh with the sign-in. What a back end did not tell, and what was never known, is no difference.

    A first address of the other family is accepted, and remembered, only where the autonomous system is known to be the same.
    """
    ip_differs, learned = _compare_networks(anchor, presence)
    return Bound(ip_differs, presence.known and _device_differs(anchor, presence), learned)


def _compare_networks(anchor: Anchor, presence: Presence) -> tuple[bool, Anchor]:
    if presence.ip is None:
        return False, anchor
    here = network(presence.ip)
    if here in anchor.networks:
        return False, anchor
    if not anchor.networks:
        return False, _with_network(anchor, here, presence.asn)
    same_family = any((":" in here) == (":" in known) for known in anchor.networks)
    if same_family or anchor.asn is None or anchor.asn != presence.asn:
        return True, anchor
    return False, _with_network(anchor, here, anchor.asn)


def _with_network(anchor: Anchor, here: str, asn: int | None) -> Anchor:
    return Anchor(networks=(*anchor.networks, here), asn=asn, device=anchor.device, browser=anchor.browser)


def _device_differs(anchor: Anchor, presence: Presence) -> bool:
    if anchor.device is not None and presence.device != anchor.device:
        return True
    return anchor.browser is not None and presence.browser is not None and presence.browser != anchor.browser
