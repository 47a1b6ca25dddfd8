"""Drills inside the daemon: what the runner asks through, what it may know, and where its journals go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Self

import structlog

from chaos.edges import aims
from chaos.experiment import Observer
from chaos.guard import GuardView
from chaos.injectors import Reach, reaching
from chaos.injectors.injector import Wrap
from chaos.journals import journal_json
from chaos.model import Drill, Event, Injection, Journal
from chaos.runner import Runner
from monitor.alarm import Alarm
from monitor.clock import Clock
from monitor.conditions import ActiveFault
from monitor.config.model import ChainConfig
from monitor.exchange import Reshape
from monitor.knowledge import Knowledge
from monitor.metrics import Metrics
from monitor.model import Health, Origin, Outcome, ProbeSpec, Transition, Verdict, VerdictKind, new_id
from monitor.offering import Catalogue
from monitor.pipeline import Pipeline
from monitor.probes import specify
from monitor.proofs import COVERAGE
from monitor.store import Store
from monitor.workbook import Workbook

log = structlog.get_logger("drill")

STOPPED = "stopped"
MOST_FRESH = 20
"""Journals of ended runs that are also kept in memory."""
DISK_PATIENCE = 2.0
"""Seconds that who stops or releases drills waits for the disk; what could not be written yet is retried."""


class Drilling:
    """Starts drills, by schedule and on demand, and keeps what they say while they run."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        knowledge: Knowledge,
        alarm: Alarm,
        metrics: Metrics,
        store: Store,
        catalogue: Callable[[str], Catalogue],
        clock: Clock,
        rng: Random,
        gateway: Callable[[], Reach | None] = lambda: None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._pipeline = pipeline
        self._knowledge = knowledge
        self._alarm = alarm
        self._metrics = metrics
        self._store = store
        self._endpoint_catalogue = catalogue
        self._clock = clock
        self._drills: dict[str, Drill] = {}
        self._events: dict[str, list[Event]] = {}
        self._tasks: dict[str, asyncio.Task[Journal]] = {}
        self._last: dict[str, Verdict] = {}
        self._faults: dict[tuple[str, str, str], ActiveFault] = {}
        self._fresh: dict[str, bytes] = {}
        injectors = reaching(gateway)
        self.runner = Runner(
            chains=self._chain,
            ask=self._ask,
            view=self._view,
            catalogue=self._catalogue,
            clock=clock,
            rng=rng,
            observers=(self, *observers),
            credential=self._credential,
            injectors=injectors,
        )
        self.workbook = Workbook(
            config=lambda: self._pipeline.config, view=self._view, runner=self.runner, injectors=injectors
        )

    @classmethod
    async def restore(cls, **parts: object) -> Self:
        """A stop outlives a restart: it holds until somebody releases it."""
        self = cls(**parts)  # type: ignore[arg-type]  # the same keywords as __init__
        for verdict, _ in reversed(await self._store.journals(limit=1000)):
            self._last[verdict.drill] = verdict
            self._metrics.recall_verdict(verdict)
        stopped = (await self._store.states(STOPPED)).get(STOPPED)
        if stopped:
            self.runner.stop(stopped.decode())
        return self

    def follow(self, drills: tuple[Drill, ...]) -> None:
        self._drills = {drill.name: drill for drill in drills}
        self._knowledge.proofs.plan(aims(drills, self._pipeline.config))

    def scheduled(self, drill: Drill) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await asyncio.shield(self.start(drill.name, asked_by="schedule")[1])

        return run

    def start(self, name: str, *, asked_by: str) -> tuple[str, asyncio.Task[Journal]]:
        """Begin a run; returns its id and the task that ends with its journal. Raises KeyError for an unknown drill."""
        return self.start_drill(self._drills[name], asked_by=asked_by)

    def start_drill(self, drill: Drill, *, asked_by: str) -> tuple[str, asyncio.Task[Journal]]:
        """As ``start``, of a drill that need not be in the config."""
        run = new_id(self._clock.now())
        self._events[run] = []
        task = asyncio.create_task(self.runner.run(drill, asked_by=asked_by, run_id=run), name=f"drill {drill.name}")
        self._tasks[run] = task
        task.add_done_callback(lambda _: self._tasks.pop(run, None))
        return run, task

    async def ended(self, run: str) -> None:
        """Until a run is over; at once when it is not going on."""
        if (task := self._tasks.get(run)) is not None:
            await asyncio.wait((task,))

    def last(self, drill: str) -> Verdict | None:
        """The verdict of the latest run, whatever it was."""
        return self._last.get(drill)

    def price(self, drill: Drill) -> float | None:
        """What one of its requests costs at most in USD; None where no price is known."""
        return self._pipeline.estimate(drill_spec(drill, self._chain(drill.chain)))

    @property
    def begun(self) -> tuple[str, ...]:
        """The ids of the runs that are going on."""
        return tuple(self._tasks)

    @property
    def under_way(self) -> dict[str, tuple[str, ...]]:
        """The names of the drills that run now, by chain."""
        running = self.runner.running
        chains = dict.fromkeys(one.drill.chain for one in running)
        return {chain: tuple(one.drill.name for one in running if one.drill.chain == chain) for chain in chains}

    @property
    def faults(self) -> tuple[ActiveFault, ...]:
        """What is in place now."""
        return tuple(self._faults.values())

    def events(self, run: str) -> tuple[Event, ...] | None:
        """What a run that is still going on has said so far; None when no such run is going on."""
        return tuple(self._events[run]) if run in self._events else None

    def has_ended(self, run: str) -> bool:
        """Whether a run is surely over: one of the latest, that this process has ended itself."""
        return run in self._fresh and run not in self._tasks

    def fresh(self, run: str) -> bytes | None:
        """The journal of one of the latest runs, which may not be on disk yet."""
        return self._fresh.get(run)

    async def stop(self, why: str) -> int:
        """End every drill at once and block new ones until ``release``. Returns how many were running."""
        ended = self.runner.stop(why)
        log.warning("all drills stopped until they are released", why=why, ended=ended)
        await self._keep(why.encode())
        return ended

    async def release(self, by: str) -> None:
        self.runner.release()
        log.info("drills released", by=by)
        await self._keep(None)

    async def _keep(self, stopped: bytes | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DISK_PATIENCE):
                await self._store.put_states(STOPPED, {STOPPED: stopped})

    async def shut_down(self) -> None:
        """End what runs, with its rollback and its journal; block nothing for the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def notice(self, transition: Transition) -> None:
        """Real trouble found by a scheduled probe ends the drills of its chain, so that the two are never mixed up."""
        unanswered = transition.after is Health.LIMITED and transition.subject.target is None
        if transition.after is Health.DOWN or unanswered:
            what = f"{transition.subject.key} is {transition.after}: {transition.detail}"
            self.runner.notice_outage(transition.subject.chain, what)

    # What the runner tells (chaos.experiment.Observer).

    def on_event(self, run: str, event: Event) -> None:
        self._events.setdefault(run, []).append(event)

    def on_active(self, injection: Injection, active: bool) -> None:
        for fault in injection.faults:
            place = (injection.run, injection.injector, fault)
            if active:
                self._faults[place] = ActiveFault(
                    chain=injection.chain, drill=injection.drill, run=injection.run, fault=fault,
                    injector=injection.injector, until=injection.until,
                )  # fmt: skip
            else:
                self._faults.pop(place, None)
            self._metrics.set_fault(injection.chain, injection.drill, fault, injection.injector, active=active)

    def on_finished(self, journal: Journal) -> None:
        self._events.pop(journal.run, None)
        verdict = journal.verdict
        self._last[verdict.drill] = verdict
        self._metrics.observe_verdict(verdict)
        for one in journal.conduct:
            self._metrics.observe_misdeed(verdict.chain, verdict.drill, one.misdeed, one.calls)
        self._knowledge.judged(verdict)
        raw = self._fresh[journal.run] = journal_json(journal)
        while len(self._fresh) > MOST_FRESH:
            del self._fresh[next(iter(self._fresh))]
        self._store.add_verdict(verdict, raw, COVERAGE, self._knowledge.proofs.unsaved())
        write = log.info if verdict.kind is VerdictKind.PASSED else log.warning
        write(
            f"drill {verdict.drill} {verdict.kind.value}: {verdict.because}", asked_by=journal.asked_by, run=journal.run
        )
        self._alarm.wake()

    # What the runner asks.

    def _chain(self, name: str) -> ChainConfig:
        return self._pipeline.config.chain(name)

    def _credential(self, drill: str) -> str | None:
        secret = self._pipeline.config.secrets.get(f"drills/{drill}/credential")
        return secret.get_secret_value() if secret is not None else None

    def _catalogue(self, chain: str) -> Catalogue:
        return self._endpoint_catalogue(self._chain(chain).endpoint)

    async def _ask(self, drill: Drill, _run: str, reshape: Reshape | None, wrap: Wrap | None, /) -> Outcome:
        chain = self._chain(drill.chain)
        spec = drill_spec(drill, chain)
        outcome = await self._pipeline.prober.probe(
            spec, origin=Origin.DRILL, drill=drill.name, reshape=reshape, wrap=wrap
        )
        self._pipeline.take(outcome)
        return outcome

    def _view(self, name: str) -> GuardView:
        chain = self._chain(name)
        state = self._knowledge.chain_state(name)
        troubled = {trouble.position: trouble.health for trouble in state.troubles} if state else {}
        health = {}
        for target in chain.all_targets():
            own = self._knowledge.target_state(target)
            health[target.position] = troubled.get(target.position) or (own.health if own else Health.UNKNOWN)
        now = self._clock.now()
        alerts = [one for one in self._alarm.alerts if one.chain == name]
        return GuardView(
            health=state.health if state else Health.UNKNOWN,
            targets=health,
            lacks={trouble.position: trouble.lacks for trouble in state.troubles} if state else {},
            incidents=tuple(one.when for one in alerts if one.is_firing),
            pending=tuple(one.when for one in alerts if not one.is_firing),
            budget=self._knowledge.spending.remaining(name, now),
            cost=self._pipeline.estimate(specify(chain, chain.probes[0], None)),
        )


def drill_spec(drill: Drill, chain: ChainConfig) -> ProbeSpec:
    """The end-to-end question of a drill, with the settings of the chain's own probe of that kind where it has one."""
    own = next((probe for probe in chain.probes if probe.kind == drill.kind), chain.probes[0])
    return specify(chain, own.model_copy(update={"kind": drill.kind}), None)
