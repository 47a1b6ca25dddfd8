"""How fast messages may go out: pure."""

from __future__ import annotations


class Pace:
    """One message every ``every`` seconds, after a burst of ``burst`` at once (the generic cell rate algorithm)."""

    def __init__(self, *, every: float, burst: int) -> None:
        self._every = every
        self._ahead = every * (burst - 1)
        self._due = float("-inf")

    def reserve(self, now: float) -> float:
        """Takes the next place; the seconds to wait for it."""
        wait = self.wait(now)
        self._due = max(now, self._due) + self._every
        return wait

    def wait(self, now: float) -> float:
        """Seconds until there is a place."""
        return max(0.0, max(now, self._due) - self._ahead - now)
