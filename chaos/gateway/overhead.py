"""What the gateway itself adds to exchanges: read from their records, and how late it turns to what has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.gateway.record import Record
from monitor.clock import Clock
from monitor.model import Overhead

EVERY = 0.25
"""Seconds between two looks at how late the loop turns: often enough for a quantile, too seldom to cost anything."""

Added = Callable[[Overhead, float], None]
"""Is told a part and its seconds."""


def added(record: Record) -> Iterator[tuple[Overhead, float]]:
    """Seconds by part; nothing of an exchange that was broken on purpose, whose waiting is the fault's. Pure."""
    if record.met or record.injected:
        return
    if record.whole is not None and record.sent is not None:
        yield Overhead.REQUEST, record.sent - record.whole
    if record.first_byte is not None and record.passed is not None:
        yield Overhead.ANSWER, record.passed - record.first_byte


async def watch_turns(clock: Clock, tell: Added) -> None:
    """Until cancelled: how much later than asked for it is woken, which is how long bytes lie unread."""
    while True:
        due = clock.monotonic() + EVERY
        await clock.sleep(EVERY)
        tell(Overhead.TURN, max(0.0, clock.monotonic() - due))
