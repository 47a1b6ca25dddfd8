"""Which notice a notifier is given next, and when again after a failure: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from monitor.errors import DeliveryError
from monitor.model import Notice

BACKOFF_FIRST = 1.0
BACKOFF_MAX = 60.0
HOLD = 300.0
PATIENCE_MAX = 3600.0
"""Seconds: the longest Retry-After that is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a notifier fares. ``failures`` in a row; nothing is sent before ``not_before``.

    ``tries`` and ``held`` (until when) are by notice id: what was refused for good is left out for a while, and a
    notice that failed often goes behind the others. Times are of the monotonic clock.
    """

    failures: int = 0
    not_before: float = float("-inf")
    tries: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)


def due(waiting: Sequence[Notice], standing: Standing, now: float) -> Notice | None:
    """The next notice to deliver; None when there is none, or none yet."""
    if now < standing.not_before:
        return None
    ready = [notice for notice in waiting if standing.held.get(notice.id, now) <= now]
    return min(ready, key=lambda notice: standing.tries.get(notice.id, 0), default=None)


def wait(waiting: Sequence[Notice], standing: Standing, now: float) -> float | None:
    """Seconds until one of them is due; None when nothing waits."""
    if not waiting:
        return None
    first = min(standing.held.get(notice.id, now) for notice in waiting)
    return max(first, standing.not_before, now) - now


def after_failure(standing: Standing, notice: Notice, error: DeliveryError, now: float, rng: Random) -> Standing:
    """A passing failure pauses the notifier; a permanent one holds back the one notice, for others may still do."""
    tries = {**standing.tries, notice.id: standing.tries.get(notice.id, 0) + 1}
    failures = standing.failures + 1
    if error.permanent:
        return replace(standing, failures=failures, tries=tries, held={**standing.held, notice.id: now + HOLD})
    pause = max(backoff(failures, rng), min(error.retry_after or 0.0, PATIENCE_MAX))
    return replace(standing, failures=failures, tries=tries, not_before=now + pause)


def after_success() -> Standing:
    """Whatever was wrong may be mended, so what was held back may try again too."""
    return Standing()


def backoff(failures: int, rng: Random) -> float:
    """Seconds before the next try: 1 to 60, doubling with each failure in a row, with jitter."""
    middle = BACKOFF_FIRST * 2.0 ** min(failures - 1, 10)
    return min(BACKOFF_MAX, max(BACKOFF_FIRST, middle * rng.uniform(0.75, 1.25)))
