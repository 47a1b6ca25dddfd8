"""How well a chain keeps its promise: good and bad answers over time, and how fast they use up what may go wrong. Pure.

A promise of 99.5 % leaves a budget of 0.5 % for errors. A burn rate of 1 uses it up exactly; 14.4 uses up 2 % of a
month's budget within one hour (Google, The Site Reliability Workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.cumulative import Cumulative
from monitor.model import Outcome, Status

MINUTE = 60.0
KEEP = 3 * 86400.0
"""Seconds: the longest window."""
COARSE = 15 * 60
"""Seconds of a bucket once it is old: bounds what is kept of a chain to some 700 buckets."""
FINE_FOR = 7 * 3600.0
"""Seconds for which single minutes are kept: the short windows, and room for a clock that is set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Answers by whether they kept the promise."""

    good: int = 0
    bad: int = 0

    @property
    def total(self) -> int:
        return self.good + self.bad

    def burn(self, success: float) -> float | None:
        """How many times faster than allowed errors come; None without answers or without room for any error."""
        if not self.total or success >= 1:
            return None
        return self.bad / self.total / (1 - success)


def is_good(outcome: Outcome) -> bool | None:
    """Whether the application got its answer; None for what says nothing about it (a target, a drill, an error)."""
    broken = outcome.drill is not None
    if not outcome.is_chain or not outcome.origin.counts or broken or outcome.status is Status.ERROR:
        return None
    return outcome.status is not Status.FAILED


class ObjectiveHistory:
    """The answers of one chain, by minute while they are young and by quarter of an hour later."""

    def __init__(self, buckets: Iterable[tuple[int, int, int]] = ()) -> None:
        """``buckets``: (minute since the epoch, good, bad), in any order."""
        self._counts = Cumulative(fine=int(MINUTE), coarse=COARSE)
        self._thinned = 0
        latest = None
        for latest, good, bad in sorted(buckets):
            self._counts.add(latest * MINUTE, good, bad)
        if latest is not None:
            self._thin(latest)

    def add(self, at: float, *, good: bool) -> None:
        self._counts.add(at, int(good), int(not good))
        if (minute := int(at // MINUTE)) > self._thinned:
            self._thin(minute)

    def over(self, window: float, now: float) -> Kept:
        """What was answered in the last ``window`` seconds, to the minute (to the quarter of an hour for long ones).
        The minute that has begun counts whole."""
        good, bad = self._counts.between(now - window, (now // MINUTE + 1) * MINUTE)
        return Kept(good=good, bad=bad)

    @property
    def size(self) -> int:
        """How many buckets are kept."""
        return len(self._counts)

    def _thin(self, minute: int) -> None:
        self._thinned = minute
        self._counts.age(minute * MINUTE - FINE_FOR)
        self._counts.forget(minute * MINUTE - KEEP - COARSE)
