"""A chain over time as the pages and the API show it: bucketed values, bounded whatever the traffic was."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from monitor.model import Health
from monitor.web.views import RunView, View


class Window(StrEnum):
    """How far a picture goes back."""

    SHORT = "15m"
    HOUR = "1h"
    QUARTER = "6h"
    DAY = "1d"
    WEEK = "7d"

    @property
    def seconds(self) -> float:
        return _WINDOWS[self][0]

    @property
    def step(self) -> float:
        """Width of a bucket in seconds: no picture has more than a hundred."""
        return _WINDOWS[self][1]


_WINDOWS = {
    Window.SHORT: (900.0, 15.0),
    Window.HOUR: (3600.0, 60.0),
    Window.QUARTER: (6 * 3600.0, 300.0),
    Window.DAY: (86400.0, 900.0),
    Window.WEEK: (7 * 86400.0, 7200.0),
}


class ServedView(View):
    """Who answered the end-to-end questions in one bucket. ``counts``: by position; ``strangers``: a model outside the
    chain did; ``nobody``: no target did."""

    at: float
    counts: tuple[int, ...]
    strangers: int = 0
    nobody: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts) + self.strangers + self.nobody


class StripView(View):
    """Who served, bucket by bucket without gaps; ``labels`` of the targets in order."""

    start: float
    step: float
    labels: tuple[str, ...]
    buckets: tuple[ServedView, ...]


class SeriesView(View):
    """One line of a chart, a value for each time of the chart or None; ``target`` None: the chain end to end."""

    target: str | None
    median: tuple[float | None, ...]
    worst: tuple[float | None, ...]
    answers: tuple[int, ...]


class TroubleView(View):
    """A time in which the chain was not healthy. ``end`` None: it still is not. ``health``: the worst of it."""

    start: float
    end: float | None
    health: Health
    why: str


class HistoryView(View):
    """``at``: where each bucket begins; series have one value for each."""

    chain: str
    window: Window
    start: float
    end: float
    step: float
    at: tuple[float, ...]
    latency: tuple[SeriesView, ...] = Field(description="Seconds until the whole answer, of scheduled questions.")
    first_token: tuple[SeriesView, ...] = Field(description="Seconds until the first token, of scheduled streams.")
    troubles: tuple[TroubleView, ...]
    runs: tuple[RunView, ...] = Field(description="Drills that ended in this time, newest first.")


def starts(now: float, window: Window) -> tuple[float, ...]:
    """Where the buckets of a window begin, the one that is going on among them."""
    step = window.step
    last = now // step * step
    count = round(window.seconds / step)
    return tuple(last - step * back for back in reversed(range(count)))


def fill(
    found: Sequence[tuple[str | None, int, int, float, float]], targets: Sequence[str], at: Sequence[float], step: float
) -> tuple[SeriesView, ...]:
    """Lines without gaps from (target, bucket, answers, median, worst): the chain's first, then its targets' in order;
    whoever has no value at all has no line."""
    by_place = {(target, bucket): rest for target, bucket, *rest in found}
    buckets = [round(start / step) for start in at]
    known = {target for target, *_ in found}
    made = []
    for target in (None, *targets):
        if target not in known:
            continue
        cells = [by_place.get((target, bucket)) for bucket in buckets]
        made.append(
            SeriesView(
                target=target,
                median=tuple(_rounded(cell[1]) if cell else None for cell in cells),
                worst=tuple(_rounded(cell[2]) if cell else None for cell in cells),
                answers=tuple(int(cell[0]) if cell else 0 for cell in cells),
            )
        )
    return tuple(made)


def _rounded(value: float) -> float:
    return round(value, 4)
