"""The way back: what was revoked from outside comes into the issuer's own records."""

from __future__ import annotations

from eventlog.port import Batch, Checkpoint


class Following:
    """A projection over the revocation log (eventlog.port.Projection)."""

    def checkpoint(self) -> Checkpoint:
        """Where to go on from in the revocation log."""
        raise NotImplementedError

    def apply(self, batch: Batch) -> None:
        """Write the effects on our sessions, subjects and keys, and the checkpoint, in one transaction."""
        raise NotImplementedError
