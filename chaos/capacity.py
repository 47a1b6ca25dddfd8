"""Does the fallback carry the load? What a rising load has shown, and what ends it. Pure.

Facts: OpenAI docs: Rate limits (``x-ratelimit-remaining-requests``); Anthropic docs: Rate limits
(``anthropic-ratelimit-requests-remaining``); OpenRouter docs: Limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.plans import CapacityPlan
from monitor.model import Outcome, Reason, Status
from monitor.reading import number

IN_A_ROW = 3
"""So many refusals without an answer between them are no chance any more."""
SHARE = 0.2
"""So large a share of a whole step is refused or fails, and it is not carried."""


class Stop(StrEnum):
    CARRIED = "carried"
    LIMITED = "limited"
    FAILING = "failing"
    COST = "cost"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One step: ``at_once`` requests at any time, for ``lasted`` seconds. ``remaining``: the least that rate-limit
    headers said was left, by header."""

    at_once: int
    lasted: float
    asked: int
    answered: int
    limited: int
    usd: float
    remaining: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_minute(self) -> float:
        return self.answered / self.lasted * 60.0 if self.lasted > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """``carried``: answers per minute of the highest step that was carried; None when none was."""

    loads: tuple[Load, ...]
    stop: Stop
    carried: float | None
    because: str


class Tally:
    """The answers of one step as they come."""

    def __init__(self, broken: Iterable[int]) -> None:
        self.asked = 0
        self.answered = 0
        self.limited = 0
        self.usd = 0.0
        self._broken = frozenset(broken)
        self._row = 0

    def take(self, outcome: Outcome) -> None:
        self.asked += 1
        good = outcome.status in (Status.OK, Status.DEGRADED)
        limited = is_limited(outcome, self._broken)
        self.answered += good
        self.limited += limited
        self._row = self._row + 1 if limited else 0 if good else self._row
        self.usd += outcome.cost or 0.0

    @property
    def sustained(self) -> bool:
        """429s that are no chance."""
        return self._row >= IN_A_ROW


def levels(plan: CapacityPlan) -> Iterator[int]:
    """How many requests at once, step by step; the last is ``up_to`` whatever the step is."""
    yield from range(plan.step, plan.up_to, plan.step)
    yield plan.up_to


def is_limited(outcome: Outcome, broken: frozenset[int]) -> bool:
    """A target that the drill did not break said 429."""
    tried = [one for one in outcome.attempts if one.position not in broken]
    if tried:
        return any(one.reason is Reason.RATE_LIMITED or one.status_code == 429 for one in tried)
    return not outcome.attempts and outcome.reason is Reason.RATE_LIMITED


def remaining_in(headers: Mapping[str, str]) -> dict[str, float]:
    """What an answer says is left of its rate limits, by header."""
    told = {name.lower(): number(value) for name, value in headers.items()}
    return {
        name: found for name, found in told.items() if found is not None and "ratelimit" in name and "remaining" in name
    }


def stop_after(load: Load, plan: CapacityPlan, *, spent: float, sustained: bool, late: bool) -> Stop | None:
    """What ends the rise after a step; None to go on. ``spent``: in USD, with what one more would cost."""
    if sustained or load.limited > SHARE * load.asked:
        return Stop.LIMITED
    if load.asked and load.answered < (1 - SHARE) * load.asked:
        return Stop.FAILING
    if spent > plan.usd:
        return Stop.COST
    if late:
        return Stop.TIME
    return Stop.CARRIED if load.at_once >= plan.up_to else None


def conclude(loads: Sequence[Load], stop: Stop, plan: CapacityPlan) -> Capacity:
    """``loads`` has one at least; the last is not carried where it was limited or failed."""
    good = loads[:-1] if stop in (Stop.LIMITED, Stop.FAILING) else loads
    carried = max((load.per_minute for load in good if load.answered), default=None)
    return Capacity(loads=tuple(loads), stop=stop, carried=carried, because=_because(loads[-1], stop, carried, plan))


def _because(last: Load, stop: Stop, carried: float | None, plan: CapacityPlan) -> str:
    told = f"carried up to {carried:.0f} answers per minute" if carried is not None else "carried no step"
    why = {
        Stop.CARRIED: f"all of {plan.up_to} at once",
        Stop.LIMITED: f"with {last.at_once} at once, {last.limited} of {last.asked} were refused with 429",
        Stop.FAILING: f"with {last.at_once} at once, only {last.answered} of {last.asked} were answered",
        Stop.COST: f"it was ended at {last.at_once} at once by its cost bound of {plan.usd:g} USD",
        Stop.TIME: f"it was ended at {last.at_once} at once by the time that the drill has",
    }[stop]
    left = ", ".join(f"{name} fell to {least:g}" for name, least in sorted(last.remaining.items()))
    return f"{told}; {why}{f'; {left}' if left else ''}"
