"""What a run of a drill records while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.capacity import Capacity
from chaos.comparison import Comparison
from chaos.conduct import Conduct
from chaos.evidence import Evidence
from chaos.model import Asked, Check, Drill, Event, Phase
from chaos.passing import Passed
from monitor.config.model import ChainConfig
from monitor.model import Outcome


@dataclass(slots=True, kw_only=True)
class Record:
    """What a run has recorded so far; becomes the Journal. ``aborted`` keeps the first reason. ``price``: what one
    question may cost in USD, 0 where nobody knows."""

    run: str
    drill: Drill
    chain: ChainConfig
    asked_by: str
    seed: int
    started: float
    price: float = 0.0
    phase: Phase = Phase.GUARD
    events: list[Event] = field(default_factory=list)
    baseline: list[Outcome] = field(default_factory=list)
    broken: list[Outcome] = field(default_factory=list)
    recovered: list[Outcome] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    met: list[tuple[int, ...]] = field(default_factory=list)
    passed: tuple[Passed, ...] = ()
    application: tuple[Asked, ...] = ()
    compared: Comparison | None = None
    conduct: tuple[Conduct, ...] = ()
    capacity: Capacity | None = None
    injected: int = 0
    refused: str | None = None
    aborted: str | None = None
    crash: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(target.label for target in self.chain.targets)

    def evidence(self) -> Evidence:
        return Evidence(
            drill=self.drill,
            run=self.run,
            labels=self.labels,
            baseline=tuple(self.baseline),
            broken=tuple(self.broken),
            recovered=tuple(self.recovered),
            met=tuple(self.met),
            injected=self.injected,
            passed=self.passed,
            application=self.application,
            compared=self.compared,
            conduct=self.conduct,
            capacity=self.capacity,
            refused=self.refused,
            aborted=self.aborted,
            crash=self.crash,
        )
