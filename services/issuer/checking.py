"""Checking access tokens of our own at our own endpoints."""

from __future__ import annotations

from rescind.claims import Claims
from rescind.errors import Denied


class AccessCheck:
    """`check` is what services/access.py asks: signature, claims and the session's own state in our database."""

    def check(self, token: str) -> Claims | Denied:
        """Judge an access token now. EventLogError when the database is away."""
        raise NotImplementedError
