"""What may still be paid for today: daily budgets in USD, of chains, of providers and of all chains together.

As a budget runs out the least important questions stop first: pinned providers when less than 20 % of it is left,
targets at 5 %, the chain end to end when nothing is left; and neither takes the money of one more end-to-end question.
A day is a UTC day; at its end everything resumes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.config.model import ChainConfig
from monitor.model import Outcome, ProbeSpec, Reason
from monitor.model.quick import quick
from monitor.purses import OVERALL, Limits, Purse, Scope, limits, probe_name, purses_of

__all__ = [
    "DAY", "OVERALL", "BudgetState", "Ledger", "Limits", "Permit", "PermitReason", "Priority", "Purse", "Reservation",
    "Scope", "limits", "paid", "priority_of", "probe_name", "purses_of",
]  # fmt: skip

DAY = 86400.0
_EPSILON = 1e-12
_UNSURE = frozenset({Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED, Reason.CUT})


class Priority(StrEnum):
    """Who is asked, the most important first."""

    CHAIN = "chain"
    TARGET = "target"
    PROVIDER = "provider"

    @property
    def kept_back(self) -> float:
        """The share of the budget that this priority leaves for the more important ones."""
        return _KEPT_BACK[self]


_KEPT_BACK = {Priority.CHAIN: 0.0, Priority.TARGET: 0.05, Priority.PROVIDER: 0.20}


class PermitReason(StrEnum):
    NO_BUDGET = "no_budget"
    FREE = "free"
    WITHIN = "within"
    PRICE_UNKNOWN = "price_unknown"
    KEPT_BACK = "kept_back"
    USED_UP = "used_up"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Whether a question may be paid for. ``because`` is one sentence for people."""

    allowed: bool
    reason: PermitReason
    because: str


