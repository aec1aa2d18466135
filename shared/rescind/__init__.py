"""Refuse a revoked session in-process, within milliseconds, and know when you are too stale to trust yourself."""

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.issuers import Issuer
from rescind.position import Position
from rescind.verifier import Verifier

__all__ = ["Claims", "Denial", "Denied", "Issuer", "Position", "Verifier"]
