"""From what is known to the people: the alarm, the outbox, who stands in for a broken notifier, and the heartbeat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random

from monitor.alarm import Alarm
from monitor.clock import Clock
from monitor.conditions import Itself
from monitor.config.model import Config
from monitor.errors import FallbackdError
from monitor.heartbeat import Heartbeat, is_watching
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.notify import Outbox, build_notifiers
from monitor.notify.standing_in import StandingIn
from monitor.store import Store

LAST_TRY = 5.0
"""Seconds that deliveries get at a stop."""


class Telling:
    """``told`` is called when alerts, incidents or silences changed; ``itself`` says what fallbackd itself does."""

    def __init__(
        self,
        *,
        config: Config,
        knowledge: Knowledge,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        rng: Random,
        told: Callable[[], None],
        itself: Callable[[], Itself],
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._clock = clock
        self._told = told
        self._standing_in = StandingIn(store=store, config=config, clock=clock)
        self.outbox = Outbox(
            store=store, notifiers=build_notifiers(config), clock=clock, rng=rng, observe=metrics.notice,
            seconds=self._standing_in,
        )  # fmt: skip
        self.alarm = Alarm(
            config=config, knowledge=knowledge, store=store, metrics=metrics, clock=clock, told=self._on_alerts,
            itself=itself,
        )  # fmt: skip
        self._heartbeat = Heartbeat(config=config, clock=clock, watching=self._is_watching, told=metrics.heartbeat)
        self._tasks: list[asyncio.Task[None]] = []

    async def restore(self) -> None:
        """What was known before this start."""
        await self._standing_in.restore()
        await self.alarm.restore()

    async def reload(self, config: Config) -> None:
        """Other notifiers, and other heartbeats."""
        await self._standing_in.follow(config)
        await self.outbox.apply(build_notifiers(config))
        await self._heartbeat.follow(config)

    def start(self) -> None:
        self._begin("outbox", self.outbox.run())
        self._begin("alarm", self.alarm.run())
        self._begin("heartbeat", self._heartbeat.run())

    async def stop(self) -> None:
        """A last look and a last try to deliver, so that what was found while stopping is told."""
        with suppress(FallbackdError):
            await self.alarm.look()
        await self.outbox.drain(LAST_TRY)
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        await self._heartbeat.close()
        await self.outbox.close()

    def _begin(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _on_alerts(self) -> None:
        self.outbox.wake()
        self._told()

    def _is_watching(self) -> bool:
        return is_watching(self._knowledge.rhythm.views(), self._store.lag(), self._clock.now())
