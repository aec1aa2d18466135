"""The targets, and a table of what was measured against them: the mean over populations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.measuring import Tally

Reading = Callable[[Tally], float]


@dataclass(frozen=True, slots=True)
class Gate:
    name: str
    read: Reading
    target: float
    at_most: bool

    def measured(self, tallies: Sequence[Tally]) -> float:
        return mean(self.read(each) for each in tallies)

    def met(self, value: float) -> bool:
        return value <= self.target if self.at_most else value >= self.target


def _share(name: str) -> Reading:
    return lambda tally: tally.share(name)


def _caught(attack: str) -> Reading:
    return lambda tally: tally.rate(tally.caught, attack)


def _behaviour(attack: str) -> Reading:
    return lambda tally: tally.rate(tally.behaviour, attack)


def _first(tally: Tally) -> float:
    return tally.at_once.total() / max(1, tally.behaviour.total())


def _waves(tally: Tally) -> float:
    both = ("stuffing", "spray")
    return sum(tally.caught[each] for each in both) / max(1, sum(tally.incidents[each] for each in both))


GATES = (
    Gate("sign-ins interrupted", _share("TokenIssued"), 0.02, at_most=True),
    Gate("refreshes interrupted", _share("TokenRefreshed"), 0.0025, at_most=True),
    Gate("interruptions per 1,000 user-days", lambda tally: tally.per_1000, 6, at_most=True),
    Gate("wrong revocations per 1M user-days", lambda tally: 1e6 * tally.revoked / tally.user_days, 30, at_most=True),
    Gate("honest races killed", lambda tally: tally.races_killed / max(1, tally.races), 0.005, at_most=True),
    Gate("sign-ins, home", _share("TokenIssued/home"), 0.01, at_most=True),
    Gate("sign-ins, IPv6", _share("TokenIssued/ipv6"), 0.01, at_most=True),
    Gate("sign-ins, CGNAT", _share("TokenIssued/cgnat"), 0.01, at_most=True),
    Gate("sign-ins, private relay", _share("TokenIssued/relay"), 0.01, at_most=True),
    Gate("sign-ins, corporate", _share("TokenIssued/corporate"), 0.015, at_most=True),
    Gate("sign-ins, VPN users", _share("TokenIssued/vpn"), 0.06, at_most=True),
    Gate("sign-ins, travellers", _share("TokenIssued/traveller"), 0.20, at_most=True),
    Gate("sign-ins, new device", _share("TokenIssued/new_device"), 0.35, at_most=True),
    Gate("naive takeover", _caught("naive"), 0.98, at_most=False),
    Gate("VPN in the victim's country", _caught("vpn"), 0.93, at_most=False),
    Gate("adversary in the middle", _caught("aitm"), 0.90, at_most=False),
    Gate("stuffing and spray", _waves, 0.97, at_most=False),
    Gate("same city, similar user agent", _caught("same_city"), 0.40, at_most=False),
    Gate("same ISP, cloned user agent", _caught("same_isp"), 0.15, at_most=False),
    Gate("replay, foreign", _caught("replay_foreign"), 1.0, at_most=False),
    Gate("replay, foreign, by behaviour", _behaviour("replay_foreign"), 0.0, at_most=False),
    Gate("replay, VPN", _caught("replay_vpn"), 0.95, at_most=False),
    Gate("replay, VPN, by behaviour", _behaviour("replay_vpn"), 0.55, at_most=False),
    Gate("replay, same city", _caught("replay_same_city"), 0.78, at_most=False),
    Gate("replay, same city, by behaviour", _behaviour("replay_same_city"), 0.25, at_most=False),
    Gate("replay, dormant session", _caught("replay_dormant"), 0.88, at_most=False),
    Gate("first event, of those detected", _first, 0.90, at_most=False),
)


def table(tallies: Sequence[Tally]) -> str:
    """Each gate: target, mean, the worst population, and whether the mean meets the target."""
    lines = [f"{'gate':<38}{'target':>10}{'mean':>10}{'worst':>10}  met"]
    for gate in GATES:
        value = gate.measured(tallies)
        every = [gate.read(each) for each in tallies]
        worst = max(every) if gate.at_most else min(every)
        sign = "≤" if gate.at_most else "≥"
        lines.append(
            f"{gate.name:<38}{sign + f'{gate.target:g}':>10}{value:>10.4g}{worst:>10.4g}  {'yes' if gate.met(value) else 'NO'}"
        )
    early = mean(each.per_1000_all for each in tallies)
    lines.append(f"{'  from the very first day, per 1,000':<38}{'':>10}{early:>10.4g}")
    return "\n".join(lines)
