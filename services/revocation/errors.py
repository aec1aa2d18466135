"""What can be wrong with a request to the revocation service. `api/errors.py` says what HTTP answers."""

from __future__ import annotations

from collections.abc import Mapping

from services.revocation.decisions.caps import Over


class RevocationError(Exception):
    """Root of these errors."""


class InvalidRevocation(RevocationError):
    """The request makes no sense; `fields` says which of its fields and why."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("the request makes no sense")
        self.fields = fields


class NotFound(RevocationError):
    """Nothing here has this name."""


class OtherRequest(RevocationError):
    """The idempotency key was used for another request."""


class NotLiftable(RevocationError):
    """The revocation cannot be undone (any more); the message says why."""


class Capped(RevocationError):
    """Automated revocations would go over a cap."""

    def __init__(self, over: Over) -> None:
        super().__init__(f"automated revocations are over the cap {over.cap}")
        self.over = over


class NameTaken(RevocationError):
    """A verifier of this name exists."""


class NotYourSource(RevocationError):
    """Facts of this issuer come from another client, or from nobody."""


class Unsettled(RevocationError):
    """The service cannot serve the feed now: it is catching up, or finds out which history it has."""


class TooManyReaders(RevocationError):
    """As many snapshots as allowed are loading."""
