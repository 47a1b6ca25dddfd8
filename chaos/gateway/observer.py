"""Turns what passed into outcomes, beside the traffic and never before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from chaos.gateway.outcomes import Reading, outcome_of
from chaos.gateway.places import Places, read_asked
from chaos.gateway.record import Record
from monitor.clock import Clock
from monitor.model import Outcome, new_id

log = structlog.get_logger("gateway")

SLICE = 0.00025
"""Seconds of work before the traffic gets its turn again."""
MOST_WAITING = 2000
MOST_BYTES = 64 * 1024 * 1024


class Observer:
    """Takes records and tells outcomes. What comes faster than it can be read is counted in ``missed`` and let go."""

    def __init__(self, places: Places, reading: Reading, told: Callable[[Outcome], None], clock: Clock) -> None:
        self.places = places
        self.reading = reading
        self.seen = 0
        self.missed = 0
        self.strange = 0
        """Exchanges that belong to no chain."""
        self._told = told
        self._clock = clock
        self._waiting: deque[Record] = deque()
        self._bytes = 0
        self._woken = asyncio.Event()
        self._failing = False

    def take(self, record: Record) -> None:
        weight = record.weight
        if len(self._waiting) >= MOST_WAITING or self._bytes + weight > MOST_BYTES:
            self.missed += 1
            return
        self._waiting.append(record)
        self._bytes += weight
        if not self._woken.is_set():
            self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            self._work(self._clock.monotonic() + SLICE)
            if not self._waiting:
                self._woken.clear()
            await asyncio.sleep(0)

    def drain(self) -> None:
        """Read all that waits, at a stop."""
        self._work(float("inf"))

    def _work(self, until: float) -> None:
        while self._waiting:
            record = self._waiting.popleft()
            self._bytes -= record.weight
            self._observe(record)
            if self._clock.monotonic() >= until:
                return

    def _observe(self, record: Record) -> None:
        """A mistake here, or in whoever is told, costs one outcome and no traffic."""
        self.seen += 1
        try:
            asked = read_asked(record.asked)
            place = self.places.find(asked, record.chain)
            if place is None:
                self.strange += 1
                return
            self._told(outcome_of(record, asked, place, self.reading, identity=new_id(record.at)))
        except Exception:
            if not self._failing:  # the first of a row says it; thousands a second would say no more
                log.exception("an exchange could not be observed; traffic goes on")
            self._failing = True
        else:
            self._failing = False
