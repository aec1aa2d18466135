"""Who follows the feed: a verifier, by its credential."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.problems import Problem
from services.revocation.verifiers import Verifiers

_BEARER = HTTPBearer(auto_error=False, scheme_name="verifier credential")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rescind feed"'}


class VerifierOnly:
    """A dependency: the name of the verifier that calls, or 401. Asks no database."""

    def __init__(self, verifiers: Verifiers) -> None:
        self._verifiers = verifiers

    async def __call__(self, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
        """Run by FastAPI in the event loop."""
        name = self._verifiers.authenticate(bearer.credentials) if bearer else None
        if name is None:
            raise Problem(401, "not_authenticated", "A verifier's credential is needed.", headers=_CHALLENGE)
        return name
