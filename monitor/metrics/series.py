"""The series of every declared metric: which are there, and their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from monitor.metrics.declared import METRICS, Declared, Kind
from monitor.metrics.labels import CAPABILITY, Values
from monitor.model import Health

Owner = TypeVar("Owner", Counter, Gauge, Histogram)

_DECLARED = {declared.name: declared for declared in METRICS}


class Series:
    """A series is named by its metric and the values of its labels, in the order in which they are declared."""

    def __init__(self, registry: CollectorRegistry, build: Mapping[str, str]) -> None:
        self._registry = registry
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._present: dict[str, set[Values]] = {name: set() for name in _DECLARED}
        self._times: dict[tuple[str, Values], float] = {}
        self._children: dict[str, dict[Values, Any]] = {name: {} for name in _DECLARED}
        for declared in METRICS:
            self._declare(declared, build)

    def follow(self, covers: Callable[[Mapping[str, str]], bool], starting: Iterable[tuple[str, Values]]) -> None:
        """Remove those whose labels are not covered any more, and begin those that are new; the others keep their
        values."""
        for name, present in self._present.items():
            gone = [values for values in present if not covers(_named(name, values))]
            for values in gone:
                self.remove(name, values)
        known = {name: frozenset(present) for name, present in self._present.items()}
        for name, values in starting:
            if values not in known[name]:
                self._start(name, values)

    def present(self, name: str) -> frozenset[Values]:
        return frozenset(self._present[name])

    def replace(self, name: str, values: Mapping[Values, float]) -> None:
        """All series of a gauge at once: the others are removed."""
        for gone in self._present[name] - values.keys():
            self.remove(name, gone)
        for labels, value in values.items():
            self.set(name, labels, value)

    def remove(self, name: str, values: Values) -> None:
        if values not in self._present[name]:
            return
        self._present[name].discard(values)
        self._times.pop((name, values), None)
        self._children[name].pop(values, None)
        owner: Counter | Gauge | Histogram
        owner = self._counters.get(name) or self._gauges.get(name) or self._histograms[name]
        owner.remove(*values)

    def count(self, name: str, values: Values, amount: float = 1) -> None:
        child = self._children[name].get(values) or self._child(self._counters, name, values)
        child.inc(amount)

    def set(self, name: str, values: Values, value: float) -> None:
        self._child(self._gauges, name, values).set(value)

    def advance(self, name: str, values: Values, at: float) -> None:
        """Set a time unless a later one is there."""
        if at > self._times.get((name, values), 0.0):
            self._times[name, values] = at
            self.set(name, values, at)

    def histogram(self, name: str, values: Values) -> Histogram:
        return self._child(self._histograms, name, values)

    def _start(self, name: str, values: Values) -> None:
        """Make a series appear, at 0; health is unknown and a share is no number until something is known."""
        kind = _DECLARED[name].kind
        if kind is Kind.COUNTER:
            self.count(name, values, 0)
        elif kind is Kind.HISTOGRAM:
            self.histogram(name, values)
        elif name.endswith("_ratio") or name == CAPABILITY:
            self.set(name, values, float("nan"))
        else:
            self.set(name, values, float(name.endswith("_health") and values[-1] == Health.UNKNOWN))

    def _declare(self, declared: Declared, build: Mapping[str, str]) -> None:
        name, registry = declared.name, self._registry
        if declared.kind is Kind.COUNTER:
            self._counters[name] = Counter(name, declared.help, declared.labels, registry=registry)
        elif declared.kind is Kind.GAUGE:
            self._gauges[name] = Gauge(name, declared.help, declared.labels, registry=registry)
        elif declared.kind is Kind.HISTOGRAM:
            buckets = declared.buckets
            self._histograms[name] = Histogram(name, declared.help, declared.labels, registry=registry, buckets=buckets)
        else:
            Info(name.removesuffix("_info"), declared.help, registry=registry).info(dict(build))

    def _child(self, owners: Mapping[str, Owner], name: str, values: Values) -> Owner:
        """One series. Kept here as well: the library looks it up under a lock, and makes texts of the labels first."""
        if not values:
            return owners[name]
        child: Owner | None = self._children[name].get(values)
        if child is None:
            self._present[name].add(values)
            child = self._children[name][values] = owners[name].labels(*values)
        return child


def _named(name: str, values: Values) -> dict[str, str]:
    return dict(zip(_DECLARED[name].labels, values, strict=True))
