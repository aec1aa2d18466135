"""Acts for the scoring core: a person at home, and everything that may be different."""

from __future__ import annotations

from dataclasses import replace

from services.anomaly.scoring.acts import Act, Kind, Net
from services.anomaly.scoring.judging import Judgement
from services.anomaly.scoring.scorer import Scorer

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BEGIN = 1_760_000_000_000

HOME = Act(
    eid="",
    ts=BEGIN,
    kind=Kind.REFRESH,
    sub="ann",
    sid="s1",
    ip="81.2.69.10",
    asn=3320,
    cc="DE",
    cls=Net.HOME,
    lat=52.5,
    lon=13.4,
    acc=50,
    ua="Mozilla/5.0 (Windows) Chrome/131.0.0.0",
    br="Chrome",
    ver=131,
    os="Windows",
)
MOBILE = replace(HOME, ip="109.40.1.1", asn=3209, cls=Net.MOBILE, lat=50.1, lon=8.7, acc=300)
HOSTING = replace(HOME, ip="165.22.1.1", asn=14061, cc="DE", cls=Net.HOSTING, lat=50.1, lon=8.7)
ABROAD = replace(HOME, ip="177.10.1.1", asn=28573, cc="BR", lat=-23.5, lon=-46.6)


class Life:
    """One scorer, with a clock that the acts move on."""

    def __init__(self) -> None:
        self.scorer = Scorer()
        self.now = BEGIN
        self.number = 0

    def act(self, kind: Kind, where: Act = HOME, after: int = HOUR, **changed: object) -> Judgement:
        """`after`: ms since the last act."""
        self.now += after
        self.number += 1
        fields = {"eid": f"e{self.number}", "ts": self.now, "kind": kind, **changed}
        return self.scorer.judge(replace(where, **fields))  # type: ignore[arg-type]  # one dict of several types

    def settle(self, days: int = 30) -> None:
        """A person with habits: at home, mornings and evenings, one session."""
        self.act(Kind.SIGN_IN)
        for _ in range(2 * days):
            self.act(Kind.REFRESH, after=DAY // 2)
