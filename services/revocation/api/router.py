"""All routes of the revocation service."""

from __future__ import annotations

from fastapi import APIRouter

from services.revocation.api import administration, facts, feed, revocations
from services.revocation.api.parts import Parts

ROUTES = (
    revocations.routes,
    feed.routes,
    facts.routes,
    administration.verifier_routes,
    administration.source_routes,
)


def router(parts: Parts) -> APIRouter:
    """The revocation service's part of the application."""
    api = APIRouter()
    for routes in ROUTES:
        api.include_router(routes(parts))
    return api
