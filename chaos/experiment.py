"""One run of a drill, phase by phase: baseline, inject, recover. The rollback is in ``finally`` and safe to repeat."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol, TypeVar

import structlog
from httpx import AsyncBaseTransport

from chaos.application import Application
from chaos.hypothesis import check, is_steady, state_in
from chaos.injectors.injector import Armed, Elsewhere, Injector, Refused, Wrap
from chaos.model import RECOVERY_TRIES, Drill, Event, Injection, Journal, Phase
from chaos.observing import Observing, Watching
from chaos.plans import CapacityPlan
from chaos.ramp import Ramp
from chaos.record import Record
from chaos.wording import attempted, described, join, requests, seconds
from monitor.clock import Clock
from monitor.exchange import Reshape
from monitor.model import Outcome
from monitor.offering import Catalogue

log = structlog.get_logger("drill")

FIRST_PAUSE = 1.0
"""Seconds before the second try of recovery; doubled before each further one."""

T = TypeVar("T")


class Ask(Protocol):
    """Asks the whole chain once for a drill, through the same probes as ever; ``reshape`` and ``wrap`` break it."""

    def __call__(self, drill: Drill, run: str, reshape: Reshape | None, wrap: Wrap | None, /) -> Awaitable[Outcome]: ...


class Observer(Protocol):
    """What is told about drills as they run. Nothing here may wait."""

    def on_event(self, run: str, event: Event) -> None: ...

    def on_active(self, injection: Injection, active: bool) -> None: ...

    def on_finished(self, journal: Journal) -> None: ...


class Experiment:
    """Performs one run and writes its record; neither permits nor judges it."""

    def __init__(
        self,
        record: Record,
        *,
        injector: Injector,
        ask: Ask,
        catalogue: Catalogue,
        clock: Clock,
        observers: Sequence[Observer],
        watching: Watching | None = None,
        application: Application | None = None,
    ) -> None:
        """``watching``: what the gateway sees of applications, where the drill looks at them."""
        self._record = record
        self._injector = injector
        self._ask = ask
        self._catalogue = catalogue
        self._clock = clock
        self._observers = observers
        self._injection: Injection | None = None
        self._armed: Armed | None = None
        self._last: Armed | None = None
        self._observing = (
            Observing(record.drill, watching, application, say=self.say, clock=clock) if watching else None
        )

    async def perform(self) -> None:
        seeing = self._observing
        try:
            if await self._baseline() and (seeing is None or await seeing.before()):
                await self._inject()
                await self._rolled_back()
                if self._record.refused is None:
                    await self._recover()
                    if seeing is not None:
                        await seeing.after()
        finally:
            await self._rolled_back()
            if seeing is not None:
                self._take_over(seeing)
                await seeing.watching.end()

    def _take_over(self, seeing: Observing) -> None:
        record = self._record
        record.passed, record.application = tuple(seeing.watching.passed), tuple(seeing.asked)
        record.compared, record.conduct = seeing.compared, seeing.conduct

    async def _rolled_back(self) -> None:
        """The fault is taken away, and where it stands elsewhere, they know of it before anything is asked again."""
        armed = self._armed or self._last
        self.rollback()
        if isinstance(armed, Elsewhere):
            await armed.gone()

    def say(self, phase: Phase, text: str) -> None:
        self._record.phase = phase
        event = Event(at=self._clock.now(), phase=phase, text=text)
        self._record.events.append(event)
        tell(self._observers, lambda observer: observer.on_event(self._record.run, event))

    def rollback(self) -> None:
        """Take the fault away. Never waits, so that neither a cancellation nor a second one can come between."""
        armed, injection = self._armed, self._injection
        self._last = armed or self._last
        self._armed = self._injection = None
        if armed is None or injection is None:
            return
        armed.release()
        self._record.injected = armed.count
        tell(self._observers, lambda observer: observer.on_active(injection, False))
        met = requests(armed.count)
        self.say(Phase.RECOVER, f"the fault {injection.fault} is taken away from {self._broken}; it met {met}")

    @property
    def _broken(self) -> str:
        return join(self._record.labels[position] for position in self._record.drill.breaks)

    async def _baseline(self) -> bool:
        """Whether the hypothesis holds before anything is broken; the first answer that does not fit ends it."""
        record = self._record
        record.phase = Phase.BASELINE
        for _ in range(record.drill.hypothesis.requests):
            outcome = await self._ask(record.drill, record.run, None, None)
            record.baseline.append(outcome)
            good = is_steady(outcome, record.drill)
            meaning = "the steady state" if good else "not the steady state, so nothing is broken"
            self.say(Phase.BASELINE, f"{record.chain.name}, whole, {described(outcome)}: {meaning}")
            if not good:
                break
        return self._check(Phase.BASELINE, record.baseline)

    def _check(self, phase: Phase, outcomes: Sequence[Outcome]) -> bool:
        """Hold the hypothesis against a phase and record the result. True where nothing is to hold."""
        state = state_in(phase, self._record.drill.hypothesis)
        if state is None:
            return True
        found = check(state, outcomes, phase=phase, now=self._clock.now())
        self._record.checks.append(found)
        return found.holds

    async def _inject(self) -> None:
        """Arm and ask, for ``max_duration`` at most; the fault ends by itself at that moment as well."""
        drill = self._record.drill
        self._record.phase = Phase.INJECT
        armed = self._arm()
        if armed is None:
            return
        try:
            await _within(drill.max_duration, self._break(armed), self._clock)
        except TimeoutError:
            self._record.aborted = (
                f"the chain was broken for {seconds(drill.max_duration)}, as long as the drill allows"
            )
            self.say(Phase.INJECT, f"ended early: {self._record.aborted}")
        finally:
            self._conclude()

    def _conclude(self) -> None:
        """Whether the hypothesis held while the fault was in, as far as that was seen."""
        record = self._record
        if not record.broken:
            return
        held = self._check(Phase.INJECT, record.broken)
        if record.drill.hypothesis.broken is not None:
            verb = "held" if held else "did not hold"
            self.say(Phase.INJECT, f"the hypothesis {verb} while the fault was in: {record.checks[-1].because}")

    def _arm(self) -> Armed | None:
        record, drill = self._record, self._record.drill
        injection = Injection(
            chain=drill.chain,
            drill=drill.name,
            run=record.run,
            strikes=drill.strikes,
            injector=drill.injector,
            until=self._clock.now() + drill.max_duration,
            max_count=drill.most_met,
        )
        armed = self._injector.arm(injection, drill, record.chain, self._catalogue, self._clock, Random(record.seed))
        if isinstance(armed, Refused):
            record.refused = armed.because
            self.say(Phase.INJECT, f"refused: {armed.because}")
            return None
        self._armed, self._injection = armed, injection
        tell(self._observers, lambda observer: observer.on_active(injection, True))
        end = datetime.fromtimestamp(injection.until, UTC).strftime("%H:%M:%S UTC")
        limit = f"ends by itself at {end} or after {requests(injection.max_count)}"
        self.say(Phase.INJECT, f"{drill.fault} on {self._broken}: {armed.says}; {limit}")
        return armed

    async def _break(self, armed: Armed) -> None:
        drill = self._record.drill
        for number in range(1, drill.requests + 1):
            before = Counter(armed.met)
            outcome = await self._ask(drill, self._record.run, armed.reshape, armed.wrap)
            self._record.broken.append(outcome)
            met = tuple(sorted(position for position, count in armed.met.items() if count > before[position]))
            self._record.met.append(met)
            tried = f"; attempts: {attempted(outcome.attempts)}" if outcome.attempts else ""
            missed = "" if met else "; the fault did not meet it"
            told = armed.because if drill.varies or not armed.count else ""
            missed += f", since it {told}" if missed and told else ""
            self.say(Phase.INJECT, f"request {number} of {drill.requests} {described(outcome)}{tried}{missed}")
        if drill.capacity is not None and self._injection is not None:
            await self._raise_load(drill.capacity, armed, self._injection.until)
        if drill.live is not None and not self._withstands():
            self.say(Phase.INJECT, "its own requests did not hold, so no live traffic is broken")
        elif self._observing is not None and self._injection is not None:
            if isinstance(armed, Elsewhere):
                await armed.open()
            await self._observing.during(self._injection.until)
            if isinstance(armed, Elsewhere):
                await armed.look()

    def _withstands(self) -> bool:
        """Whether its own requests show that the broken chain still answers as it must."""
        record = self._record
        state = state_in(Phase.INJECT, record.drill.hypothesis)
        return state is None or check(state, record.broken, phase=Phase.INJECT, now=self._clock.now()).holds

    async def _raise_load(self, plan: CapacityPlan, armed: Armed, until: float) -> None:
        drill, run = self._record.drill, self._record.run

        async def ask(noted: Wrap) -> Outcome:
            def wrap(inner: AsyncBaseTransport) -> AsyncBaseTransport:
                return noted(armed.wrap(inner) if armed.wrap else inner)

            return await self._ask(drill, run, armed.reshape, wrap)

        def say(text: str) -> None:
            self.say(Phase.INJECT, text)

        # What comes after the rise needs the broken chain as well.
        left = until - self._clock.now()
        ramp = Ramp(drill, plan, ask=ask, price=self._record.price, say=say, clock=self._clock)
        self._record.capacity = await ramp.run(self._clock.now() + left * 0.9)
        self.say(Phase.INJECT, f"the load: {self._record.capacity.because}")

    async def _recover(self) -> None:
        """Ask until the primary answers as before; a router may keep it aside for a moment."""
        pause = FIRST_PAUSE
        for number in range(1, RECOVERY_TRIES + 1):
            outcome = await self._ask(self._record.drill, self._record.run, None, None)
            self._record.recovered.append(outcome)
            back = self._check(Phase.RECOVER, [outcome])
            last = number == RECOVERY_TRIES
            after = "the steady state is back" if back else "giving up" if last else f"next try in {seconds(pause)}"
            self.say(Phase.RECOVER, f"try {number} after the rollback {described(outcome)}: {after}")
            if back or last:
                return
            await self._clock.sleep(pause)
            pause *= 2


def tell(observers: Sequence[Observer], call: Callable[[Observer], None]) -> None:
    """A broken observer must stop neither a rollback nor the others."""
    for observer in observers:
        try:
            call(observer)
        except Exception:
            log.exception("an observer of drills failed", observer=type(observer).__name__)


async def _within(limit: float, work: Coroutine[Any, Any, T], clock: Clock) -> T:
    """Like ``asyncio.timeout``, by the clock that was handed in. Raises TimeoutError; leaves no task behind."""
    task = asyncio.create_task(work)
    alarm = asyncio.ensure_future(clock.sleep(limit))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        for each in (task, alarm):
            each.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