_NO_BUDGET = Permit(allowed=True, reason=PermitReason.NO_BUDGET, because="there is no budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A budget at one moment, in USD. ``stopped`` are the priorities that get no more paid questions today."""

    purse: Purse
    usd_per_day: float
    spent: float
    remaining: float
    stopped: frozenset[Priority]
    resumes: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money that a question in flight may cost."""

    purses: tuple[Purse, ...]
    usd: float


def priority_of(spec: ProbeSpec, chain: ChainConfig) -> Priority:
    """A provider is what was pinned beyond the target's own config; the provider of a provider chain is a target."""
    if spec.target is None:
        return Priority.CHAIN
    own = chain.targets[spec.target.position].provider
    return Priority.TARGET if spec.target.provider == own else Priority.PROVIDER


def paid(outcome: Outcome, estimate: float | None) -> float:
    """USD that a question has cost: what is known of it, else the estimate, where it may have been answered at all.

    An error that came back in place of an answer is not billed (OpenRouter docs: Zero Completion Insurance); one that
    we stopped waiting for may be.
    """
    if outcome.cost is not None:
        return max(0.0, outcome.cost)
    answered = outcome.model is not None or outcome.reason in _UNSURE
    return (estimate or 0.0) if answered else 0.0


class Ledger:
    """What was spent today and what is in flight, by purse.

    A permitted question is reserved with its estimate, and charged with what it cost in the end; so many questions in
    flight cannot spend the same money.
    """

    def __init__(self, limits: Limits, *, now: float, spent: Mapping[Purse, float] | None = None) -> None:
        """``spent``: USD since the start of the UTC day of ``now``. ``day`` counts days since the epoch."""
        self.limits = limits
        self.day = _day(now)
        self._spent = dict(spent or {})
        self._reserved: dict[Purse, float] = {}
        self._refused: dict[Purse, set[Priority]] = {}

    def follow(self, limits: Limits) -> None:
        """Obey a new config; what was spent stays spent, what was refused is asked again."""
        self.limits = limits
        self._refused.clear()

    def permit(
        self,
        purses: Iterable[Purse],
        estimate: float | None,
        priority: Priority,
        now: float,
        *,
        end_to_end: float = 0.0,
    ) -> Permit:
        """May a question be paid for? ``estimate`` in USD, None when the price is unknown: it then counts as 0.

        ``end_to_end``: USD that the chain's cheapest end-to-end question costs, which less important ones leave.
        """
        self._turn(now)
        permit = _NO_BUDGET
        for purse in purses:
            limit = self.limits.of(purse)
            if limit is None:
                continue
            if estimate == 0:
                return Permit(allowed=True, reason=PermitReason.FREE, because="the question is free")
            permit = self._permit(purse, limit, estimate, priority, end_to_end)
            if not permit.allowed:
                return permit
        return permit

    def reserve(self, purses: tuple[Purse, ...], estimate: float | None) -> Reservation:
        for purse in purses:
            self._reserved[purse] = self._reserved.get(purse, 0.0) + (estimate or 0.0)
        return Reservation(purses=purses, usd=estimate or 0.0)

    def charge(self, purses: Iterable[Purse], at: float, usd: float, *, reservation: Reservation | None = None) -> None:
        """Book what a question has cost that was asked at ``at``, and release its reservation.

        ``purses`` are those of who answered, which may be another provider than the one that was expected.
        """
        self._turn(at)
        if reservation is not None:
            for purse in reservation.purses:
                self._reserved[purse] = max(0.0, self._reserved.get(purse, 0.0) - reservation.usd)
        if usd and _day(at) == self.day:
            for purse in purses:
                self._spent[purse] = self._spent.get(purse, 0.0) + usd

    @property
    def purses(self) -> Mapping[Purse, float]:
        """USD on ``day``, of every purse on which something was spent."""
        return self._spent

    def spent(self, purse: Purse, now: float) -> float:
        """USD since the start of the UTC day."""
        self._turn(now)
        return self._spent.get(purse, 0.0)

    def remaining(self, purse: Purse, now: float) -> float | None:
        """USD, never below 0; None where there is no budget."""
        limit = self.limits.of(purse)
        return None if limit is None else max(0.0, limit - self.spent(purse, now))

    def state(self, purse: Purse, asked: Collection[Priority], now: float) -> BudgetState | None:
        """None where there is no budget. ``asked``: the priorities of the questions that it pays for."""
        limit, remaining = self.limits.of(purse), self.remaining(purse, now)
        if limit is None or remaining is None:
            return None
        return BudgetState(
            purse=purse,
            usd_per_day=limit,
            spent=self.spent(purse, now),
            remaining=remaining,
            stopped=self._stopped(purse, limit, remaining, asked),
            resumes=(_day(now) + 1) * DAY,
        )

    def _permit(
        self, purse: Purse, limit: float, estimate: float | None, priority: Priority, end_to_end: float
    ) -> Permit:
        kept = priority.kept_back * limit
        shared = purse.scope in (Scope.CHAIN, Scope.OVERALL)
        if priority is not Priority.CHAIN and shared and end_to_end <= limit:  # what can never be paid needs no keeping
            kept = max(kept, end_to_end)
        unspent = limit - self._spent.get(purse, 0.0)
        left = unspent - self._reserved.get(purse, 0.0)
        if _suffices(left, estimate, kept):
            return _allowed(left, limit, estimate)
        if not _suffices(unspent, estimate, kept):  # money in flight may come back; money spent does not
            self._refused.setdefault(purse, set()).add(priority)
        return _refusal(purse, left, limit, kept, priority)

    def _stopped(
        self, purse: Purse, limit: float, remaining: float, asked: Collection[Priority]
    ) -> frozenset[Priority]:
        """By what is left, which a restart knows too, and by what was refused because it would have cost too much."""
        stopped = set(self._refused.get(purse, ()))
        if self._spent.get(purse, 0.0) > 0:
            stopped |= {priority for priority in asked if not _suffices(remaining, None, priority.kept_back * limit)}
        return frozenset(stopped & set(asked))

    def _turn(self, now: float) -> None:
        """Start a new day. A clock that steps back does not bring yesterday's money back."""
        if _day(now) > self.day:
            self.day = _day(now)
            self._spent.clear()
            self._refused.clear()


def _day(at: float) -> int:
    return int(at // DAY)


def _suffices(left: float, estimate: float | None, kept: float) -> bool:
    return left > 0 and left - (estimate or 0.0) >= kept - _EPSILON


def _allowed(left: float, limit: float, estimate: float | None) -> Permit:
    text = f"{left:.4f} of {limit:.4f} USD left today"
    if estimate is None:
        because = f"{text}; the price is unknown and counts as 0"
        return Permit(allowed=True, reason=PermitReason.PRICE_UNKNOWN, because=because)
    return Permit(allowed=True, reason=PermitReason.WITHIN, because=text)


def _refusal(purse: Purse, left: float, limit: float, kept: float, priority: Priority) -> Permit:
    text = f"{max(0.0, left):.4f} of {limit:.4f} USD left today"
    if priority is Priority.CHAIN or left <= 0:
        because = f"the budget of {purse} is used up: {text}"
        return Permit(allowed=False, reason=PermitReason.USED_UP, because=because)
    because = f"the budget of {purse} has {text}, of which {kept:.4f} are kept back for more important questions"
    return Permit(allowed=False, reason=PermitReason.KEPT_BACK, because=because)
