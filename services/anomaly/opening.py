"""Opens sealed sightings with subjects' keys, which the issuer gives out and audits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from eventlog.sealing import CannotOpen, open_sealed
from rescind.events.personal import Personal
from rescind.events.registry import decode_personal
from services.anomaly.detector import Sighting

KeysFor = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Subjects' log ids -> their keys, in one audited request; forgotten and unknown ones are missing. EventLogError: try again."""


def opened(sighting: Sighting, keys: Mapping[str, bytes]) -> Personal | None:
    """What the sighting tells; None when it tells nothing, or its key is not among these."""
    key = keys.get(sighting.subject)
    if key is None or not sighting.sealed:
        return None
    try:
        return decode_personal(open_sealed(key, sighting.event_id, sighting.sealed))
    except CannotOpen:
        return None


class CachedKeys:
    """The `SubjectKeys` port: keeps the keys last used in memory, so that not every refresh asks the issuer."""

    def __init__(self, keys_for: KeysFor, *, most: int = 10_000) -> None:
        self._keys_for = keys_for
        self._most = most
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def open(self, sightings: Sequence[Sighting]) -> Sequence[Personal | None]:
        """Fetch the keys that are missing at once, then open."""
        wanted = {each.subject for each in sightings if each.sealed}
        missing = sorted(wanted - self._known.keys())
        fetched = self._keys_for(missing) if missing else {}
        keys = {subject: self._known[subject] for subject in wanted - set(missing)} | dict(fetched)
        self._keep(keys)
        return [opened(each, keys) for each in sightings]

    def forget(self, subject: str) -> None:
        """Drop its key."""
        self._known.pop(subject, None)

    def _keep(self, keys: Mapping[str, bytes]) -> None:
        for subject, key in keys.items():
            self._known[subject] = key
            self._known.move_to_end(subject)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
