"""From a request's context to what is known of where somebody is."""

from __future__ import annotations

from services.issuer.contexts import RequestContext
from services.issuer.decisions.presence import UNKNOWN, Presence
from services.issuer.networks import Networks, canonical
from services.issuer.user_agents import Agent, cleaned, parse


def observe(context: RequestContext, networks: Networks) -> Presence:
    """Clean what came, and look up what follows from it."""
    if not context.known:
        return UNKNOWN
    ip = canonical(context.ip)
    agent_text = cleaned(context.user_agent)
    agent = parse(agent_text) if agent_text else Agent()
    origin = networks.origin(ip) if ip else None
    return Presence(
        ip=ip,
        user_agent=agent_text,
        device=cleaned(context.device),
        browser=agent.browser,
        os=agent.os,
        asn=origin.asn if origin else None,
        place=origin.place if origin else None,
    )
