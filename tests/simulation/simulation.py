"""The daemon's own parts (pipeline, knowledge, alarm, outbox) on a clock that jumps from one event to the next."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from monitor.alarm import Alarm
from monitor.conditions import Itself
from monitor.config.model import Config
from monitor.connectivity import Connectivity
from monitor.errors import DeliveryError
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Notice, Outcome, ProbeSpec, Transition
from monitor.notify import Outbox
from monitor.offering import Catalogue
from monitor.pipeline import Pipeline
from monitor.probes import expand
from monitor.reach import Address
from monitor.wellbeing import Wellbeing
from tests.fakes.clock import FakeClock
from tests.simulation.memory import Memory
from tests.simulation.upstream import Upstream
from tests.simulation.weather import Weather

MOST_TURNS = 1000
"""Of the loop, at one moment: nothing here goes on for ever without waiting for the clock."""


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery. ``at`` is when it arrived; ``edits``: it changed a message that was there."""

    at: float
    notice: Notice
    edits: bool


@dataclass
class Recorder:
    """A notifier that writes down what it delivers, and refuses everything while it is ``down``."""

    name: str
    clock: FakeClock
    told: list[Told]
    down: Sequence[tuple[float, float]] = ()
    heard: Callable[[Told], None] = lambda _: None
    refused: int = 0

    async def deliver(self, notice: Notice, ref: str | None) -> str | None:
        now = self.clock.now()
        if any(start <= now < end for start, end in self.down):
            self.refused += 1
            raise DeliveryError("no answer", reason="timeout", permanent=False)
        told = Told(at=now, notice=notice, edits=ref is not None)
        self.told.append(told)
        self.heard(told)
        return ref or f"{self.name}-{notice.incident}"

    async def close(self) -> None:
        pass


@dataclass
class Daemon:
    """What a start makes and a kill loses."""

    knowledge: Knowledge
    alarm: Alarm
    pipeline: Pipeline
    outbox: Outbox
    sending: asyncio.Task[None]
    asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)


class Simulation:
    """``told`` is every delivery in order. ``down``: notifier -> the times in which it answers nobody.

    ``tick``: seconds between two looks of the alarm; a change of health is looked at when it happens, and with
    ``closely`` each answer of a whole chain too. ``heard`` is called with each delivery, and
    with the memory while what led to it is still there.
    """

    def __init__(
        self,
        config: Config,
        weather: Weather,
        *,
        start: float,
        seed: int = 1,
        tick: float = 5.0,
        closely: bool = False,
        down: Mapping[str, Sequence[tuple[float, float]]] | None = None,
        heard: Callable[[Told, Memory], None] = lambda *_: None,
    ) -> None:
        self.config = config
        self.clock = FakeClock(start)
        self.rng = Random(seed)
        self.upstream = Upstream(config, weather, self.clock, self.rng)
        self.memory = Memory()
        self.told: list[Told] = []
        self.looks = 0
        self._down = down or {}
        self._heard = heard
        self._tick = tick
        self._closely = closely
        self._looking = False
        self._specs = expand(config)
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._daemon: Daemon | None = None

    async def run(self, seconds: float, *, kills: Iterable[tuple[float, float]] = ()) -> None:
        """From the start on. ``kills``: (when the daemon dies at once, when it is started again), since the epoch."""
        end = self.clock.now() + seconds
        await self._start()
        for died, back in kills:
            self._at(died, self._kill)
            self._at(back, self._start)
        try:
            while (at := self._next()) <= end:
                self.clock.advance(max(0.0, at - self.clock.now()))
                await self._due()
                await _settle()
        finally:
            await self._kill()

    def _next(self) -> float:
        wakes = (self._events[0][0], self.clock.next_wake)
        return min(at for at in wakes if at is not None)

    def _at(self, at: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._events, (at, next(self._order), action))

    async def _due(self) -> None:
        while self._events and self._events[0][0] <= self.clock.now():
            done = heapq.heappop(self._events)[2]()
            if asyncio.iscoroutine(done):
                await done

    async def _start(self) -> None:
        now, metrics = self.clock.now(), Metrics(self.config, self._specs, [], "simulated")
        knowledge = await Knowledge.restore(self.config, self._specs, self.memory, self.clock)  # type: ignore[arg-type]  # the part of a store that is needed
        recorders = {
            one.name: Recorder(one.name, self.clock, self.told, self._down.get(one.name, ()), self._hear)
            for one in self.config.alerts.notifiers
            if one.name not in self.config.muted
        }
        outbox = Outbox(store=self.memory, notifiers=recorders, clock=self.clock, rng=self.rng, observe=metrics.notice)
        connectivity = Connectivity(self.config, self.clock, connect=self._connect)
        alarm = Alarm(
            config=self.config, knowledge=knowledge, store=self.memory, metrics=metrics, clock=self.clock,  # type: ignore[arg-type]  # likewise
            told=outbox.wake,
            itself=lambda: Itself(wellbeing=Wellbeing(network_down=connectivity.down_since)),
        )  # fmt: skip
        await alarm.restore()
        pipeline = Pipeline(
            config=self.config, prober=self.upstream, knowledge=knowledge, metrics=metrics, store=self.memory,  # type: ignore[arg-type]  # likewise
            catalogue=lambda _: Catalogue(), clock=self.clock, rng=self.rng, changed=self._look_soon,
            taken=self._taken, verify=connectivity.verify,
        )  # fmt: skip
        daemon = self._daemon = Daemon(knowledge, alarm, pipeline, outbox, asyncio.create_task(outbox.run()))
        for spec in self._specs:
            self._at(now + self.rng.uniform(0, 5), lambda spec=spec: self._ask(daemon, spec))
        self._at(now + self._tick, lambda: self._look(daemon))

    async def _connect(self, _: Address, __: float) -> bool:
        return not self.upstream.weather.is_network_down(self.clock.now())

    async def _kill(self) -> None:
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        tasks = [daemon.sending, *daemon.asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, daemon: Daemon, spec: ProbeSpec) -> None:
        """Never the same question twice at once, as the schedule has it."""
        if daemon is not self._daemon:
            return
        self._at(self.clock.now() + daemon.knowledge.rhythm.interval(spec), lambda: self._ask(daemon, spec))
        running = daemon.asking.get(spec.key)
        if running is None or running.done():
            if running is not None:
                running.result()
            daemon.asking[spec.key] = asyncio.ensure_future(daemon.pipeline.ask(spec))

    def _hear(self, told: Told) -> None:
        self._heard(told, self.memory)

    def _taken(self, outcome: Outcome) -> None:
        if self._closely and outcome.is_chain:
            self._look_soon()

    def _look_soon(self, _: Transition | None = None) -> None:
        """Once, however many things happen at this moment."""
        if not self._looking and (daemon := self._daemon) is not None:
            self._looking = True
            self._at(self.clock.now(), lambda: self._once(daemon))

    async def _once(self, daemon: Daemon) -> None:
        self._looking = False
        if daemon is self._daemon:
            self.looks += 1
            await daemon.alarm.look()

    async def _look(self, daemon: Daemon) -> None:
        if daemon is self._daemon:
            await self._once(daemon)
            self._at(self.clock.now() + self._tick, lambda: self._look(daemon))


async def _settle() -> None:
    """Until nobody can run who does not wait for the clock."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # asyncio tells in no other way
    for _ in range(MOST_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
    raise RuntimeError("somebody runs on and on at one moment")
