"""A clock that only moves when told to."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class FakeClock:
    """``advance`` moves on and lets whoever slept until then run; ``slept`` is every duration that was asked for."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + max(0.0, seconds), next(self._count), woken))
        await woken

    @property
    def next_wake(self) -> float | None:
        """When the next sleeper wakes, in seconds since the epoch."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Wakes every sleeper whose time comes; whoever sleeps anew after that counts from the new now."""
        self._now += seconds
        while (at := self.next_wake) is not None and at <= self._now:
            heapq.heappop(self._sleepers)[2].set_result(None)


class EagerClock(FakeClock):
    """Waits are over at once."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
