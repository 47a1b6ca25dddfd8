"""How often a chain is answered by a fallback: counts by minute, and shares over any window of the last days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model import Origin, Outcome, Path

MINUTE = 60.0
KEEP = 8 * 86400.0
"""Seconds: the longest baseline (a week) before the longest window (a day)."""
_EXACT_FOR = 3600.0
_EXACT_LIMIT = 1000


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

    def __add__(self, other: Counts) -> Counts:
        return Counts(answers=self.answers + other.answers, fallbacks=self.fallbacks + other.fallbacks)


class _Bucket:
    """One minute. ``exact`` are the single answers, while they are young and few; incomplete after a restore."""

    __slots__ = ("exact", "paths")

    def __init__(self) -> None:
        self.paths: dict[Path, int] = {}
        self.exact: list[tuple[float, Path]] = []

    def count(self) -> Counts:
        return _counts(self.paths.items())

    def count_between(self, minute: int, start: float, end: float) -> Counts:
        """The part of a minute at the edge of a window; without single answers all of it counts as at its middle."""
        if len(self.exact) == sum(self.paths.values()):
            return _counts((path, 1) for at, path in self.exact if start < at <= end)
        return self.count() if start < (minute + 0.5) * MINUTE <= end else Counts()


class FallbackHistory:
    """The answers of one chain. Minutes are numbered since the epoch (``int(at // 60)``)."""

    def __init__(self, buckets: Iterable[tuple[int, Path, int]] = ()) -> None:
        """``buckets`` as ``buckets()`` gave them."""
        self._minutes: dict[int, _Bucket] = {}
        self._pruned = 0
        for minute, path, count in buckets:
            paths = self._minutes.setdefault(minute, _Bucket()).paths
            paths[path] = paths.get(path, 0) + count

    def add(self, at: float, path: Path) -> None:
        minute = int(at // MINUTE)
        bucket = self._minutes.setdefault(minute, _Bucket())
        bucket.paths[path] = bucket.paths.get(path, 0) + 1
        if len(bucket.exact) < _EXACT_LIMIT:
            bucket.exact.append((at, path))
        if minute > self._pruned:
            self._prune(at, minute)

    def count_between(self, start: float, end: float) -> Counts:
        """What was answered after ``start`` and not after ``end``."""
        total = Counts()
        for minute in range(int(start // MINUTE), int(end // MINUTE) + 1):
            bucket = self._minutes.get(minute)
            if bucket is None:
                continue
            whole = start < minute * MINUTE and (minute + 1) * MINUTE <= end
            total += bucket.count() if whole else bucket.count_between(minute, start, end)
        return total

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
        return min(self._minutes) * MINUTE if self._minutes else None

    def buckets(self) -> Iterator[tuple[int, Path, int]]:
        """(minute, path, count), oldest first."""
        for minute in sorted(self._minutes):
            for path, count in self._minutes[minute].paths.items():
                yield minute, path, count

    def _prune(self, at: float, minute: int) -> None:
        self._pruned = minute
        for old in [old for old in self._minutes if old < (at - KEEP) // MINUTE]:
            del self._minutes[old]
        for old, bucket in self._minutes.items():
            if bucket.exact and old < (at - _EXACT_FOR) // MINUTE:
                bucket.exact.clear()


def _counts(paths: Iterable[tuple[Path, int]]) -> Counts:
    answers = fallbacks = 0
    for path, count in paths:
        answers += 0 if path is Path.EXHAUSTED else count
        fallbacks += count if path.is_fallback else 0
    return Counts(answers=answers, fallbacks=fallbacks)
