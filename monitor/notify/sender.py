"""Delivers the notices of one notifier, one at a time, for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from random import Random
from typing import Protocol

import structlog

from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeCause, NoticeState
from monitor.notify.model import Digesting, Notifier, Paced
from monitor.notify.retrying import Standing, after_failure, after_success, due, wait
from monitor.notify.stand_in import Broken

log = structlog.get_logger("outbox")

DELIVERY_SECONDS = 45.0
"""No delivery takes longer, whatever the notifier does: its own timeouts and short waits fit in."""

Observe = Callable[[str, str, str], None]


class Seconds(Protocol):
    """Who is told in place of a broken notifier; each says whether it put notices into the outbox."""

    broken: dict[str, Broken]

    async def failed(self, notice: Notice, error: DeliveryError) -> bool: ...

    async def delivered(self, notice: Notice) -> bool: ...


class Waiting(Protocol):
    """The durable side, as the store has it."""

    def waiting(self, notifier: str) -> tuple[Notice, ...]: ...

    def message_ref(self, notifier: str, incident: str) -> str | None: ...

    async def posted(self, notice: Notice, ref: str) -> None: ...

    async def delivered(self, notice: Notice, ref: str | None) -> None: ...


class Sender:
    """``told`` is called when its failures or successes have put notices for others into the outbox."""

    def __init__(
        self,
        name: str,
        notifier: Notifier,
        *,
        store: Waiting,
        clock: Clock,
        rng: Random,
        observe: Observe,
        seconds: Seconds | None = None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.notifier = notifier
        self._store = store
        self._clock = clock
        self._rng = rng
        self._observe = observe
        self._seconds = seconds
        self._told = told
        self._standing = Standing()
        self._said: set[str] = set()
        self._delivering = asyncio.Lock()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    @property
    def pending(self) -> int:
        return len(self._store.waiting(self.name))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            await self.send_due()
            await self._sleep(wait(self._store.waiting(self.name), self._standing, self._clock.monotonic()))

    async def send_due(self) -> None:
        """Delivers until nothing is due."""
        while await self._deliver_next():
            pass

    async def end(self, running: asyncio.Task[None] | None) -> None:
        """Stops ``run`` between two deliveries and closes the notifier."""
        if running is not None:
            async with self._delivering:
                running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await self.notifier.close()

    async def _deliver_next(self) -> bool:
        await self._await_room()
        async with self._delivering:
            notice = due(self._store.waiting(self.name), self._standing, self._clock.monotonic())
            if notice is None:
                return False
            try:
                ref = await self._deliver(notice)
            except DeliveryError as error:
                await self._failed(notice, error)
                return True
            await self._store.delivered(notice, ref)
            self._succeeded()
            if self._seconds is not None and await self._seconds.delivered(notice):
                self._told()
            return True

    async def _deliver(self, notice: Notice) -> str | None:
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                if isinstance(self.notifier, Digesting) and notice in (fresh := self._fresh()):
                    await self.notifier.announce(fresh)
                return await self.notifier.deliver(notice, self._ref(notice))
        except DeliveryError:
            raise
        except TimeoutError:
            raise DeliveryError("no answer in time", reason="timeout", permanent=False) from None
        except Exception as error:  # noqa: BLE001 - a bug of one notifier must not silence the others
            # The class only: the text of a foreign exception may hold a secret.
            text = f"fallbackd's own mistake ({type(error).__name__})"
            raise DeliveryError(text, reason="ours", permanent=True) from None

    async def _await_room(self) -> None:
        """Waits before it takes the next notice, not after: what waits can still be superseded."""
        if self.pending and isinstance(self.notifier, Paced) and (wait := self.notifier.room_in()) > 0:
            await self._clock.sleep(wait)

    def _ref(self, notice: Notice) -> str | None:
        return self._store.message_ref(self.name, notice.incident)

    def _fresh(self) -> list[Notice]:
        """What fires and nobody was told of yet."""
        return [
            one
            for one in self._store.waiting(self.name)
            if one.state is NoticeState.FIRING and one.cause is not NoticeCause.TEST and self._ref(one) is None
        ]

    def _succeeded(self) -> None:
        self._observe(self.name, "delivered", "none")
        if self._said:
            log.info("notices are delivered again", notifier=self.name, failures=self._standing.failures)
        self._said.clear()
        self._standing = after_success()

    async def _failed(self, notice: Notice, error: DeliveryError) -> None:
        if error.ref is not None:
            await self._store.posted(notice, error.ref)
        self._observe(self.name, "failed", error.reason)
        now = self._clock.monotonic()
        self._standing = after_failure(self._standing, notice, error, now, self._rng)
        if error.permanent and self._seconds is not None and await self._seconds.failed(notice, error):
            self._told()
        if error.reason in self._said:
            return
        self._said.add(error.reason)
        again = wait((notice,), self._standing, now)
        write = log.error if error.permanent else log.warning
        write(f"a notice could not be delivered: {error}", notifier=self.name, next_try_seconds=round(again or 0.0, 1))

    async def _sleep(self, seconds: float | None) -> None:
        woken = asyncio.create_task(self._woken.wait())
        tasks: set[asyncio.Task[object]] = {woken}
        if seconds is not None:
            tasks.add(asyncio.create_task(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
