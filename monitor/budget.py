"""What may still be paid for today: a daily budget in USD by chain, kept for the most important questions.

As the budget runs out the least important stop first: pinned providers when less than 20 % of it is left, targets at
5 %, the chain end to end when nothing is left. A day is a UTC day; at its end everything resumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.config.model import ChainConfig
from monitor.model import ProbeSpec

DAY = 86400.0
_EPSILON = 1e-12


class Priority(StrEnum):
    """Who is asked, the most important first."""

    CHAIN = "chain"
    TARGET = "target"
    PROVIDER = "provider"

    @property
    def kept_back(self) -> float:
        """The share of the budget that this priority leaves for the more important ones."""
        return {Priority.CHAIN: 0.0, Priority.TARGET: 0.05, Priority.PROVIDER: 0.20}[self]


class PermitReason(StrEnum):
    NO_BUDGET = "no_budget"
    FREE = "free"
    WITHIN = "within"
    PRICE_UNKNOWN = "price_unknown"
    KEPT_BACK = "kept_back"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Whether a question may be paid for. ``because`` is one sentence for people."""

    allowed: bool
    reason: PermitReason
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limit of one chain, None for none. ``priorities`` are those that the chain has questions of."""

    usd_per_day: float | None
    priorities: frozenset[Priority] = frozenset(Priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A chain's budget at one moment, in USD. ``stopped`` are the priorities that get no more paid questions today."""

    chain: str
    usd_per_day: float
    spent: float
    remaining: float
    stopped: frozenset[Priority]
    resumes: float


def priority_of(spec: ProbeSpec, chain: ChainConfig) -> Priority:
    """A provider is what was pinned beyond the target's own config; the provider of a provider chain is a target."""
    if spec.target is None:
        return Priority.CHAIN
    own = chain.targets[spec.target.position].provider
    return Priority.TARGET if spec.target.provider == own else Priority.PROVIDER


def budgets(chains: Iterable[ChainConfig], specs: Iterable[ProbeSpec]) -> dict[str, Budget]:
    """The budgets of a config, by chain."""
    configured = {chain.name: chain for chain in chains}
    asked: dict[str, set[Priority]] = {name: set() for name in configured}
    for spec in specs:
        asked[spec.chain].add(priority_of(spec, configured[spec.chain]))
    return {
        name: Budget(usd_per_day=chain.budget.usd_per_day if chain.budget else None, priorities=frozenset(asked[name]))
        for name, chain in configured.items()
    }


class Ledger:
    """What was spent today and what is in flight, by chain.

    A permitted question is reserved with its estimate, and charged with what it cost in the end; so many questions in
    flight cannot spend the same money.
    """

    def __init__(self, limits: Mapping[str, Budget], *, now: float, spent: Mapping[str, float] | None = None) -> None:
        """``spent``: USD since the start of the UTC day of ``now``, as the store has it."""
        self._limits = limits
        self._day = _day(now)
        self._spent = dict(spent or {})
        self._reserved: dict[str, float] = {}
        self._refused: dict[str, set[Priority]] = {}

    def follow(self, limits: Mapping[str, Budget]) -> None:
        """Obey a new config; what was spent stays spent, what was refused is asked again."""
        self._limits = limits
        self._refused.clear()

    def permit(self, chain: str, estimate: float | None, priority: Priority, now: float) -> Permit:
        """May a question be paid for? ``estimate`` in USD, None when the price is unknown: it then counts as 0."""
        self._turn(now)
        limit = self._limit(chain)
        if limit is None:
            return _permit(PermitReason.NO_BUDGET, "the chain has no budget")
        if estimate == 0:
            return _permit(PermitReason.FREE, "the question is free")
        kept = priority.kept_back * limit
        unspent = limit - self._spent.get(chain, 0.0)
        left = unspent - self._reserved.get(chain, 0.0)
        if _suffices(left, estimate, kept):
            return _allowed(left, limit, estimate)
        if not _suffices(unspent, estimate, kept):  # money in flight may come back; money spent does not
            self._refused.setdefault(chain, set()).add(priority)
        return _refusal(left, limit, kept, priority)

    def reserve(self, chain: str, estimate: float | None) -> None:
        self._reserved[chain] = self._reserved.get(chain, 0.0) + (estimate or 0.0)

    def charge(self, chain: str, at: float, cost: float | None, *, reserved: float | None = None) -> None:
        """Book a question that has ended at ``at`` and release its reservation; an unknown cost is the reserved one."""
        self._turn(at)
        if reserved:
            self._reserved[chain] = max(0.0, self._reserved.get(chain, 0.0) - reserved)
        paid = (reserved or 0.0) if cost is None else cost
        if _day(at) == self._day:
            self._spent[chain] = self._spent.get(chain, 0.0) + max(0.0, paid)

    def spent(self, chain: str, now: float) -> float:
        """USD since the start of the UTC day."""
        self._turn(now)
        return self._spent.get(chain, 0.0)

    def remaining(self, chain: str, now: float) -> float | None:
        """USD, never below 0; None for a chain without a budget."""
        limit = self._limit(chain)
        return None if limit is None else max(0.0, limit - self.spent(chain, now))

    def state(self, chain: str, now: float) -> BudgetState | None:
        """None for a chain without a budget."""
        limit, remaining = self._limit(chain), self.remaining(chain, now)
        if limit is None or remaining is None:
            return None
        return BudgetState(
            chain=chain,
            usd_per_day=limit,
            spent=self.spent(chain, now),
            remaining=remaining,
            stopped=self._stopped(chain, limit, remaining),
            resumes=(_day(now) + 1) * DAY,
        )

    def _stopped(self, chain: str, limit: float, remaining: float) -> frozenset[Priority]:
        """By what is left, which a restart knows too, and by what was refused because it would have cost too much."""
        asked = self._limits[chain].priorities
        stopped = set(self._refused.get(chain, ()))
        if self._spent.get(chain, 0.0) > 0:
            stopped |= {priority for priority in asked if not _suffices(remaining, None, priority.kept_back * limit)}
        return frozenset(stopped & asked)

    def _limit(self, chain: str) -> float | None:
        budget = self._limits.get(chain)
        return budget.usd_per_day if budget else None

    def _turn(self, now: float) -> None:
        """Start a new day. A clock that steps back does not bring yesterday's money back."""
        if _day(now) > self._day:
            self._day = _day(now)
            self._spent.clear()
            self._refused.clear()


def _day(at: float) -> int:
    return int(at // DAY)


def _suffices(left: float, estimate: float | None, kept: float) -> bool:
    return left > 0 and left - (estimate or 0.0) >= kept - _EPSILON


def _permit(reason: PermitReason, because: str) -> Permit:
    return Permit(allowed=True, reason=reason, because=because)


def _allowed(left: float, limit: float, estimate: float | None) -> Permit:
    text = f"{left:.4f} of {limit:.4f} USD left today"
    if estimate is None:
        return _permit(PermitReason.PRICE_UNKNOWN, f"{text}; the price is unknown and counts as 0")
    return _permit(PermitReason.WITHIN, text)


def _refusal(left: float, limit: float, kept: float, priority: Priority) -> Permit:
    text = f"{max(0.0, left):.4f} of {limit:.4f} USD left today"
    if priority is Priority.CHAIN or left <= 0:
        return Permit(allowed=False, reason=PermitReason.USED_UP, because=f"the budget is used up: {text}")
    because = f"{text}, of which {kept:.4f} are kept back for more important questions"
    return Permit(allowed=False, reason=PermitReason.KEPT_BACK, because=because)
