"""POST /api/password: change one's own password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.issuer.api.addresses import network_of
from services.issuer.api.documented import front
from services.issuer.api.fields import FrontBody, Password
from services.issuer.api.parts import Parts
from services.issuer.api.routing import FrontRoutes
from services.issuer.api.throttling import Attempt
from services.issuer.api.where import context_of
from services.issuer.errors import WrongPassword
from services.principal import Principal


class ChangePassword(FrontBody):
    """The new one has 8 characters at least; there are no rules of composition."""

    old_password: Password
    new_password: Password


def routes(parts: Parts) -> APIRouter:
    """Change the password."""
    api = FrontRoutes()
    signed_in = parts.access.signed_in

    @api.post("/api/password", status_code=204, response_class=Response, responses=front(400, 401, 403, 409, 429))
    async def change(body: ChangePassword, request: Request, caller: Annotated[Principal, Depends(signed_in)]) -> None:
        """Change the password; all other sessions end (all, by setting)."""
        await parts.passwords.run(lambda: _change(parts, body, request, caller))

    return api


def _change(parts: Parts, body: ChangePassword, request: Request, caller: Principal) -> None:
    context = context_of(request, parts.proxies)
    attempt = Attempt(account=f"sub {caller.sub}", network=network_of(context.ip))
    parts.throttle.check(attempt)
    subject_id = parts.subjects.find(caller.sub).id
    try:
        parts.subjects.change_password(subject_id, body.old_password, body.new_password, current_sid=caller.sid, context=context)
    except WrongPassword:
        parts.throttle.failed(attempt)
        raise
