"""How often a chain is answered by a fallback: counts over time, and shares over any window of the last days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.cumulative import Cumulative
from monitor.model import Origin, Outcome, Path
from monitor.shares import wilson

MINUTE = 60.0
KEEP = 8 * 86400.0
"""Seconds: the longest baseline (a week) before the longest window (a day)."""
_FINE_FOR = 3600.0
"""Seconds for which windows end to the second."""


def counted_path(outcome: Outcome) -> Path | None:
    """The path to add to the chain's history; None for what says nothing about it (a target, a drill, an error).

    A live exchange with a drill is one that was broken on purpose.
    """
    broken = outcome.origin is Origin.LIVE and outcome.drill is not None
    return outcome.path if outcome.is_chain and outcome.origin.counts and not broken else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Answers, and how many of them came from a fallback or from outside the chain. ``exhausted`` is no answer."""

    answers: int = 0
    fallbacks: int = 0

    @property
    def share(self) -> float | None:
        return self.fallbacks / self.answers if self.answers else None

    @property
    def surely(self) -> float:
        """What the share is at least, with 95 % confidence: two odd answers of fifteen say little, eight say enough."""
        return wilson(self.fallbacks, self.answers)[0]

    def __add__(self, other: Counts) -> Counts:
        return Counts(answers=self.answers + other.answers, fallbacks=self.fallbacks + other.fallbacks)


class FallbackHistory:
    """The answers of one chain: by second for an hour, by minute for eight days."""

    def __init__(self, buckets: Iterable[tuple[int, Path, int]] = ()) -> None:
        """``buckets``: (minute since the epoch, path, count), in any order; they count as at the middle of their
        minute, as everything does that is older than an hour."""
        self._counts = Cumulative(fine=1, coarse=int(MINUTE))
        self._pruned = 0
        for minute, path, count in sorted(buckets):
            self._add((minute + 0.5) * MINUTE, path, count)

    def add(self, at: float, path: Path) -> None:
        self._add(at, path, 1)
        if (minute := int(at // MINUTE)) > self._pruned:
            self._pruned = minute
            self._counts.age(at - _FINE_FOR)
            self._counts.forget((at - KEEP) // MINUTE * MINUTE)

    def count_between(self, start: float, end: float) -> Counts:
        """What was answered after ``start`` and not after ``end``, seconds since the epoch."""
        answers, fallbacks = self._counts.between(start, end)
        return Counts(answers=answers, fallbacks=fallbacks)

    def share_between(self, start: float, end: float) -> tuple[float | None, int]:
        """The share of answers that came from a fallback, and the number of answers; None without any."""
        counts = self.count_between(start, end)
        return counts.share, counts.answers

    def share(self, window: float, now: float) -> tuple[float | None, int]:
        """``share_between`` for the last ``window`` seconds."""
        return self.share_between(now - window, now)

    @property
    def first(self) -> float | None:
        """Since when answers are known, to the minute; older ones than eight days are forgotten."""
        first = self._counts.first
        return None if first is None else first // MINUTE * MINUTE

    @property
    def size(self) -> int:
        """How many moments are kept."""
        return len(self._counts)

    def _add(self, at: float, path: Path, count: int) -> None:
        self._counts.add(at, 0 if path is Path.EXHAUSTED else count, count if path.is_fallback else 0)
