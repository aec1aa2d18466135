"""What can go wrong between two services."""

from __future__ import annotations

from eventlog.errors import StoreUnavailable


class NoAnswer(StoreUnavailable):
    """The other service cannot be reached, refuses us, or what came back is no answer of its own. Nothing is skipped: try again.

    The message, `who` and what it did, is for an operator. It quotes nothing that came or went but the answer's status and code.
    """

    def __init__(self, who: str, what: str) -> None:
        super().__init__(f"{who} {what}")
