"""The wiring: builds everything from a Config; start, stop, reload. Whatever is started is torn down in reverse."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from random import Random

import structlog

from chaos.drills import resolve
from chaos.model import Drill
from chaos.sandbox import Sandbox
from monitor import addresses, heap
from monitor.alarm import Alarm
from monitor.broadcast import Broadcast
from monitor.clock import Clock, SystemClock
from monitor.conditions import Itself
from monitor.config.model import Config
from monitor.connectivity import Connectivity
from monitor.control import DaemonControl
from monitor.drilling import Drilling
from monitor.endpoints import Endpoints, on_sandbox
from monitor.errors import FallbackdError, StartError
from monitor.experimenting import Experimenting
from monitor.explaining import Explaining
from monitor.generations import Generations
from monitor.heartbeat import Heartbeat, is_watching
from monitor.histories import Histories
from monitor.inventory import Inventory
from monitor.itself import SelfView
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Outcome, ProbeSpec, Transition
from monitor.notify import Outbox, build_notifiers
from monitor.notify.standing_in import StandingIn
from monitor.pipeline import Pipeline
from monitor.probes import Prober, expand
from monitor.schedule import Job, Schedule
from monitor.serving import Server
from monitor.settings import Settings
from monitor.slack import SlackOrders
from monitor.stocktaking import Stocktaking
from monitor.store import Store
from monitor.traffic import Traffic
from monitor.version import VERSION
from monitor.web import Feed, build
from monitor.wellbeing import Diary

log = structlog.get_logger("app")

PRUNE_EVERY = 3600.0
DRAIN = 20.0
"""Seconds that running probes get to end by themselves at a stop."""
LOOK_UP_DRAIN = 5.0
"""Seconds that look-ups of records get at a stop."""
DATABASE = "fallbackd.sqlite3"


class App:
    """One daemon. ``config``, ``specs`` and ``drills`` are what is in force now; providers that are to be discovered
    stand in them by name."""

    def __init__(
        self, config: Config, settings: Settings, *, clock: Clock | None = None, rng: Random | None = None
    ) -> None:
        self.config = self._written = config
        self.settings = settings
        self.specs: tuple[ProbeSpec, ...] = ()
        self.drills: tuple[Drill, ...] = ()
        self.url = ""
        self.sandbox_url: str | None = None
        self._clock = clock or SystemClock()
        self._rng = rng or Random()
        self._stack = AsyncExitStack()
        self._sandbox_base: str | None = None
        self._feed = Feed()
        self._broadcast = Broadcast(self._feed, self._clock)
        self._diary = Diary()

    async def start(self) -> None:
        """Raises StartError when something that is needed cannot be had; what was started is stopped again."""
        try:
            await self._start()
            heap.settle()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Drain and stop, in reverse order of the start. Safe to call twice."""
        await self._stack.aclose()

    async def reload(self, config: Config) -> None:
        """Put another config into force: everything that can fail has already been parsed."""
        self._put_into_force(config)
        await self._endpoints.apply(self.config)
        await self._standing_in.follow(self.config)
        await self._outbox.apply(build_notifiers(self.config))
        await self._heartbeat.follow(self.config)
        await self._orders.follow(self.config)
        self._follow()
        self._metrics.reloaded(True, self._clock.now())
        self._diary.reloaded(self._clock.now(), successful=True)
        heap.settle()
        self._broadcast.all_changed()
        self._doubt_the_page()
        log.info("config reloaded", chains=len(self.config.chains), probes=len(self.specs), drills=len(self.drills))
        self._schedule.start_now("catalogue")

    def _follow(self) -> None:
        """Every part obeys what is in force now."""
        self._knowledge.follow(self.config, self.specs, self._clock.now())
        self._metrics.apply(self.config, self.specs, self.drills)
        self._pipeline.follow(self.config, self._prober())
        self._generations.follow(self.config)
        self._connectivity.follow(self.config)
        self._drilling.follow(self.drills)
        self._alarm.follow(self.config)
        self._schedule.apply(self._jobs())
        self.traffic.follow(self.config)

    def reload_failed(self) -> None:
        self._metrics.reloaded(False, self._clock.now())
        self._diary.reloaded(self._clock.now(), successful=False)

    async def _start(self) -> None:
        self._lock_data()
        self._store = await Store.open(self.settings.data / DATABASE, self._clock)
        self._stack.push_async_callback(self._store.close)
        await self._start_sandbox()
        self._inventory = await Inventory.restore(self._store)
        self._put_into_force(self.config)
        self._endpoints = Endpoints(self.config, self._clock)
        self._stack.push_async_callback(self._endpoints.close)
        self._metrics = Metrics(self.config, self.specs, self.drills, VERSION)
        self._metrics.set_series("fallbackd_network_up", {(): 1.0})
        self._connectivity = Connectivity(self.config, self._clock, changed=self._network_changed)
        self._knowledge = await Knowledge.restore(self.config, self.specs, self._store, self._clock)
        self._recall()
        await self._build_stories()
        await self._start_traffic()
        await self._serve()
        await self._read_catalogues()
        self._schedule.start()
        self._stack.push_async_callback(self._drain)
        self._schedule.apply(self._jobs())

    def _recall(self) -> None:
        """What the metrics must know of the time before this start."""
        self._metrics.reloaded(True, self._clock.now())
        last = self._knowledge.rhythm.last
        for spec in self.specs:
            if spec.key in last:
                self._metrics.recall_probe(spec, last[spec.key])

    async def _build_stories(self) -> None:
        self._standing_in = StandingIn(store=self._store, config=self.config, clock=self._clock)
        await self._standing_in.restore()
        self._outbox = Outbox(
            store=self._store,
            notifiers=build_notifiers(self.config),
            clock=self._clock,
            rng=self._rng,
            observe=self._metrics.notice,
            seconds=self._standing_in,
        )
        self._stack.push_async_callback(self._outbox.close)
        self._alarm = Alarm(
            config=self.config,
            knowledge=self._knowledge,
            store=self._store,
            metrics=self._metrics,
            clock=self._clock,
            told=self._on_alerts,
            itself=self._look_at_itself,
        )
        await self._alarm.restore()
        self._stocktaking = Stocktaking(
            endpoints=self._endpoints, inventory=self._inventory, knowledge=self._knowledge, metrics=self._metrics,
            store=self._store, clock=self._clock,
        )  # fmt: skip
        self._generations = Generations(
            config=self.config, transport=self._endpoints.transport, catalogue=self._endpoints.catalogue,
            knowledge=self._knowledge, metrics=self._metrics, store=self._store, clock=self._clock,
        )  # fmt: skip
        self._stack.push_async_callback(self._generations.drain, LOOK_UP_DRAIN)
        self._pipeline = Pipeline(
            config=self.config,
            prober=self._prober(),
            knowledge=self._knowledge,
            metrics=self._metrics,
            store=self._store,
            catalogue=self._endpoints.catalogue,
            clock=self._clock,
            rng=self._rng,
            changed=self._on_transition,
            taken=self._on_outcome,
            verify=self._connectivity.verify,
        )
        self._drilling = await Drilling.restore(
            pipeline=self._pipeline,
            knowledge=self._knowledge,
            alarm=self._alarm,
            metrics=self._metrics,
            store=self._store,
            catalogue=self._endpoints.catalogue,
            clock=self._clock,
            rng=self._rng,
            gateway=lambda: self.traffic.reach(self.config),
            observers=(self._broadcast,),
        )
        self._drilling.follow(self.drills)
        self._schedule = Schedule(clock=self._clock, rng=self._rng, lagged=self._lagged, skipped=self._skipped)
        self._self_view = SelfView(
            drilling=self._drilling, outbox=self._outbox, store=self._store, connectivity=self._connectivity,
            diary=self._diary, clock=self._clock,
        )  # fmt: skip
        self._background("outbox", self._outbox.run())
        self._background("alarm", self._alarm.run())
        self._heartbeat = Heartbeat(config=self.config, clock=self._clock, watching=self._is_watching)
        self._stack.push_async_callback(self._heartbeat.close)
        self._background("heartbeat", self._heartbeat.run())
        self._stack.push_async_callback(self._settle)

    def _look_at_itself(self) -> Itself:
        return self._self_view()

    def _lagged(self, seconds: float) -> None:
        self._metrics.run_lagged(seconds)
        self._diary.lagged(self._clock.now(), seconds)

    def _skipped(self, reason: str) -> None:
        self._metrics.run_skipped(reason)
        self._diary.skipped(self._clock.now(), reason)

    def _network_changed(self, up: bool) -> None:
        self._metrics.set_series("fallbackd_network_up", {(): float(up)})
        self._alarm.wake()

    def _is_watching(self) -> bool:
        now = self._clock.now()
        return is_watching(self._knowledge.rhythm.views(), self._store.lag(), now)

    async def _serve(self) -> None:
        control = DaemonControl(
            self, store=self._store, knowledge=self._knowledge, alarm=self._alarm, drilling=self._drilling,
            metrics=self._metrics, schedule=self._schedule, outbox=self._outbox, clock=self._clock,
            stocktaking=self._stocktaking,
        )  # fmt: skip
        insights = Explaining(self, knowledge=self._knowledge, endpoints=self._endpoints, store=self._store)
        page = build(
            control, insights=insights, laboratory=Experimenting(store=self._store, drilling=self._drilling),
            histories=Histories(self, store=self._store, clock=self._clock), feed=self._feed,
            token=self.settings.token, loopback=self.settings.is_loopback, public=lambda: self.config.page.public,
        )  # fmt: skip
        server = Server(page, *self.settings.listen)
        self.url = await server.start()
        self._stack.push_async_callback(server.stop)
        self._stack.callback(self._feed.close)
        self._doubt_the_page()
        addresses.write(
            self.settings.data, addresses.Addresses(pid=os.getpid(), url=self.url, sandbox=self.sandbox_url)
        )
        self._stack.callback(addresses.forget, self.settings.data)
        self._orders = SlackOrders(control, clock=self._clock, rng=self._rng)
        await self._orders.follow(self.config)
        self._stack.push_async_callback(self._orders.close)

    async def _start_sandbox(self) -> None:
        if not self.settings.sandbox:
            return
        sandbox = Sandbox()
        self._sandbox_base = await sandbox.start(*(self.settings.sandbox_listen or ("127.0.0.1", 0)))
        self._stack.push_async_callback(sandbox.stop)
        self.sandbox_url = sandbox.control_url

    async def _start_traffic(self) -> None:
        self.traffic = Traffic(
            told=self._pipeline.take, unobserved=self._metrics.gateway_unobserved,
            catalogue=self._endpoints.catalogue, clock=self._clock,
        )  # fmt: skip
        self._stack.push_async_callback(self.traffic.stop)
        await self.traffic.start(self.config, sandbox=self.settings.sandbox)

    def _put_into_force(self, config: Config) -> None:
        self._written = on_sandbox(config, self._sandbox_base) if self._sandbox_base else config
        self.config = self._inventory.expand(self._written)
        self.specs = expand(self.config)
        self.drills = resolve(self.config)

    def _prober(self) -> Prober:
        return Prober(
            config=self.config, transport=self._endpoints.transport, catalogue=self._endpoints.catalogue,
            clock=self._clock, rng=self._rng,
        )  # fmt: skip

    def _jobs(self) -> list[Job]:
        probes = [
            Job(key=spec.key, every=spec.every, pace=self._pacing(spec), action=self._asking(spec))
            for spec in self.specs
        ]
        planned = [drill for drill in self.drills if drill.every or drill.cron]
        drills = [self._drill_job(drill) for drill in planned]
        every = self.config.catalogue.every
        chores = [
            Job(key="catalogue", every=every, first_after=every, action=self._read_catalogues),
            Job(key="prune", every=PRUNE_EVERY, first_after=60.0, action=self._prune),
        ]
        return [*probes, *drills, *chores]

    def _drill_job(self, drill: Drill) -> Job:
        first = drill.first_after if drill.first_after is not None else drill.every
        action = self._drilling.scheduled(drill)
        return Job(key=f"drill:{drill.name}", every=drill.every, cron=drill.cron, first_after=first, action=action)

    def _asking(self, spec: ProbeSpec) -> Callable[[], Awaitable[None]]:
        return lambda: self._pipeline.ask(spec)

    def _pacing(self, spec: ProbeSpec) -> Callable[[], float] | None:
        if spec.pace is None:
            return None
        return lambda: self._knowledge.rhythm.decide(spec, self._clock.now()).interval

    def _doubt_the_page(self) -> None:
        if self.config.page.public and self.settings.token is None:
            log.warning(
                "page: public: true is not in force: set FALLBACKD_TOKEN or --token-file, for those who see all"
            )

    def _on_outcome(self, outcome: Outcome) -> None:
        self._generations.notice(outcome)
        self._broadcast.on_outcome(outcome)

    def _on_alerts(self) -> None:
        self._outbox.wake()
        self._broadcast.alerts_changed()

    def _on_transition(self, transition: Transition) -> None:
        self._broadcast.on_transition(transition)
        chain = transition.subject.chain
        self._schedule.repace([spec.key for spec in self.specs if spec.pace and spec.chain == chain])
        self._drilling.notice(transition)
        self._alarm.wake()

    async def _read_catalogues(self) -> None:
        """Providers that came or went since the last reading are asked, or no longer asked, from now on."""
        await self._stocktaking.run(self._written)
        if self._inventory.expand(self._written) != self.config:
            self._put_into_force(self._written)
            self._follow()
            log.info("providers discovered", probes=len(self.specs))
        self._alarm.wake()
        await self._pipeline.recheck(self.specs)

    async def _prune(self) -> None:
        await self._store.prune(self.settings.retention)

    async def _drain(self) -> None:
        self._schedule.pause()
        await self._drilling.shut_down()
        cancelled = await self._schedule.drain(DRAIN)
        if cancelled:
            log.warning("runs cancelled: they did not end in time", count=cancelled)

    async def _settle(self) -> None:
        """A last look and a last try to deliver, so that what was found while stopping is told."""
        with suppress(FallbackdError):
            await self._alarm.look()
        await self._outbox.drain(5.0)

    def _background(self, name: str, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        task.set_name(name)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(end)

    def _lock_data(self) -> None:
        """One daemon a folder: two would both speak, and each would overwrite what the other knows."""
        data = self.settings.data
        try:
            data.mkdir(parents=True, exist_ok=True)
            lock = (data / "lock").open("w")
        except OSError as error:
            raise StartError(
                f"the data folder {data} cannot be used: {error.strerror}; choose another with --data"
            ) from None
        self._stack.callback(lock.close)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartError(
                f"another fallbackd uses the data folder {data}; stop it, or choose another with --data"
            ) from None
