"""Asks Prometheus what a dashboard asks, with its variables filled in as Grafana does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from dashboards.queries import Shape
from dashboards.reading import Asked, defaults, fill

FOLLOW_THE_DATA = {"chain": ".+", "target": ".+", "streamed": ".+", "instance": ".+", "provider": ".+"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time range of a dashboard, in seconds since the epoch, and the time between two points."""

    start: float
    end: float
    step: float
    scrape: float
    """Prometheus's scrape interval."""

    def variables(self) -> dict[str, str]:
        """Grafana's own."""
        rate = max(self.step + self.scrape, 4 * self.scrape)
        return {
            "__range": f"{self.end - self.start:.0f}s",
            "__interval": f"{self.step * 1000:.0f}ms",
            "__rate_interval": f"{rate * 1000:.0f}ms",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """(time, value), the oldest first; one point in the answer to an instant query."""

    @property
    def last(self) -> float:
        return self.points[-1][1]

    def name(self, legend: str) -> str:
        """A legend such as ``{{chain}}: {{fault}}`` with the labels filled in."""
        for label in sorted(self.labels, key=len, reverse=True):
            legend = legend.replace(f"{{{{{label}}}}}", self.labels[label])
        while "{{" in legend:
            before, _, rest = legend.partition("{{")
            legend = before + rest.partition("}}")[2]
        return legend.strip()


class Prometheus:
    def __init__(self, url: str, span: Span) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)
        self._span = span

    def close(self) -> None:
        self._client.close()

    def answer(self, asked: Asked, dashboard: Mapping[str, Any], chosen: Mapping[str, str]) -> list[Series]:
        """``chosen``: the variables that somebody set. ValueError when Prometheus refuses the query."""
        values = {**defaults(dashboard), **FOLLOW_THE_DATA, **self._span.variables(), **chosen}
        expr = fill(asked.expr, values)
        return self.now(expr) if asked.shape is Shape.INSTANT else self.over_time(expr)

    def now(self, expr: str) -> list[Series]:
        """At the end of the span."""
        found = self._get("/api/v1/query", {"query": expr, "time": self._span.end})
        return [Series(labels=_labels(one), points=(_point(one["value"]),)) for one in found]

    def over_time(self, expr: str) -> list[Series]:
        """The last point is the end of the span."""
        span = self._span
        start = span.end - (span.end - span.start) // span.step * span.step
        found = self._get("/api/v1/query_range", {"query": expr, "start": start, "end": span.end, "step": span.step})
        return [Series(labels=_labels(one), points=tuple(map(_point, one["values"]))) for one in found]

    def _get(self, path: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        reply = self._client.get(path, params=dict(parameters)).json()
        if reply["status"] != "success":
            raise ValueError(f"{reply['error']}: {parameters['query']}")
        result: list[dict[str, Any]] = reply["data"]["result"]
        return result


def _labels(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in found["metric"].items() if name != "__name__"}


def _point(pair: tuple[float, str]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
