"""How often a chain is answered by a fallback: counts by minute, and shares over any window of the last days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from monitor.model import Origin, Outcome, Path

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
        self._hours: dict[int, Counts] = {}
        self._pruned = 0
        self._first: int | None = None
        for minute, path, count in buckets:
            paths = self._minutes.setdefault(minute, _Bucket()).paths
            paths[path] = paths.get(path, 0) + count
            self._add_to_hour(minute, path, count)

    def add(self, at: float, path: Path) -> None:
        minute = int(at // MINUTE)
        bucket = self._minutes.setdefault(minute, _Bucket())
        bucket.paths[path] = bucket.paths.get(path, 0) + 1
        if len(bucket.exact) < _EXACT_LIMIT:
            bucket.exact.append((at, path))
        self._add_to_hour(minute, path, 1)
        if minute > self._pruned:
            self._prune(at, minute)

    def count_between(self, start: float, end: float) -> Counts:
        """What was answered after ``start`` and not after ``end``. Whole hours are one step each: this is asked for
        every chain at every look."""
        total, minute, last = Counts(), int(start // MINUTE), int(end // MINUTE)
        while minute <= last:
            whole = start < minute * MINUTE
            if whole and minute % _HOUR == 0 and (minute + _HOUR) * MINUTE <= end:
                if (hour := self._hours.get(minute // _HOUR)) is not None:
                    total += hour
                minute += _HOUR
                continue
            if (bucket := self._minutes.get(minute)) is not None:
                whole = whole and (minute + 1) * MINUTE <= end
                total += bucket.count() if whole else bucket.count_between(minute, start, end)
            minute += 1
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
        return None if self._first is None else self._first * MINUTE

    def buckets(self) -> Iterator[tuple[int, Path, int]]:
        """(minute, path, count), oldest first."""
        for minute in sorted(self._minutes):
            for path, count in self._minutes[minute].paths.items():
                yield minute, path, count

    def _add_to_hour(self, minute: int, path: Path, count: int) -> None:
        hour = minute // _HOUR
        self._first = minute if self._first is None else min(self._first, minute)
        self._hours[hour] = self._hours.get(hour, Counts()) + _counts([(path, count)])

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


def _counts(paths: Iterable[tuple[Path, int]]) -> Counts:
    answers = fallbacks = 0
    for path, count in paths:
        answers += 0 if path is Path.EXHAUSTED else count
        fallbacks += count if path.is_fallback else 0
    return Counts(answers=answers, fallbacks=fallbacks)
