"""A verifier's measures in the Prometheus text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable

from rescind.verifier import Measures


def exposition(measures: Measures) -> str:
    """Write the measures; `staleness` is `+Inf` while nothing is proven. Serve it as `text/plain; version=0.0.4`."""
    position = measures.position
    lines = [
        *_metric("rescind_ready", "gauge", "1 if tokens can be accepted now.", int(measures.ready)),
        *_metric("rescind_staleness_seconds", "gauge", "How long ago the list was provably complete.", measures.staleness),
        *_metric("rescind_epoch", "gauge", "The epoch of the list.", position.epoch if position else 0),
        *_metric("rescind_position", "gauge", "The position of the list in its epoch.", position.seq if position else 0),
        *_metric("rescind_accepted_stale_total", "counter", "Tokens accepted by best effort.", measures.accepted_stale),
        *_metric("rescind_checked_total", "counter", "Signatures checked.", measures.checked),
        *_metric("rescind_remembered", "gauge", "Tokens whose signature is remembered.", measures.remembered),
        *_metric("rescind_feed_connects_total", "counter", "Connections to the feed.", measures.connects),
        *_metric("rescind_feed_snapshots_total", "counter", "Snapshots loaded.", measures.snapshots),
        *_metric("rescind_feed_deltas_total", "counter", "Deltas applied.", measures.deltas),
        *_metric("rescind_feed_problem", "gauge", "1 while the feed is interrupted.", int(bool(measures.problem))),
        *_head("rescind_denials_total", "counter", "Tokens refused, by reason."),
        *(f'rescind_denials_total{{reason="{reason.value}"}} {count}' for reason, count in sorted(measures.denials.items())),
    ]
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, words: str) -> Iterable[str]:
    return f"# HELP {name} {words}", f"# TYPE {name} {kind}"


def _metric(name: str, kind: str, words: str, value: float) -> Iterable[str]:
    return *_head(name, kind, words), f"{name} {'+Inf' if value == float('inf') else value}"
