"""Sees to it that somebody is told when a notifier is broken: its notices go to its stand-in, and so does the news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.errors import DeliveryError
from monitor.model import Notice, NoticeState, new_id
from monitor.notify.stand_in import (
    Broken,
    broken_notice,
    dump_broken,
    forwarded,
    is_forwarded,
    is_told_anyway,
    load_broken,
    mended_notice,
    stand_ins,
)

log = structlog.get_logger("outbox")

BROKEN = "broken_notifier"
"""Kind of the stored states."""
REMEMBERED = 10_000


class Keeping(Protocol):
    """The durable side, as the store has it."""

    async def states(self, kind: str) -> dict[str, bytes]: ...

    async def decide(self, kind: str, states: Mapping[str, bytes | None], notices: Iterable[Notice]) -> None: ...

    def message_ref(self, notifier: str, incident: str) -> str | None: ...


class StandingIn:
    """``broken``: what is known of broken notifiers, by name."""

    def __init__(self, *, store: Keeping, config: Config, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.broken: dict[str, Broken] = {}
        self._alerts = config.alerts
        self._seconds = stand_ins(config.alerts, config.muted)
        self._forwarded: dict[str, None] = {}

    async def restore(self) -> None:
        loaded = map(load_broken, (await self._store.states(BROKEN)).values())
        self.broken = {one.notifier: one for one in loaded if one is not None}

    async def follow(self, config: Config) -> None:
        self._alerts = config.alerts
        self._seconds = stand_ins(config.alerts, config.muted)
        exist = {notifier.name for notifier in config.alerts.notifiers}
        for gone in [name for name in self.broken if name not in exist]:
            await self._forget(gone)

    async def failed(self, notice: Notice, error: DeliveryError) -> bool:
        """After a failure that does not pass by itself. Whether notices were put into the outbox."""
        name, second = notice.notifier, self._seconds.get(notice.notifier)
        states: dict[str, bytes | None] = {}
        notices: list[Notice] = []
        if error.broken and name not in self.broken:
            found = self._found_broken(name, second, error)
            states[name] = dump_broken(found)
            if second is not None:
                notices.append(broken_notice(found, second, self._id, self._alerts.link))
        if second is not None and self._goes_on(notice, second) and notice.id not in self._forwarded:
            notices.append(forwarded(notice, second, str(error)))
            self._remember(notice.id)
        if states or notices:
            await self._store.decide(BROKEN, states, notices)
        return bool(notices)

    async def delivered(self, notice: Notice) -> bool:
        """After a success. Whether notices were put into the outbox."""
        name = notice.notifier
        notices = list(self._mended(name))
        second = self._seconds.get(name)
        over = notice.state is NoticeState.RESOLVED
        if over and second is not None and self._goes_on(notice, second) and self._knows(second, notice):
            notices.append(forwarded(notice, second, "it is mended"))
        if name in self.broken or notices:
            self.broken.pop(name, None)
            await self._store.decide(BROKEN, {name: None}, notices)
        return bool(notices)

    def _found_broken(self, name: str, second: str | None, error: DeliveryError) -> Broken:
        now = self._clock.now()
        found = Broken(notifier=name, since=now, incident=f"{BROKEN}-{self._id()}", text=str(error), told=second)
        self.broken[name] = found
        log.error("a notifier is broken", notifier=name, why=str(error), told_in_its_place=second or "nobody")
        return found

    def _mended(self, name: str) -> Iterable[Notice]:
        broken = self.broken.get(name)
        if broken is None:
            return
        log.info("a notifier works again", notifier=name)
        if broken.told is not None:
            yield mended_notice(broken, broken.told, self._clock.now(), self._id, self._alerts.link)

    def _goes_on(self, notice: Notice, second: str) -> bool:
        return not is_forwarded(notice) and not is_told_anyway(notice, second, self._alerts)

    def _knows(self, second: str, notice: Notice) -> bool:
        """The stand-in was told of the incident, so it hears of its end, too."""
        return self._store.message_ref(second, notice.incident) is not None

    def _remember(self, id_: str) -> None:
        """What is refused is tried again every few minutes, and must not be forwarded each time."""
        self._forwarded[id_] = None
        if len(self._forwarded) > REMEMBERED:
            del self._forwarded[next(iter(self._forwarded))]

    async def _forget(self, name: str) -> None:
        notices = list(self._mended(name))
        del self.broken[name]
        await self._store.decide(BROKEN, {name: None}, notices)

    def _id(self) -> str:
        return new_id(self._clock.now())
