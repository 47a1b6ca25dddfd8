"""Runs drills: guard, the experiment, judgement, journal; and ends them: one, those of a chain, all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from random import Random

import structlog

from chaos.application import Application
from chaos.experiment import Ask, Experiment, Observer, tell
from chaos.guard import GuardView, Permit, Refusal, Running, permit
from chaos.injectors import INJECTORS
from chaos.injectors.injector import Injector
from chaos.judge import judge
from chaos.model import Drill, Journal, Phase
from chaos.observing import Overlooking, Watching
from chaos.record import Record
from chaos.serving import reached
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.model import new_id
from monitor.offering import Catalogue

log = structlog.get_logger("drill")

WATCH_LONGER = 300.0
"""Seconds that a drill may take beside the time that its fault is in."""


@dataclass(slots=True)
class _Active:
    """A run in progress with the task that performs it."""

    record: Record
    experiment: Experiment
    providers: frozenset[str]
    task: asyncio.Task[None]

    def end(self, why: str) -> None:
        """Cancel, with the first reason given kept for the journal."""
        if self.record.aborted is None:
            self.record.aborted = why
            self.experiment.say(self.record.phase, f"aborted: {why}")
        self.task.cancel()


class Runner:
    """Runs drills, each on its own chain.

    ``chains``, ``view`` and ``catalogue`` take a chain's name, are asked anew for each run, and raise nothing else than
    KeyError for a chain that is not configured. ``credential``: of the application that a drill asks, by its name.
    """

    def __init__(  # noqa: PLR0913 - all that runs depend on, by name
        self,
        *,
        chains: Callable[[str], ChainConfig],
        ask: Ask,
        view: Callable[[str], GuardView],
        catalogue: Callable[[str], Catalogue],
        clock: Clock,
        rng: Random,
        observers: Sequence[Observer] = (),
        credential: Callable[[str], str | None] = lambda _: None,
        injectors: Mapping[str, Injector] | None = None,
    ) -> None:
        self._chains = chains
        self._ask = ask
        self._view = view
        self._catalogue = catalogue
        self._clock = clock
        self._rng = rng
        self._observers = tuple(observers)
        self._credential = credential
        self._injectors = INJECTORS if injectors is None else injectors
        self._active: dict[str, _Active] = {}
        self._stopped: str | None = None

    @property
    def running(self) -> tuple[Running, ...]:
        return tuple(
            Running(
                run=run,
                drill=active.record.drill,
                asked_by=active.record.asked_by,
                started=active.record.started,
                phase=active.record.phase,
                providers=active.providers,
            )
            for run, active in self._active.items()
        )

    @property
    def stopped(self) -> str | None:
        """Why no drill may run; None when they may."""
        return self._stopped

    async def run(self, drill: Drill, *, asked_by: str, run_id: str | None = None, seed: int | None = None) -> Journal:
        """Run a drill to its end and return its journal, also when it is refused. ``seed`` repeats an earlier run.

        Raises KeyError for a chain that is not configured. Cancelled, it takes the fault away and gives the observers
        the journal all the same.
        """
        now = self._clock.now()
        record = Record(
            run=run_id or new_id(now),
            drill=drill,
            chain=self._chains(drill.chain),
            asked_by=asked_by,
            seed=self._rng.getrandbits(32) if seed is None else seed,
            started=now,
            price=self._view(drill.chain).cost or 0.0,
        )
        catalogue = self._catalogue(drill.chain)
        experiment = Experiment(
            record,
            injector=self._injectors[drill.injector],
            ask=self._ask,
            catalogue=catalogue,
            clock=self._clock,
            observers=self._observers,
            watching=self._watching(record),
            application=self._application(record),
        )
        providers = reached(record.chain, drill.breaks, catalogue)
        decision = self._permit(drill, record.chain, catalogue, providers)
        if not decision.allowed:
            record.refused = decision.because
            experiment.say(Phase.GUARD, f"asked for by {asked_by}; refused ({decision.refusal}): {decision.because}")
            return self._finish(record, experiment)
        experiment.say(Phase.GUARD, f"asked for by {asked_by}; may run: {decision.because}")
        return await self._perform(record, experiment, providers)

    def abort(self, run: str, why: str) -> bool:
        """End one run at once, with the reason for its journal. False when no such run is in progress."""
        active = self._active.get(run)
        if active is None or active.task.done():
            return False
        active.end(why)
        return True

    def notice_outage(self, chain: str, why: str) -> int:
        """The watching side found real trouble on a chain: end its drills at once. Returns how many there were."""
        return self._abort_all(f"real trouble on {chain} during the drill: {why}", chain=chain)

    def stop(self, why: str = "stopped by an operator") -> int:
        """End every drill at once and refuse new ones until ``release``. Returns how many were running."""
        self._stopped = why
        return self._abort_all(why)

    def release(self) -> None:
        """Allow drills again after a ``stop``."""
        self._stopped = None

    def _abort_all(self, why: str, chain: str | None = None) -> int:
        runs = [run for run, active in self._active.items() if chain in (None, active.record.drill.chain)]
        return sum(self.abort(run, why) for run in runs)

    def _watching(self, record: Record) -> Watching | None:
        """What the drill looks at applications by; it ends by itself some time after the fault does."""
        injector, drill = self._injectors[record.drill.injector], record.drill
        if not drill.watches or not isinstance(injector, Overlooking):
            return None
        return injector.watching(record.run, drill, record.started + WATCH_LONGER + drill.max_duration)

    def _application(self, record: Record) -> Application | None:
        plan = record.drill.application
        if plan is None:
            return None
        credential = self._credential(record.drill.name)
        return Application(plan, run=record.run, credential=credential, clock=self._clock)

    def may(self, drill: Drill) -> Permit:
        """Whether a drill could run now. Raises KeyError for a chain that is not configured."""
        chain, catalogue = self._chains(drill.chain), self._catalogue(drill.chain)
        return self._permit(drill, chain, catalogue, reached(chain, drill.breaks, catalogue))

    def _permit(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue, providers: frozenset[str]) -> Permit:
        decision = permit(
            drill,
            chain,
            self._view(chain.name),
            stopped=self._stopped,
            running=self.running,
            providers=providers,
            requests=drill.most_requests,
        )
        refused = self._injectors[drill.injector].check(drill, chain, catalogue) if decision.allowed else None
        return Permit(refusal=Refusal.NOT_POSSIBLE, because=refused.because) if refused else decision

    async def _perform(self, record: Record, experiment: Experiment, providers: frozenset[str]) -> Journal:
        task = asyncio.create_task(experiment.perform(), name=f"drill {record.run}")
        active = self._active[record.run] = _Active(record, experiment, providers, task)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            active.end("the run was cancelled, as when fallbackd shuts down")
            experiment.rollback()
            await asyncio.wait({task})
            raise
        finally:
            del self._active[record.run]
            _note_end(task, record, experiment)
            journal = self._finish(record, experiment)
        return journal

    def _finish(self, record: Record, experiment: Experiment) -> Journal:
        now, evidence = self._clock.now(), record.evidence()
        verdict = judge(evidence, now)
        experiment.say(Phase.JUDGE, f"{verdict.kind}: {verdict.because}")
        journal = Journal(
            # All that was judged by, so that it can be judged again.
            **{each.name: getattr(evidence, each.name) for each in fields(evidence)},
            asked_by=record.asked_by,
            seed=record.seed,
            started=record.started,
            ended=now,
            events=tuple(record.events),
            verdict=verdict,
            checks=tuple(record.checks),
        )
        tell(self._observers, lambda observer: observer.on_finished(journal))
        return journal


def _note_end(task: asyncio.Task[None], record: Record, experiment: Experiment) -> None:
    """How the performance ended, where it did not simply come to its end."""
    if not task.done() or task.cancelled():
        record.aborted = record.aborted or "its requests were cancelled"
    elif (error := task.exception()) is not None:
        record.crash = f"{type(error).__name__}: {error}"
        log.error("a drill failed in fallbackd itself", run=record.run, exc_info=error)
        experiment.say(record.phase, f"ended by a fault of fallbackd itself: {record.crash}")
