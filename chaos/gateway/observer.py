"""Turns what passed into outcomes, beside the traffic and never before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random

import structlog

from chaos.gateway.outcomes import Reading, outcome_of
from chaos.gateway.overhead import Added, added
from chaos.gateway.places import Places, read_asked
from chaos.gateway.record import Record
from chaos.gateway.watches import Watches
from monitor.clock import Clock
from monitor.model import Outcome, new_id

log = structlog.get_logger("gateway")

PAUSE = 0.01
"""Seconds that the first of a batch waits: what follows on an exchange closely is not held up by reading it."""
SHORTEST, LONGEST = 0.00025, 0.005
"""Seconds of work before the traffic gets its turn again: the more waits, the longer."""
LEAST = 32
"""One in so many of what waits is read in each turn, however long it takes: a machine that is busy with other things
makes seconds short."""
EACH = 8
"""Of one exchange in so many, whatever it is, it is told what the gateway added: two more observations of each would
cost more than they say."""
MOST_WAITING = 4000
MOST_BYTES = 64 * 1024 * 1024


class Observer:
    """Takes records and tells outcomes, in batches.

    Above half of what may wait, more and more is let go unread, and counted. It is let go by chance and by how much
    waits, never by what it is, so that shares (of fallbacks, of failures) stay true.
    """

    def __init__(
        self,
        places: Places,
        reading: Reading,
        told: Callable[[Outcome], None],
        unobserved: Callable[[], None],
        watches: Watches,
        clock: Clock,
        rng: Random,
        tell: Added | None = None,
    ) -> None:
        self.places = places
        self.reading = reading
        self.seen = 0
        self.missed = 0
        self.strange = 0
        """Exchanges that belong to no chain."""
        self._told = told
        self._unobserved = unobserved
        self._tell = tell
        self._watches = watches
        self._clock = clock
        self._rng = rng
        self._waiting: deque[Record] = deque()
        self._bytes = 0
        self._woken = asyncio.Event()
        self._failing = False

    def take(self, record: Record) -> None:
        if not record.marked and passes_over(self._load, self._rng.random()):  # a drill misses none of its own
            self.missed += 1
            self._unobserved()
            return
        self._waiting.append(record)
        self._bytes += record.weight
        if not self._woken.is_set():
            self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            await self._clock.sleep(PAUSE)
            while self._waiting:
                wished = SHORTEST + (LONGEST - SHORTEST) * min(self._load, 1.0)
                self._work(self._clock.monotonic() + wished, least=len(self._waiting) // LEAST)
                await asyncio.sleep(0)
            self._woken.clear()

    def drain(self) -> None:
        """Read all that waits, at a stop."""
        self._work(float("inf"), least=0)

    @property
    def waiting(self) -> int:
        """Exchanges that are still to be read."""
        return len(self._waiting)

    @property
    def _load(self) -> float:
        """What waits, as a share of what may."""
        return max(len(self._waiting) / MOST_WAITING, self._bytes / MOST_BYTES)

    def _work(self, until: float, *, least: int) -> None:
        """Read until then, and more than ``least`` in any case."""
        while self._waiting:
            record = self._waiting.popleft()
            self._bytes -= record.weight
            self._observe(record)
            least -= 1
            if least < 0 and self._clock.monotonic() >= until:
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
            self._tell_added(record)
            outcome = outcome_of(record, asked, place, self.reading, identity=new_id(record.at))
            if not record.marked:  # what carries a drill's mark is an outcome of the drill
                self._told(outcome)
            self._watches.judged(record, outcome)
        except Exception:
            if not self._failing:  # the first of a row says it; thousands a second would say no more
                log.exception("an exchange could not be observed; traffic goes on")
            self._failing = True
        else:
            self._failing = False

    def _tell_added(self, record: Record) -> None:
        if self._tell is not None and self.seen % EACH == 1:
            for part, seconds in added(record):
                self._tell(part, seconds)


def passes_over(load: float, draw: float) -> bool:
    """Whether an exchange goes unread. ``load``: what waits, as a share of what may; ``draw``: an even chance from 0
    to 1. Pure."""
    return load > 0.5 and draw < (load - 0.5) * 2
