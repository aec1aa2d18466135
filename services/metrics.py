"""What `/metrics` shows, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.runtime import Measure

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Requests as they come, and the gauges of the rooms, read at each scrape."""

    def __init__(self, measures: Callable[[], Sequence[Measure]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Gauges(measures))
        self._requests = Counter(
            "rescind_http_requests_total", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "rescind_http_seconds", "Seconds until the answer began.", ["route"], buckets=_BUCKETS, registry=self._registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the template, never the path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything, to be scraped."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, measures: Callable[[], Sequence[Measure]]) -> None:
        self._measures = measures

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for measure in self._measures():
            labels = sorted(measure.labels)
            family = families.setdefault(measure.name, GaugeMetricFamily(f"rescind_{measure.name}", measure.words, labels=labels))
            family.add_metric([measure.labels[name] for name in labels], measure.value)
        return iter(families.values())
