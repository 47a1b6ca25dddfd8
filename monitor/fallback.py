"""How often a chain is answered by a fallback: counts by minute, and shares over any window of the last days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model import Origin, Outcome, Path
from monitor.shares import wilson

MINUTE = 60.0
KEEP = 8 * 86400.0
"""Seconds: the longest baseline (a week) before the longest window (a day)."""
_HOUR = 60
"""In minutes."""
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

    @property
    def surely(self) -> float:
        """What the share is at least, with 95 % confidence: two odd answers of fifteen say little, eight say enough."""
        return wilson(self.fallbacks, self.answers)[0]

    def __add__(self, other: Counts) -> Counts:
        return Counts(answers=self.answers + other.answers, fallbacks=self.fallbacks + other.fallbacks)


class _Bucket:
    """One minute. ``exact`` are the single answers, while they are young and few; incomplete after a restore."""

    __slots__ = ("answers", "exact", "fallbacks", "paths", "size")

    def __init__(self) -> None:
        self.paths: dict[Path, int] = {}
        self.exact: list[tuple[float, Path]] = []
        self.size = self.answers = self.fallbacks = 0

    def add(self, path: Path, count: int) -> None:
        self.paths[path] = self.paths.get(path, 0) + count
        self.size += count
        self.answers += 0 if path is Path.EXHAUSTED else count
        self.fallbacks += count if path.is_fallback else 0

    def count_between(self, minute: int, start: float, end: float) -> tuple[int, int]:
        """(answers, fallbacks) of a minute at the edge of a window; without single answers all of it counts as at its
        middle."""
        if len(self.exact) != self.size:
            return (self.answers, self.fallbacks) if start < (minute + 0.5) * MINUTE <= end else (0, 0)
        inside = [path for at, path in self.exact if start < at <= end]
        return sum(path is not Path.EXHAUSTED for path in inside), sum(path.is_fallback for path in inside)


class FallbackHistory:
    """The answers of one chain. Minutes are numbered since the epoch (``int(at // 60)``)."""

    def __init__(self, buckets: Iterable[tuple[int, Path, int]] = ()) -> None:
        """``buckets`` as ``buckets()`` gave them."""
        self._minutes: dict[int, _Bucket] = {}
        self._hours: dict[int, tuple[int, int]] = {}
        self._pruned = 0
        self._first: int | None = None
        for minute, path, count in buckets:
            self._add(minute, path, count)

    def add(self, at: float, path: Path) -> None:
        minute = int(at // MINUTE)
        bucket = self._add(minute, path, 1)
        if len(bucket.exact) < _EXACT_LIMIT:
            bucket.exact.append((at, path))
        if minute > self._pruned:
            self._prune(at, minute)

    def count_between(self, start: float, end: float) -> Counts:
        """What was answered after ``start`` and not after ``end``. Whole hours are one step each: this is asked for
        every chain at every look."""
        answers, fallbacks, minute, last = 0, 0, int(start // MINUTE), int(end // MINUTE)
        while minute <= last:
            whole = start < minute * MINUTE
            if whole and minute % _HOUR == 0 and (minute + _HOUR) * MINUTE <= end:
                found, step = self._hours.get(minute // _HOUR), _HOUR
            else:
                found, step = self._minute(minute, start, end, whole=whole), 1
            if found is not None:
                answers += found[0]
                fallbacks += found[1]
            minute += step
        return Counts(answers=answers, fallbacks=fallbacks)

    def _minute(self, minute: int, start: float, end: float, *, whole: bool) -> tuple[int, int] | None:
        bucket = self._minutes.get(minute)
        if bucket is None:
            return None
        if whole and (minute + 1) * MINUTE <= end:
            return bucket.answers, bucket.fallbacks
        return bucket.count_between(minute, start, end)

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
        return None if self._first is None else self._first * MINUTE

    def buckets(self) -> Iterator[tuple[int, Path, int]]:
        """(minute, path, count), oldest first."""
        for minute in sorted(self._minutes):
            for path, count in self._minutes[minute].paths.items():
                yield minute, path, count

    def _add(self, minute: int, path: Path, count: int) -> _Bucket:
        bucket = self._minutes.get(minute)
        if bucket is None:
            bucket = self._minutes[minute] = _Bucket()
            self._first = minute if self._first is None else min(self._first, minute)
        bucket.add(path, count)
        answers, fallbacks = self._hours.get(minute // _HOUR, (0, 0))
        answers += 0 if path is Path.EXHAUSTED else count
        fallbacks += count if path.is_fallback else 0
        self._hours[minute // _HOUR] = answers, fallbacks
        return bucket

    def _prune(self, at: float, minute: int) -> None:
        """An hour goes with its last minute: what is cut off of it before is older than any window."""
        self._pruned = minute
        edge = int((at - KEEP) // MINUTE)
        for old in [old for old in self._minutes if old < edge]:
            del self._minutes[old]
        for old in [old for old in self._hours if (old + 1) * _HOUR <= edge]:
            del self._hours[old]
        self._first = min(self._minutes, default=None)
        for old, bucket in self._minutes.items():
            if bucket.exact and old < (at - _EXACT_FOR) // MINUTE:
                bucket.exact.clear()
