"""The words of breaking things: what a fault does, what a drill is, what a run of it recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.capacity import Capacity
from chaos.comparison import Comparison
from chaos.conduct import Conduct
from chaos.harm import (
    Connect,
    Decision,
    Effect,
    ErrorReply,
    Fault,
    Moment,
    Option,
    RawReply,
    Shape,
    Unit,
)
from chaos.passing import Passed
from chaos.plans import ApplicationPlan, CapacityPlan, ClientPlan, Hypothesis, LivePlan
from monitor.model import Outcome, Path, Verdict

__all__ = [
    "MOST_OF_A_RAMP",
    "MOST_TRIES",
    "RECOVERY_TRIES",
    "Asked",
    "Check",
    "Connect",
    "Decision",
    "Drill",
    "Effect",
    "ErrorReply",
    "Event",
    "Expect",
    "Fault",
    "Injection",
    "Journal",
    "Moment",
    "Option",
    "Phase",
    "RawReply",
    "Shape",
    "Strike",
    "Unit",
    "faults_of",
    "positions_of",
]

MOST_TRIES = 50
"""Requests that an application may make, on average, for each one that is to meet the fault."""
MOST_OF_A_RAMP = 50_000
"""Requests that a rising load may break; its time and its cost bound end it long before."""
RECOVERY_TRIES = 5
"""How often a chain is asked whether its steady state came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault on some targets, as a part of a drill. ``positions`` in order.

    It could meet a request for one of them once ``after_requests`` such have passed whole and ``after_seconds`` have
    gone by since the drill broke the chain; ``shape`` says which of those it does meet. None, and options that are
    missing, are for ``chaos.strikes.complete`` to fill in.
    """

    positions: tuple[int, ...]
    fault: str
    options: Mapping[str, float] = field(default_factory=dict)
    shape: str | None = "always"
    shape_options: Mapping[str, float] = field(default_factory=dict)
    after_requests: int = 0
    after_seconds: float = 0.0

    @property
    def constant(self) -> bool:
        """Whether it meets every request, from the first one on."""
        return self.shape == "always" and not self.after_requests and not self.after_seconds


def positions_of(strikes: Iterable[Strike]) -> tuple[int, ...]:
    """Every position that one of them breaks, in order."""
    return tuple(sorted({position for strike in strikes for position in strike.positions}))


def faults_of(strikes: Iterable[Strike]) -> tuple[str, ...]:
    """The names of their faults, each once."""
    return tuple(dict.fromkeys(strike.fault for strike in strikes))


def fault_of(strikes: Iterable[Strike]) -> str:
    """One word for all of their faults, ``refused+delay``."""
    return "+".join(faults_of(strikes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """The faults of a drill in place, with their own end.

    ``until`` (seconds since the epoch) and ``max_count`` (of requests that met any of them) hold whether or not the
    runner is still alive.
    """

    chain: str
    drill: str
    run: str
    strikes: tuple[Strike, ...]
    injector: str
    until: float
    max_count: int

    @property
    def positions(self) -> tuple[int, ...]:
        return positions_of(self.strikes)

    @property
    def faults(self) -> tuple[str, ...]:
        return faults_of(self.strikes)

    @property
    def fault(self) -> str:
        """One word for all of them, ``refused+delay``."""
        return fault_of(self.strikes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must be seen while the chain is broken.

    ``served_by`` is a target's label, None when ``rejected`` (the request is expected to be refused whole).
    ``path``: how the fallback must have come to answer, None where either will do. ``within`` in seconds.
    """

    served_by: str | None
    within: float
    rejected: bool = False
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One planned experiment, resolved against the config. ``strikes``: what breaks, one at least."""

    name: str
    chain: str
    strikes: tuple[Strike, ...]
    injector: str
    expect: Expect
    kind: str = "completion"
    requests: int = 3
    max_duration: float = 120.0
    every: float | None = None
    cron: str | None = None
    first_after: float | None = None
    hypothesis: Hypothesis = field(default_factory=Hypothesis)
    live: LivePlan | None = None
    application: ApplicationPlan | None = None
    client: ClientPlan = field(default_factory=ClientPlan)
    capacity: CapacityPlan | None = None

    @property
    def watches(self) -> bool:
        """Whether it looks at what applications send through the gateway."""
        return self.live is not None or self.application is not None

    @property
    def most_met(self) -> int:
        """How many requests its faults may meet."""
        of_live = self.live.most if self.live else 0
        of_application = self.application.requests * MOST_TRIES if self.application else 0
        of_capacity = MOST_OF_A_RAMP if self.capacity else 0
        return self.requests * len(self.breaks) + of_live + of_application + of_capacity

    @property
    def most_requests(self) -> int:
        """How many questions one run may ask."""
        return self.hypothesis.requests + self.requests + RECOVERY_TRIES

    @property
    def usual_requests(self) -> int:
        """How many it asks where the chain recovers at once."""
        return self.hypothesis.requests + self.requests + 1

    @property
    def breaks(self) -> tuple[int, ...]:
        """The positions of all targets that are broken at one time or another."""
        return positions_of(self.strikes)

    @property
    def faults(self) -> tuple[str, ...]:
        return faults_of(self.strikes)

    @property
    def fault(self) -> str:
        """One word for all of its faults, ``refused+delay``: a label of metrics."""
        return fault_of(self.strikes)

    @property
    def options(self) -> Mapping[str, float]:
        """Those of its first fault."""
        return self.strikes[0].options

    @property
    def varies(self) -> bool:
        """Whether requests may pass that meet no fault, or not all of them: by a shape, or in a cascade."""
        return not all(strike.constant for strike in self.strikes)


class Phase(StrEnum):
    GUARD = "guard"
    BASELINE = "baseline"
    INJECT = "inject"
    RECOVER = "recover"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a journal."""

    at: float
    phase: Phase
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The hypothesis held against what a phase has shown so far: ``good`` of ``asked`` answers were as they must be."""

    at: float
    phase: Phase
    holds: bool
    good: int
    asked: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request to the user's application. ``wrong``: what keeps its answer from being the expected one, as the rest
    of a sentence about it; None for nothing. ``nonce``: the mark that it carried, None where it has no place for it."""

    at: float
    ended: float
    phase: Phase
    status: int | None
    wrong: str | None
    nonce: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The full record of one drill run: written whole, printable, enough to repeat it (``seed``) and to judge it again:
    whatever the judge looks at is here under the same name. ``labels``: of the chain's targets, in order. ``met``: of
    each request in ``broken``, the positions at which it met a fault. ``passed``: what the gateway saw of applications
    meanwhile; ``compared``: how the broken calls did beside the control group; ``conduct``: what the clients did wrong;
    ``capacity``: what load the fallback carried.
    """

    run: str
    drill: Drill
    asked_by: str
    seed: int
    started: float
    ended: float
    events: tuple[Event, ...]
    baseline: tuple[Outcome, ...]
    broken: tuple[Outcome, ...]
    recovered: tuple[Outcome, ...]
    injected: int
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    labels: tuple[str, ...] = ()
    refused: str | None = None
    aborted: str | None = None
    crash: str | None = None
    met: tuple[tuple[int, ...], ...] = ()
    passed: tuple[Passed, ...] = ()
    application: tuple[Asked, ...] = ()
    compared: Comparison | None = None
    conduct: tuple[Conduct, ...] = ()
    capacity: Capacity | None = None
