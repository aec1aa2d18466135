"""What can go wrong with the log.

EventLogError
├── VersionConflict      another writer was first: decide again
├── DuplicateEvent       an event of this id is in the log already
├── UnknownOutcome       the connection was lost at COMMIT: it may or may not be written
├── Overloaded           too many commands wait
└── StoreUnavailable     the database does not answer, is locked or is full
    └── Contention       chosen as the loser of a deadlock or of a serialization conflict: nothing is written, try again at once
"""

from __future__ import annotations


class EventLogError(Exception):
    """Root of the log's errors."""


class VersionConflict(EventLogError):
    """Another writer was first: decide again."""


class DuplicateEvent(EventLogError):
    """An event of this id is in the log already."""


class UnknownOutcome(EventLogError):
    """The connection was lost at COMMIT: the write may or may not stand."""


class Overloaded(EventLogError):
    """Too many commands wait for the committer."""


class StoreUnavailable(EventLogError):
    """The database does not answer, is locked or is full; the message names which, and no secret."""


class Contention(StoreUnavailable):
    """The database chose this transaction as the loser of a deadlock or conflict: nothing is written, try again at once."""
