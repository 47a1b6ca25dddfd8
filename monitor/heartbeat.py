"""A dead man's switch: says "I am watching" at intervals, and falls silent when nothing is watched any more.

Whoever waits for the heartbeats (a service such as healthchecks, or an Alertmanager's Watchdog route) then alerts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from monitor.clock import Clock
from monitor.conditions import ProbeView
from monitor.config.model import Config
from monitor.errors import DeliveryError
from monitor.metrics import BEAT
from monitor.notify import build_watchdogs
from monitor.notify.post import Post

log = structlog.get_logger("heartbeat")

TICK = 1.0
SILENT_INTERVALS = 3.0
STORE_LAG = 120.0
"""Seconds for which rows may wait to be written before the store counts as failing."""


def is_watching(probes: Sequence[ProbeView], store_lag: float, now: float) -> bool:
    """Whether some question got a result lately (or all are left out on purpose) and results can be kept."""
    asked = [probe for probe in probes if not probe.paused]
    fresh = any(
        now - max(probe.started, probe.last or 0.0) <= SILENT_INTERVALS * probe.every + probe.deadline
        for probe in asked
    )
    return store_lag <= STORE_LAG and (fresh or not asked)


@dataclass(slots=True, kw_only=True)
class _Beat:
    """One receiver. ``due`` is on the monotonic clock."""

    name: str
    every: float
    send: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    due: float
    failing: bool = False


class Heartbeat:
    """``watching`` says whether there is anything to be proud of. ``told`` gets the receiver of each heartbeat, whether
    it was received, and when."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        watching: Callable[[], bool],
        told: Callable[[str, bool, float], None] = lambda *_: None,
    ) -> None:
        self._clock = clock
        self._watching = watching
        self._told = told
        self._beats = self._make(config)
        self._silent = False

    async def follow(self, config: Config) -> None:
        old, self._beats = self._beats, self._make(config)
        await asyncio.gather(*(beat.close() for beat in old))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.beat()
            await self._clock.sleep(TICK)

    async def beat(self) -> None:
        """To everybody who is due, unless nothing is watched."""
        now = self._clock.monotonic()
        due = [beat for beat in self._beats if beat.due <= now]
        if not due or not self._is_watching():
            return
        for beat in due:
            beat.due = now + beat.every
        await asyncio.gather(*map(self._send, due))

    async def close(self) -> None:
        await asyncio.gather(*(beat.close() for beat in self._beats))

    def _make(self, config: Config) -> list[_Beat]:
        now, settings = self._clock.monotonic(), config.alerts.heartbeat
        beats = [
            _Beat(name=dog.name, every=dog.settings.watchdog_every, send=dog.beat, close=dog.close, due=now)
            for dog in build_watchdogs(config, self._clock)
        ]
        url = config.secrets["heartbeat/url"].get_secret_value() if "heartbeat/url" in config.secrets else None
        if settings is not None and (url := settings.url or url) is not None:
            beats.append(_to_url(url, settings.every, now))
        return beats

    def _is_watching(self) -> bool:
        watching = self._watching()
        if watching == self._silent:
            self._silent = not watching
            say = log.info if watching else log.error
            say("heartbeats again" if watching else "no more heartbeats: no results come, or they cannot be kept")
        return watching

    async def _send(self, beat: _Beat) -> None:
        try:
            await beat.send()
        except DeliveryError as error:
            if not beat.failing:
                log.warning("a heartbeat was not received", receiver=beat.name, why=str(error))
            beat.failing = True
        else:
            beat.failing = False
        self._told(beat.name, not beat.failing, self._clock.now())


def _to_url(url: str, every: float, now: float) -> _Beat:
    post = Post("the heartbeat's receiver")

    async def send() -> None:
        await post.send(url, method="GET")

    return _Beat(name=BEAT, every=every, send=send, close=post.close, due=now)
