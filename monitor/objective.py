"""How well a chain keeps its promise: good and bad answers over time, and how fast they use up what may go wrong. Pure.

A promise of 99.5 % leaves a budget of 0.5 % for errors. A burn rate of 1 uses it up exactly; 14.4 uses up 2 % of a
month's budget within one hour (Google, The Site Reliability Workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from monitor.model import Outcome, Status

MINUTE = 60.0
KEEP = 3 * 86400.0
"""Seconds: the longest window."""
COARSE = 15
"""Minutes of a bucket once it is old: bounds what is kept of a chain to some 700 buckets."""
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
        self._fine: dict[int, list[int]] = {}
        self._coarse: dict[int, list[int]] = {}
        latest = 0
        for minute, good, bad in buckets:
            counts = self._fine.setdefault(minute, [0, 0])
            counts[0] += good
            counts[1] += bad
            latest = max(latest, minute)
        self._thinned = 0
        if latest:
            self._thin(latest)

    def add(self, at: float, *, good: bool) -> None:
        minute = int(at // MINUTE)
        counts = self._fine.setdefault(minute, [0, 0])
        counts[0 if good else 1] += 1
        if minute > self._thinned:
            self._thin(minute)

    def over(self, window: float, now: float) -> Kept:
        """What was answered in the last ``window`` seconds, to the minute (to the quarter of an hour for long ones)."""
        start, end = (now - window) / MINUTE, now / MINUTE
        first, last = ceil(start - 0.5), int(end)
        fine = (
            [counts for minute in range(first, last + 1) if (counts := self._fine.get(minute))]
            if last - first < len(self._fine)
            else [counts for minute, counts in self._fine.items() if first <= minute <= last]
        )
        if window <= FINE_FOR - COARSE * MINUTE:
            return _sum(fine)
        coarse = [
            counts
            for block, counts in self._coarse.items()
            if start <= (block + 0.5) * COARSE and block * COARSE <= end
        ]
        return _sum([*fine, *coarse])

    @property
    def size(self) -> int:
        """How many buckets are kept."""
        return len(self._fine) + len(self._coarse)

    def _thin(self, minute: int) -> None:
        self._thinned = minute
        edge = (minute - int(FINE_FOR // MINUTE)) // COARSE * COARSE
        for old in [one for one in self._fine if one < edge]:
            good, bad = self._fine.pop(old)
            counts = self._coarse.setdefault(old // COARSE, [0, 0])
            counts[0] += good
            counts[1] += bad
        last = (minute - int(KEEP // MINUTE)) // COARSE - 1
        for block in [one for one in self._coarse if one < last]:
            del self._coarse[block]


def _sum(buckets: Iterable[list[int]]) -> Kept:
    found = list(buckets)
    return Kept(good=sum(counts[0] for counts in found), bad=sum(counts[1] for counts in found))
