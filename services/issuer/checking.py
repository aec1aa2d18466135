"""Checking access tokens of our own at our own endpoints."""

from __future__ import annotations

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from services.issuer.decisions.session import EXPIRED
from services.issuer.errors import InvalidToken, IssuerError, StepUpRequired
from services.issuer.inspecting import Inspecting
from services.issuer.settings import IssuerSettings


class AccessCheck:
    """`check` is what services/access.py asks: signature, claims and the session's own state in our database."""

    def __init__(self, inspecting: Inspecting, settings: IssuerSettings) -> None:
        self._inspecting = inspecting
        self._audience = settings.audience

    def check(self, token: str) -> Claims | Denied:
        """Judge an access token now. EventLogError when the database is away."""
        claims = self._inspecting.claims(token, audience=self._audience)
        if isinstance(claims, Denied):
            return claims
        looked = self._inspecting.look_at_claims(claims)
        if looked.refusal is not None:
            return _denied(looked.refusal)
        return Denied(Denial.TOKEN_OUTDATED, "the token's claims have changed: refresh it") if looked.outdated else claims


def _denied(refusal: IssuerError) -> Denied:
    if isinstance(refusal, StepUpRequired):
        return Denied(Denial.STEP_UP_REQUIRED, "the session waits for a step-up", refusal.step_up_id)
    if isinstance(refusal, InvalidToken):
        if refusal.reason == EXPIRED:
            return Denied(Denial.EXPIRED, "the session has expired")
        return Denied(Denial.TOKEN_REVOKED, "the token was revoked")
    return Denied(Denial.SESSION_REVOKED, "the session has ended")
