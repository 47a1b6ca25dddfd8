"""The part of a run that looks at applications: what passes the gateway, and the user's own endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from chaos.application import Application
from chaos.comparison import Comparison, Harm, Limits, compare, sample_of
from chaos.conduct import Conduct, amplification, conduct
from chaos.judge_traffic import calls_of_asked, proof_of
from chaos.model import Asked, Drill, Phase
from chaos.passing import Call, Group, Passed
from chaos.plans import ApplicationPlan, LivePlan
from chaos.wording import requests, seconds
from monitor.clock import Clock

LOOK_EVERY = 0.5
"""Seconds between two looks at live traffic."""
LONGEST_BEFORE = 15.0
"""Seconds that live traffic is watched before any of it is broken."""
LOOKS, LOOK_AGAIN = 20, 0.1
"""How often, and after how many seconds, the gateway is asked for what the application has just caused."""

Say = Callable[[Phase, str], None]


class Watching(Protocol):
    """What the gateway sees of applications."""

    @property
    def alive(self) -> bool: ...

    @property
    def seen(self) -> int: ...

    @property
    def passed(self) -> list[Passed]: ...

    async def begin(self) -> bool: ...

    async def look(self) -> None: ...

    async def end(self) -> None: ...

    def nonce(self, number: int) -> str: ...

    def calls(self) -> tuple[Call, ...]: ...


@runtime_checkable
class Overlooking(Protocol):
    """An optional power of an injector: it sees what applications send. None where it does not right now."""

    def watching(self, run: str, drill: Drill, until: float) -> Watching | None: ...


class Observing:
    """``asked``, ``compared`` and ``conduct`` are what was found so far."""

    def __init__(
        self, drill: Drill, watching: Watching, application: Application | None, *, say: Say, clock: Clock
    ) -> None:
        self.watching = watching
        self.asked: list[Asked] = []
        self.compared: Comparison | None = None
        self._drill = drill
        self._application = application
        self._say = say
        self._clock = clock

    async def before(self) -> bool:
        """Whether everything that is to be watched can be, and the application answers while nothing is broken."""
        if not await self.watching.begin():
            self._say(Phase.BASELINE, "the gateway does not answer, so nothing of applications could be seen")
            return False
        if self._drill.live is not None:
            await self._watch_whole(self._drill.live)
        asked = await self._ask(Phase.BASELINE)
        return asked is None or asked.wrong is None

    async def during(self, until: float) -> None:
        """Until enough was seen, until harm, or until what is left of the time is needed to end in order."""
        if self._drill.application is not None:
            await self._ask_broken(self._drill.application, until)
        if self._drill.live is not None:
            await self._watch_live(self._drill.live, until)

    async def after(self) -> None:
        """The application once more; and a last look, since what retries were to come has come by now."""
        await self._ask(Phase.RECOVER)
        await self.watching.look()
        self._say_conduct()

    async def _ask(self, phase: Phase) -> Asked | None:
        if self._application is None:
            return None
        asked = await self._application.ask(phase, self.watching.nonce(len(self.asked)))
        self.asked.append(asked)
        met = await self._await_proof(asked) if phase is Phase.INJECT else ""
        took = seconds(asked.ended - asked.at)
        self._say(phase, f"the application {asked.wrong or f'answered as expected in {took}'}{met}")
        return asked

    async def _await_proof(self, asked: Asked) -> str:
        """What the gateway says of it, which it may know a moment later."""
        for _ in range(LOOKS):
            await self.watching.look()
            passed = self.watching.passed
            if calls_of_asked(asked, passed):
                break
            await self._clock.sleep(LOOK_AGAIN)
        proof = proof_of(asked, self.watching.passed)
        if not proof.met:
            return f"; it did not meet the fault{f', since what it sent {proof.spared}' if proof.spared else ''}"
        if proof.walked:
            return f"; it met the fault, and {'a' if proof.fell_back else 'no'} fallback answered it"
        return f"; it met the fault, and {'a' if proof.fell_back else 'no'} fallback was asked"

    async def _ask_broken(self, plan: ApplicationPlan, until: float) -> None:
        met = 0
        while met < plan.requests:
            asked = await self._ask(Phase.INJECT)
            met += asked is not None and proof_of(asked, self.watching.passed).met
            if self._clock.now() + plan.every + plan.within >= until:
                return
            if met < plan.requests:
                await self._clock.sleep(plan.every)

    async def _watch_whole(self, plan: LivePlan) -> None:
        """Traffic as it is while nothing is broken: which questions come again though they had their answer."""
        end = self._clock.now() + min(LONGEST_BEFORE, plan.lasts / 4)
        while self._clock.now() < end and self.watching.seen < 4 * plan.samples:
            await self._clock.sleep(LOOK_EVERY)
            await self.watching.look()
        self._say(Phase.BASELINE, f"{requests(self.watching.seen)} of applications passed before anything was broken")

    async def _watch_live(self, plan: LivePlan, until: float) -> None:
        limits = Limits(failures=plan.failures, slower=plan.slower, samples=plan.samples)
        end = min(until - 1.0, self._clock.now() + plan.lasts)
        while True:
            await self.watching.look()
            now, calls = self._clock.now(), self.watching.calls()
            broken = sample_of(calls, Group.BROKEN, now=now, patience=plan.patience)
            control = sample_of(calls, Group.CONTROL, now=now, patience=plan.patience)
            self.compared = compare(broken, control, limits)
            if self.compared.harm is not Harm.UNDECIDED or now >= end:
                break
            await self._clock.sleep(LOOK_EVERY)
        word = {Harm.NONE: "holds", Harm.UNDECIDED: "is not enough to compare"}.get(self.compared.harm, "is harmed")
        self._say(Phase.INJECT, f"live traffic {word}: {self.compared.because}")

    @property
    def conduct(self) -> tuple[Conduct, ...]:
        return conduct(self.watching.calls(), self._drill.client)

    def _say_conduct(self) -> None:
        calls = self.watching.calls()
        broken = [call for call in calls if call.met]
        if not broken:
            return
        factor = amplification(broken, [call for call in calls if not call.met])
        self._say(
            Phase.RECOVER, f"clients made {len(broken)} calls that met the fault, {factor:.1f} times the requests"
        )
        for one in conduct(calls, self._drill.client):
            self._say(Phase.RECOVER, f"{one.misdeed} in {one.calls} of {one.seen} calls: {one.because}")
