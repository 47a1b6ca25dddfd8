"""The walk of a client chain: target by target, as an application with its own fallbacks does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from monitor.config.model import ChainConfig
from monitor.exchange import Finding
from monitor.model import Attempt, Reason, Target
from monitor.probes.run import Response


class End(StrEnum):
    """How a walk ended. ``stopped``: at a reason that does not move on; ``late``: the time for the whole is over."""

    ANSWERED = "answered"
    STOPPED = "stopped"
    EXHAUSTED = "exhausted"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    target: Target
    response: Response
    finding: Finding

    @property
    def attempt(self) -> Attempt:
        return Attempt(
            model=self.target.model,
            provider=self.target.provider or self.response.answer.provider,
            position=self.target.position,
            status_code=self.response.reply.status,
            reason=self.finding.reason,
            duration=self.response.reply.duration,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """``steps`` in order, at least one."""

    steps: tuple[Step, ...]
    end: End

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def duration(self) -> float:
        return sum(step.response.reply.duration for step in self.steps)


async def walk(chain: ChainConfig, ask: Callable[[Target, float], Awaitable[Step]]) -> Walk:
    """Ask the targets in order, each within its own timeout and all within ``chain.deadline``.

    ``ask`` takes a target and the seconds that it may take. Which reasons lead to the next target is the chain's.
    """
    steps: list[Step] = []
    left = chain.deadline
    for target in chain.all_targets():
        if left <= 0:
            return Walk(steps=tuple(steps), end=End.LATE)
        step = await ask(target, min(target.timeout, left))
        steps.append(step)
        left -= step.response.reply.duration
        if step.finding.reason is Reason.NONE:
            return Walk(steps=tuple(steps), end=End.ANSWERED)
        if step.finding.reason is Reason.OURS or step.finding.reason not in chain.move_on:
            return Walk(steps=tuple(steps), end=End.STOPPED)
    return Walk(steps=tuple(steps), end=End.EXHAUSTED)
