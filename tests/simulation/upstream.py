"""Answers every question from the weather, in the place of the prober: the outcome and the time that it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from monitor.clock import Clock
from monitor.config.model import Config
from monitor.model import Attempt, Origin, Outcome, Path, ProbeSpec, Reason, Status, Target, new_id
from tests.simulation.weather import Trouble, Weather

ANSWER_SECONDS = 0.8
ELSEWHERE = "some-provider"
"""Serves whatever has no provider named in the config."""


@dataclass
class Upstream:
    """``config`` and ``weather`` may be replaced while it runs."""

    config: Config
    weather: Weather
    clock: Clock
    rng: Random
    asked: int = 0

    async def probe(self, spec: ProbeSpec, *, origin: Origin = Origin.SCHEDULED, **_: object) -> Outcome:
        self.asked += 1
        found = self._whole(spec) if spec.target is None else self._alone(spec, spec.target)
        await self.clock.sleep(found.duration)
        return replace(found, at=self.clock.now(), origin=origin)

    def _alone(self, spec: ProbeSpec, target: Target) -> Outcome:
        attempt, trouble = self._attempt(target)
        took = attempt.duration or 0.0
        if trouble is None:
            return self._good(spec, target, attempt, took, target=target.label, provider=target.provider)
        return self._bad(spec, trouble, took, target=target.label, provider=target.provider)

    def _whole(self, spec: ProbeSpec) -> Outcome:
        attempts: list[Attempt] = []
        trouble: Trouble | None = None
        for target in self.config.chain(spec.chain).all_targets():
            attempt, trouble = self._attempt(target)
            attempts.append(attempt)
            took = sum(one.duration or 0.0 for one in attempts)
            if trouble is None:
                path = Path.PRIMARY if target.position == 0 else Path.FAILED_OVER
                return self._good(spec, target, attempt, took, path=path, attempts=tuple(attempts))
        assert trouble is not None
        return self._bad(spec, trouble, took, path=Path.EXHAUSTED, attempts=tuple(attempts))

    def _attempt(self, target: Target) -> tuple[Attempt, Trouble | None]:
        """A router tries the providers of a model one after the other; a pinned one is tried alone."""
        own = self.config.chain(target.chain).targets[target.position]
        providers = (target.provider,) if target.provider else own.pinned or (ELSEWHERE,)
        now, took, met = self.clock.now(), 0.0, None
        for provider in providers:
            met = self.weather.meets(target, provider, now, self.rng)
            took += _seconds(met, target.timeout)
            if met is None:
                break
        return (
            Attempt(
                model=target.model,
                provider=provider,
                position=target.position,
                status_code=met.status if met else 200,
                reason=met.reason if met else Reason.NONE,
                duration=took,
            ),
            met,
        )

    def _good(self, spec: ProbeSpec, by: Target, attempt: Attempt, took: float, **more: object) -> Outcome:
        plain = self._plain(spec, took)
        late = self.config.chain(spec.chain).objective.latency
        slow = late is not None and took > late
        return replace(
            plain,
            status=Status.DEGRADED if slow else Status.OK,
            reason=Reason.TOO_SLOW if slow else Reason.NONE,
            served_by=by.label,
            position=by.position,
            model=by.model,
            served_provider=attempt.provider,
            status_code=200,
            cost=0.00001,
            **more,
        )

    def _bad(self, spec: ProbeSpec, trouble: Trouble, took: float, **more: object) -> Outcome:
        return replace(
            self._plain(spec, took),
            status=Status.FAILED,
            reason=trouble.reason,
            status_code=trouble.status,
            retry_after=trouble.retry_after,
            **more,
        )

    def _plain(self, spec: ProbeSpec, took: float) -> Outcome:
        now = self.clock.now()
        return Outcome(
            id=new_id(now), at=now, chain=spec.chain, probe=spec.key, kind=spec.kind, origin=Origin.SCHEDULED,
            status=Status.OK, reason=Reason.NONE, duration=took, cost=0.0,
        )  # fmt: skip


def _seconds(met: Trouble | None, timeout: float) -> float:
    if met is None:
        return ANSWER_SECONDS
    return timeout if met.seconds is None else met.seconds
