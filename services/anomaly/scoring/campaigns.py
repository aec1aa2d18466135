"""Across subjects: one watcher over failures and sign-ins, in the log's order. It answers as of each act."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from services.anomaly.scoring.acts import Kind, Net
from services.anomaly.scoring.traits import Traits

WINDOW = 6 * 3600
KEPT = 64
MOST_SOURCES = 100_000


@dataclass(frozen=True, slots=True)
class Campaign:
    """As of one act, about its network, user agent and device: subjects that failed, and that got in, in the last hours."""

    net_failed: int = 0
    net_passed: int = 0
    ua_failed: int = 0
    ua_passed: int = 0
    unit_failed: int = 0
    all_failed: int = 0
    all_passed: int = 0


QUIET = Campaign()
"""Where nobody looked, or there is nothing to see."""


@dataclass(slots=True)
class _Source:
    """The last tries: (second, subject)."""

    failed: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT))
    passed: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT))


class Watcher:
    """Bounded: the sources that were heard of last, and the last tries of each."""

    def __init__(self) -> None:
        self._sources: OrderedDict[tuple[str, int], _Source] = OrderedDict()

    def watch(self, kind: Kind, seen: Traits, subject: int, second: int) -> Campaign:
        """The state before this act, then the act is added."""
        net, ua, unit, everyone = (
            self._source(name, key) for name, key in (("net", seen.net), ("ua", seen.ua), ("unit", seen.unit), ("all", 1))
        )
        campaign = Campaign(
            net_failed=_subjects(net.failed, second, subject),
            net_passed=_subjects(net.passed, second, subject),
            ua_failed=_subjects(ua.failed, second, subject, 3600),
            ua_passed=_subjects(ua.passed, second, subject, 3600),
            unit_failed=_subjects(unit.failed, second, subject),
            all_failed=_subjects(everyone.failed, second, subject, 900),
            all_passed=_subjects(everyone.passed, second, subject, 900),
        )
        for source in (net, ua, unit, everyone):
            (source.failed if kind is Kind.FAILURE else source.passed).append((second, subject))
        while len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return campaign

    def _source(self, name: str, key: int) -> _Source:
        if not key:
            return _Source()
        found = self._sources.get((name, key))
        if found is None:
            found = self._sources[(name, key)] = _Source()
        self._sources.move_to_end((name, key))
        return found


def _subjects(tries: deque[tuple[int, int]], second: int, but: int, window: int = WINDOW) -> int:
    """How many other subjects there were in the window."""
    return len({subject for at, subject in tries if second - at <= window and subject != but}) if tries else 0


def source_failures(campaign: Campaign, cls: Net | None) -> int:
    """Subjects that failed from this network, if failing is what it is used for; a shared office has its share of typos."""
    shared = campaign.net_passed >= 20 or cls is Net.MOBILE  # noqa: PLR2004
    least = 50 if shared else 5
    return campaign.net_failed if campaign.net_failed >= least and campaign.net_failed > 3 * campaign.net_passed else 0


def wave_failures(campaign: Campaign) -> int:
    """Subjects that failed with this very user agent from anywhere within the hour, far beyond its share of typos."""
    telling = campaign.ua_failed >= 8 and campaign.ua_failed > 2 * campaign.ua_passed  # noqa: PLR2004
    return campaign.ua_failed if telling else 0
