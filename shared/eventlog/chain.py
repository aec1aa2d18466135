"""The hash chain: each record's hash covers its predecessor's, so that no change, removal or exchange goes unseen."""

from __future__ import annotations

import hashlib

from eventlog.port import Recorded

GENESIS = bytes(32)
"""What stands before a log's first record."""


def link(previous: bytes, recorded: Recorded) -> bytes:
    """SHA-256 over `previous` and the record, each field after its length as 8 bytes big-endian.

    The fields: position, stream, version, id, type, time, subject, session, data, personal. Texts are UTF-8, numbers decimal.
    `personal` counts as it is stored, sealed, so that the chain holds when a subject's key is deleted.
    """
    event = recorded.event
    texts = (
        str(recorded.position),
        recorded.stream,
        str(recorded.version),
        event.id,
        event.type,
        str(event.time),
        event.subject,
        event.session,
    )
    found = hashlib.sha256(previous)
    for part in (*(each.encode() for each in texts), event.data, event.personal):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()
