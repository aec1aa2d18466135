"""A session's state and refreshes of it, without a database."""

from __future__ import annotations

from dataclasses import replace

from kit.issuing import START

from services.issuer.decisions.presence import Presence
from services.issuer.decisions.refreshing import Decision, Presented, decide
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.session import Begin, Session, begin
from services.issuer.settings import IssuerSettings

HERE = Presence(ip="192.0.2.7", device="d", browser="Chrome", asn=64500)
THERE = Presence(ip="198.51.100.9", device="e", browser="Firefox", asn=64501)
SETTINGS = IssuerSettings(iss="https://id.example")


def new_session(
    *, settings: IssuerSettings = SETTINGS, bind_ip: str = "off", bind_device: str = "off", remember_me: bool = False
) -> Session:
    """A session with number 1, begun at START from HERE."""
    command = Begin(
        sid="0" * 32,
        subject_id="s",
        client_id="c",
        secret=b"secret",
        scopes=None,
        claims={},
        remember_me=remember_me,
        bind_ip=bind_ip,
        bind_device=bind_device,
        device_name=None,
    )
    return replace(begin(command, HERE, settings, kid="k", auth_time=START // 1000, now=START), sn=1)


def refreshed(
    session: Session,
    generation: int,
    *,
    now: int = START + 1000,
    presence: Presence = HERE,
    exp: int | None = None,
    others: tuple[Restriction, ...] = (),
    settings: IssuerSettings = SETTINGS,
) -> Decision:
    """What a refresh with this generation's token decides."""
    presented = Presented(
        generation=generation,
        exp=session.rotation.exp if exp is None else exp,
        presence=presence,
        others=others,
        cv=3,
        kid="k2",
    )
    return decide(session, presented, settings, now=now, new_id=lambda: "r" * 32)
