"""What is to run when: a job for each question and for each drill that is planned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from chaos.model import Drill
from monitor.clock import Clock
from monitor.drilling import Drilling
from monitor.knowledge import Knowledge
from monitor.model import ProbeSpec
from monitor.pipeline import Pipeline
from monitor.schedule import Job


class Timetable:
    def __init__(self, *, pipeline: Pipeline, drilling: Drilling, knowledge: Knowledge, clock: Clock) -> None:
        self._pipeline = pipeline
        self._drilling = drilling
        self._knowledge = knowledge
        self._clock = clock

    def jobs(self, specs: Sequence[ProbeSpec], drills: Sequence[Drill]) -> list[Job]:
        planned = (drill for drill in drills if drill.every or drill.cron)
        return [*map(self._question, specs), *map(self._drill, planned)]

    def _question(self, spec: ProbeSpec) -> Job:
        return Job(key=spec.key, every=spec.every, pace=self._pacing(spec), action=self._asking(spec))

    def _drill(self, drill: Drill) -> Job:
        first = drill.first_after if drill.first_after is not None else drill.every
        action = self._drilling.scheduled(drill)
        return Job(key=f"drill:{drill.name}", every=drill.every, cron=drill.cron, first_after=first, action=action)

    def _asking(self, spec: ProbeSpec) -> Callable[[], Awaitable[None]]:
        return lambda: self._pipeline.ask(spec)

    def _pacing(self, spec: ProbeSpec) -> Callable[[], float] | None:
        if spec.pace is None:
            return None
        return lambda: self._knowledge.rhythm.decide(spec, self._clock.now()).interval
