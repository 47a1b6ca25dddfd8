"""The outbox: hands every notice to its notifier at least once, each notifier at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from random import Random

import structlog

from monitor.clock import Clock
from monitor.notify.model import Notifier
from monitor.notify.sender import Observe, Seconds, Sender, Waiting
from monitor.notify.stand_in import Broken

log = structlog.get_logger("outbox")


class Outbox:
    """One sender for each notifier, so that none waits for another. It owns the notifiers that it is given.

    ``observe(notifier, result, reason)``: result ``delivered`` or ``failed``; reason ``none``, or a DeliveryError's.
    """

    def __init__(
        self,
        *,
        store: Waiting,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        rng: Random,
        observe: Observe,
        seconds: Seconds | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng
        self._observe = observe
        self._seconds = seconds
        self._senders = self._make(notifiers)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running = False

    async def run(self) -> None:
        """Delivers what waits and what comes, until cancelled."""
        self._running = True
        self._start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._running = False
            await self._cancel()

    def wake(self) -> None:
        """Something was put into the outbox."""
        for sender in self._senders.values():
            sender.wake()

    async def apply(self, notifiers: Mapping[str, Notifier]) -> None:
        """Go on with other notifiers; what is on its way through an old one arrives first."""
        old, tasks = self._senders, self._tasks
        self._senders, self._tasks = self._make(notifiers), {}
        await asyncio.gather(*(sender.end(tasks.get(name)) for name, sender in old.items()))
        if self._running:
            self._start()

    @property
    def broken(self) -> Mapping[str, Broken]:
        """Notifiers that reach nobody until somebody mends them, by name."""
        return self._seconds.broken if self._seconds is not None else {}

    async def pending(self) -> int:
        """Notices that wait for a notifier that is configured."""
        return sum(self.waiting().values())

    def waiting(self) -> dict[str, int]:
        """How many notices wait, by notifier."""
        return {name: sender.pending for name, sender in self._senders.items()}

    async def drain(self, seconds: float) -> None:
        """A last try, at most this long, at what is due now; the rest waits for the next start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(sender.send_due() for sender in self._senders.values()))
        if left := {name: count for name, count in self.waiting().items() if count}:
            log.warning("notices are left undelivered; they are kept and sent after the next start", **left)

    async def close(self) -> None:
        """Lets go of the notifiers. Safe to call twice."""
        await self._cancel()
        await asyncio.gather(*(sender.notifier.close() for sender in self._senders.values()))

    def _make(self, notifiers: Mapping[str, Notifier]) -> dict[str, Sender]:
        return {
            name: Sender(
                name, notifier, store=self._store, clock=self._clock, rng=self._rng, observe=self._observe,
                seconds=self._seconds, told=self.wake,
            )
            for name, notifier in notifiers.items()
        }  # fmt: skip

    def _start(self) -> None:
        for name, sender in self._senders.items():
            self._tasks[name] = asyncio.create_task(sender.run(), name=f"sender {name}")

    async def _cancel(self) -> None:
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
