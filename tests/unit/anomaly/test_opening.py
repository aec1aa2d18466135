from __future__ import annotations

from collections.abc import Mapping, Sequence

from kit.session_story import HOME, THIEF

from eventlog.sealing import new_key, seal
from rescind.events.registry import encode_personal
from services.anomaly.detector import Sighting
from services.anomaly.opening import CachedKeys, opened

KEYS = {name: new_key() for name in ("s1", "s2", "s3")}


def sighting(subject: str, event_id: str = "e1") -> Sighting:
    return Sighting(event_id, subject, 0, seal(KEYS[subject], event_id, encode_personal(HOME)))


class Issuer:
    def __init__(self) -> None:
        self.keys = dict(KEYS)
        self.asked: list[list[str]] = []

    def __call__(self, subjects: Sequence[str]) -> Mapping[str, bytes]:
        self.asked.append(list(subjects))
        return {each: self.keys[each] for each in subjects if each in self.keys}


def test_keys_are_fetched_in_one_request_and_kept() -> None:
    issuer = Issuer()
    keys = CachedKeys(issuer)
    assert keys.open([sighting("s1"), sighting("s2"), sighting("s1", "e2")]) == [HOME, HOME, HOME]
    assert keys.open([sighting("s2", "e3")]) == [HOME]
    assert issuer.asked == [["s1", "s2"]]


def test_nothing_is_asked_for_what_is_not_sealed() -> None:
    issuer = Issuer()
    assert CachedKeys(issuer).open([Sighting("e1", "s1", 0, b"")]) == [None]
    assert issuer.asked == []


def test_a_forgotten_subject_stays_closed() -> None:
    issuer = Issuer()
    keys = CachedKeys(issuer)
    keys.open([sighting("s1")])
    del issuer.keys["s1"]
    keys.forget("s1")
    assert keys.open([sighting("s1")]) == [None]


def test_only_the_last_used_keys_are_kept() -> None:
    issuer = Issuer()
    keys = CachedKeys(issuer, most=2)
    for subject in ("s1", "s2", "s1", "s3", "s1", "s2"):
        assert keys.open([sighting(subject)]) == [HOME]
    assert issuer.asked == [["s1"], ["s2"], ["s3"], ["s2"]]


def test_what_was_sealed_for_another_event_or_key_is_not_opened() -> None:
    moved = Sighting("e2", "s1", 0, sighting("s1", "e1").sealed)
    assert opened(moved, KEYS) is None
    assert opened(sighting("s1"), {"s1": KEYS["s2"]}) is None
    assert opened(sighting("s1"), KEYS) == HOME != THIEF
