"""How fallbackd itself fares: late and skipped runs, a reload that failed, its own network. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

RECENT = 600.0
"""Seconds that are looked back."""
MOST = 1000
LOST_RUNS = frozenset({"still_running", "missed", "crashed"})
"""Skips that nobody wanted; the others are on purpose (a rate limit, the budget, live traffic)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wellbeing:
    """``late``: the longest delay of a run in the last ten minutes, ``lost``: runs that were not made in them.
    ``outbox``: by notifier, since when its oldest notice waits. ``unwritten``: seconds for which results wait for the
    disk. ``reload_failed`` and ``network_down``: since when, None when all is well."""

    late: float = 0.0
    lost: int = 0
    outbox: Mapping[str, float] = field(default_factory=dict)
    unwritten: float = 0.0
    reload_failed: float | None = None
    network_down: float | None = None


class Diary:
    """Notes of what happened lately, bounded."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._lost: deque[float] = deque(maxlen=MOST)
        self.reload_failed: float | None = None

    def lagged(self, at: float, seconds: float) -> None:
        """Of a thousand on-time starts nothing is worth a note."""
        if seconds >= 1.0:
            self._late.append((at, seconds))

    def skipped(self, at: float, reason: str) -> None:
        if reason in LOST_RUNS:
            self._lost.append(at)

    def reloaded(self, at: float, *, successful: bool) -> None:
        if successful:
            self.reload_failed = None
        elif self.reload_failed is None:
            self.reload_failed = at

    def late(self, now: float) -> float:
        return max((seconds for at, seconds in self._late if at > now - RECENT), default=0.0)

    def lost(self, now: float) -> int:
        return sum(at > now - RECENT for at in self._lost)
