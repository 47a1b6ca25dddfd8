"""The wiring: builds everything from a Config; start, stop, reload. Whatever is started is torn down in reverse."""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random

import structlog

from chaos.sandbox import Sandbox
from monitor import heap, leftovers, overheard
from monitor.broadcast import Broadcast
from monitor.clock import Clock, SystemClock
from monitor.conditions import Itself
from monitor.config.model import Config
from monitor.connectivity import Connectivity
from monitor.control import DaemonControl
from monitor.data_folder import claim
from monitor.drilling import Drilling
from monitor.endpoints import Endpoints
from monitor.experimenting import Experimenting
from monitor.explaining import Explaining
from monitor.front import Front
from monitor.generations import Generations
from monitor.histories import Histories
from monitor.in_force import InForce
from monitor.inventory import Inventory
from monitor.itself import SelfView
from monitor.knowledge import Knowledge
from monitor.leftovers import Leftovers
from monitor.metrics import Metrics
from monitor.model import Outcome, Transition
from monitor.overheard import Overheard
from monitor.pipeline import Pipeline
from monitor.probes import Prober
from monitor.schedule import Job, Schedule
from monitor.settings import Settings
from monitor.stocktaking import Stocktaking
from monitor.store import Store
from monitor.telling import Telling
from monitor.timetable import Timetable
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
    """One daemon. ``in_force`` is what it watches now."""

    in_force: InForce

    def __init__(
        self, config: Config, settings: Settings, *, clock: Clock | None = None, rng: Random | None = None
    ) -> None:
        self._given = config
        self.settings = settings
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
        now = self.in_force
        now.put(config)
        await self._endpoints.apply(now.config)
        await self._telling.reload(now.config)
        self._follow()
        self._metrics.reloaded(True, self._clock.now())
        self._diary.reloaded(self._clock.now(), successful=True)
        heap.settle()
        self._broadcast.all_changed()
        await self._front.follow()
        log.info("config reloaded", chains=len(now.config.chains), probes=len(now.specs), drills=len(now.drills))
        self._schedule.start_now("catalogue")

    def _follow(self) -> None:
        """Every part obeys what is in force now."""
        config, specs, drills = self.in_force.config, self.in_force.specs, self.in_force.drills
        self._knowledge.follow(config, specs, self._clock.now())
        self._metrics.apply(config, specs, drills)
        self._pipeline.follow(config, self._prober())
        self._generations.follow(config)
        self._connectivity.follow(config)
        self._drilling.follow(drills)
        self._telling.alarm.follow(config)
        self._schedule.apply(self._jobs())
        self.traffic.follow(config)

    def reload_failed(self) -> None:
        self._metrics.reloaded(False, self._clock.now())
        self._diary.reloaded(self._clock.now(), successful=False)

    async def _start(self) -> None:
        self._stack.enter_context(claim(self.settings.data))
        self._store = await Store.open(self.settings.data / DATABASE, self._clock)
        self._stack.push_async_callback(self._store.close)
        await self._start_sandbox()
        self._inventory = await Inventory.restore(self._store)
        self.in_force = now = InForce(self._given, self._inventory, self._sandbox_base)
        self._endpoints = Endpoints(now.config, self._clock)
        self._stack.push_async_callback(self._endpoints.close)
        self._metrics = Metrics(now.config, now.specs, now.drills, VERSION)
        self._metrics.set_series("fallbackd_network_up", {(): 1.0})
        self._connectivity = Connectivity(now.config, self._clock, changed=self._network_changed)
        self._knowledge = await Knowledge.restore(now.config, now.specs, self._store, self._clock)
        self._recall()
        await self._build_telling()
        self._build_watch()
        await self._build_drills()
        self._begin_telling()
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
        for spec in self.in_force.specs:
            if spec.key in last:
                self._metrics.recall_probe(spec, last[spec.key])

    async def _build_telling(self) -> None:
        self._telling = Telling(
            config=self.in_force.config, knowledge=self._knowledge, store=self._store, metrics=self._metrics,
            clock=self._clock, rng=self._rng, told=self._broadcast.alerts_changed, itself=self._look_at_itself,
        )  # fmt: skip
        self._stack.push_async_callback(self._telling.close)
        await self._telling.restore()

    def _build_watch(self) -> None:
        self._stocktaking = Stocktaking(
            endpoints=self._endpoints, inventory=self._inventory, knowledge=self._knowledge, metrics=self._metrics,
            store=self._store, clock=self._clock,
        )  # fmt: skip
        self._generations = Generations(
            config=self.in_force.config, transport=self._endpoints.transport, catalogue=self._endpoints.catalogue,
            knowledge=self._knowledge, metrics=self._metrics, store=self._store, clock=self._clock,
        )  # fmt: skip
        self._stack.push_async_callback(self._generations.drain, LOOK_UP_DRAIN)
        self._pipeline = Pipeline(
            config=self.in_force.config, prober=self._prober(), knowledge=self._knowledge, metrics=self._metrics,
            store=self._store, catalogue=self._endpoints.catalogue, clock=self._clock, rng=self._rng,
            changed=self._on_transition, taken=self._on_outcome, verify=self._connectivity.verify,
        )  # fmt: skip

    async def _build_drills(self) -> None:
        self._drilling = await Drilling.restore(
            pipeline=self._pipeline, knowledge=self._knowledge, alarm=self._telling.alarm, metrics=self._metrics,
            store=self._store, catalogue=self._endpoints.catalogue, clock=self._clock, rng=self._rng,
            gateway=lambda: self.traffic.reach(self.in_force.config), observers=(self._broadcast,),
        )  # fmt: skip
        self._drilling.follow(self.in_force.drills)
        self._leftovers = Leftovers(
            drilling=self._drilling, reach=lambda: self.traffic.reach(self.in_force.config), metrics=self._metrics,
            clock=self._clock,
        )  # fmt: skip
        self._overheard = Overheard(
            reach=lambda: self.traffic.apart(self.in_force.config), take=self._pipeline.take, store=self._store,
            chains=lambda: [chain.name for chain in self.in_force.config.chains],
        )  # fmt: skip
        self._schedule = Schedule(clock=self._clock, rng=self._rng, lagged=self._lagged, skipped=self._skipped)
        self._timetable = Timetable(
            pipeline=self._pipeline, drilling=self._drilling, knowledge=self._knowledge, clock=self._clock
        )

    def _begin_telling(self) -> None:
        self._self_view = SelfView(
            drilling=self._drilling, leftovers=self._leftovers, outbox=self._telling.outbox, store=self._store,
            connectivity=self._connectivity, diary=self._diary, clock=self._clock,
        )  # fmt: skip
        self._telling.start()
        self._stack.push_async_callback(self._telling.stop)

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
        self._telling.alarm.wake()
        self._broadcast.all_changed()

    async def _serve(self) -> None:
        now = self.in_force
        control = DaemonControl(
            now, store=self._store, knowledge=self._knowledge, alarm=self._telling.alarm, drilling=self._drilling,
            metrics=self._metrics, schedule=self._schedule, outbox=self._telling.outbox, clock=self._clock,
            stocktaking=self._stocktaking, connectivity=self._connectivity,
        )  # fmt: skip
        insights = Explaining(now, knowledge=self._knowledge, endpoints=self._endpoints, store=self._store)
        page = build(
            control, insights=insights, laboratory=Experimenting(store=self._store, drilling=self._drilling),
            histories=Histories(now, store=self._store, clock=self._clock), feed=self._feed,
            token=self.settings.token, loopback=self.settings.is_loopback, public=lambda: now.config.page.public,
        )  # fmt: skip
        self._front = Front(
            page, control, in_force=now, settings=self.settings, feed=self._feed, clock=self._clock, rng=self._rng,
            heard=self._metrics.set_slack_listening,
        )  # fmt: skip
        self._stack.push_async_callback(self._front.stop)
        await self._front.start(self.sandbox_url)
        self.url = self._front.url

    async def _start_sandbox(self) -> None:
        if not self.settings.sandbox:
            return
        sandbox = Sandbox()
        self._sandbox_base = await sandbox.start(*(self.settings.sandbox_listen or ("127.0.0.1", 0)))
        self._stack.push_async_callback(sandbox.stop)
        self.sandbox_url = sandbox.control_url

    async def _start_traffic(self) -> None:
        self.traffic = Traffic(
            told=self._pipeline.take, unobserved=self._metrics.gateway_unobserved, overhead=self._metrics.gateway_added,
            catalogue=self._endpoints.catalogue, clock=self._clock,
        )  # fmt: skip
        self._stack.push_async_callback(self.traffic.stop)
        await self.traffic.start(self.in_force.config, sandbox=self.settings.sandbox)

    def _prober(self) -> Prober:
        return Prober(
            config=self.in_force.config, transport=self._endpoints.transport, catalogue=self._endpoints.catalogue,
            clock=self._clock, rng=self._rng,
        )  # fmt: skip

    def _jobs(self) -> list[Job]:
        every = self.in_force.config.catalogue.every
        chores = [
            Job(key="catalogue", every=every, first_after=every, action=self._read_catalogues),
            Job(key="prune", every=PRUNE_EVERY, first_after=60.0, action=self._prune),
            Job(key="leftovers", every=leftovers.EVERY, first_after=0.0, action=self._leftovers.look),
            Job(key="overheard", every=overheard.EVERY, first_after=0.0, action=self._overheard.look),
        ]
        return [*self._timetable.jobs(self.in_force.specs, self.in_force.drills), *chores]

    def _on_outcome(self, outcome: Outcome) -> None:
        self._generations.notice(outcome)
        self._broadcast.on_outcome(outcome)

    def _on_transition(self, transition: Transition) -> None:
        self._broadcast.on_transition(transition)
        chain = transition.subject.chain
        self._schedule.repace([spec.key for spec in self.in_force.specs if spec.pace and spec.chain == chain])
        self._drilling.notice(transition)
        self._telling.alarm.wake()

    async def _read_catalogues(self) -> None:
        """Providers that came or went since the last reading are asked, or no longer asked, from now on."""
        await self._stocktaking.run(self.in_force.written)
        if self.in_force.rediscover():
            self._follow()
            log.info("providers discovered", probes=len(self.in_force.specs))
        self._telling.alarm.wake()
        await self._pipeline.recheck(self.in_force.specs)

    async def _prune(self) -> None:
        await self._store.prune(self.settings.retention)

    async def _drain(self) -> None:
        self._schedule.pause()
        await self._drilling.shut_down()
        cancelled = await self._schedule.drain(DRAIN)
        if cancelled:
            log.warning("runs cancelled: they did not end in time", count=cancelled)
