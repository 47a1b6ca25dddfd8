"""Whether a drill may run now: no drill without a healthy fallback, in a real outage, or beside one that it meets.

Pure; every refusal is a member of a closed enum with one sentence for the person who asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.model import Drill, Phase
from monitor.config.model import ChainConfig
from monitor.model import Health

HARMLESS_INCIDENTS = frozenset({"drill_deviated", "edge_unproven", "budget_exhausted", "catalogue_drift"})
"""Rules whose incidents do not forbid a drill: the first two are resolved by the next drill that passes, the third is
judged by what is left of the budget, and what the last means for the chain shows in its health."""


class Refusal(StrEnum):
    STOPPED = "stopped"
    CHAIN_DOWN = "chain_down"
    UNFIT_FALLBACK = "unfit_fallback"
    OPEN_INCIDENT = "open_incident"
    TROUBLE_AHEAD = "trouble_ahead"
    ALREADY_BROKEN = "already_broken"
    NO_HEALTHY_FALLBACK = "no_healthy_fallback"
    CHAIN_BUSY = "chain_busy"
    PROVIDER_BUSY = "provider_busy"
    BUDGET = "budget"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The decision. ``refusal`` None allows; ``because`` is one sentence either way."""

    refusal: Refusal | None
    because: str

    @property
    def allowed(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """What the watching side knows of one chain right now.

    ``targets``: health by position, a missing one is unknown. ``lacks``: what a target cannot do of what the chain
    needs, by position. ``incidents``: the rules (``chain_down``, ...) of the
    chain's open incidents; ``pending``: those whose condition holds, but not yet for as long as they want. ``budget``:
    USD left today, None without a limit. ``cost``: upper bound in USD of one request to the whole chain, None when no
    price is known.
    """

    health: Health = Health.UNKNOWN
    targets: Mapping[int, Health] = field(default_factory=dict)
    lacks: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    incidents: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    budget: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A drill that runs. ``providers``: the base slugs that it takes away from its chain, as far as they are known."""

    run: str
    drill: Drill
    asked_by: str
    started: float
    phase: Phase
    providers: frozenset[str] = frozenset()


def permit(
    drill: Drill,
    chain: ChainConfig,
    view: GuardView,
    *,
    stopped: str | None,
    running: tuple[Running, ...],
    providers: frozenset[str],
    requests: int,
) -> Permit:
    """May the drill run now? ``stopped``: why all drills are stopped, None when they are not. ``requests``: how many
    it may make at most. The first refusal that applies is given; the gravest come first."""
    found = (
        _stopped(stopped)
        or _in_trouble(drill, chain, view)
        or _unproven_fallback(drill, chain, view)
        or _beside(drill, running, providers)
        or _unaffordable(view, requests, drill.capacity.usd if drill.capacity else 0.0)
    )
    return found or Permit(refusal=None, because=_allowed(drill, chain, view))


def _stopped(why: str | None) -> Permit | None:
    if why is None:
        return None
    return _refuse(Refusal.STOPPED, f"all drills are stopped until they are released: {why}")


def _in_trouble(drill: Drill, chain: ChainConfig, view: GuardView) -> Permit | None:
    if view.health is Health.DOWN:
        return _refuse(Refusal.CHAIN_DOWN, f"{chain.name} is down for real, so nothing may be broken on purpose")
    if view.health is Health.LIMITED:
        return _refuse(Refusal.CHAIN_DOWN, f"{chain.name} answers nothing but 429 now, so nothing may be broken")
    if unfit := _unfit_fallback(drill, chain, view):
        return unfit
    if grave := _grave(view.incidents):
        return _refuse(Refusal.OPEN_INCIDENT, f"{chain.name} has an open incident ({grave})")
    if ahead := _grave(view.pending):
        why = f"{chain.name} has no open incident yet, but what becomes one if it lasts ({ahead}); try again after it"
        return _refuse(Refusal.TROUBLE_AHEAD, why)
    for position in drill.breaks:
        if _health(view, position) is Health.DOWN:
            why = f"{_label(chain, position)} is down for real: there is nothing left to break, the outage is the proof"
            return _refuse(Refusal.ALREADY_BROKEN, why)
    return None


def _grave(rules: Sequence[str]) -> str:
    return ", ".join(rule for rule in dict.fromkeys(rules) if rule not in HARMLESS_INCIDENTS)


def _unfit_fallback(drill: Drill, chain: ChainConfig, view: GuardView) -> Permit | None:
    """A fallback that is up but cannot do what the chain needs would answer, and prove the wrong thing."""
    for position, target in enumerate(chain.targets):
        if target.label == drill.expect.served_by and (lacking := view.lacks.get(position)):
            why = f"{target.label}, which is to answer, is up but unfit: missing_capability ({', '.join(lacking)})"
            return _refuse(Refusal.UNFIT_FALLBACK, why)
    return None


def _unproven_fallback(drill: Drill, chain: ChainConfig, view: GuardView) -> Permit | None:
    standing = [position for position in range(len(chain.targets)) if position not in drill.breaks]
    if drill.expect.rejected:
        return _unproven_chain(chain, view, standing)
    if drill.expect.served_by is None:
        return _refuse(Refusal.NO_HEALTHY_FALLBACK, "the drill breaks every target, so none is left to answer")
    position = [target.label for target in chain.targets].index(drill.expect.served_by)
    health = _health(view, position)
    if position in drill.breaks:
        return _refuse(Refusal.NO_HEALTHY_FALLBACK, f"{drill.expect.served_by} is to answer and to be broken at once")
    if health is not Health.HEALTHY:
        told = "has not been proven healthy yet" if health is Health.UNKNOWN else f"is {health}, not healthy"
        return _refuse(Refusal.NO_HEALTHY_FALLBACK, f"{drill.expect.served_by}, which is to answer, {told}")
    return None


def _unproven_chain(chain: ChainConfig, view: GuardView, standing: Sequence[int]) -> Permit | None:
    """Nobody in particular is to answer a request that is expected to be refused, but the chain must not be dead."""
    if any(_health(view, position) is Health.HEALTHY for position in standing or range(len(chain.targets))):
        return None
    return _refuse(Refusal.NO_HEALTHY_FALLBACK, f"no target of {chain.name} is known to be healthy")


def _beside(drill: Drill, running: tuple[Running, ...], providers: frozenset[str]) -> Permit | None:
    for other in running:
        if other.drill.chain == drill.chain:
            why = f"the drill {other.drill.name} is running on {drill.chain} (run {other.run})"
            return _refuse(Refusal.CHAIN_BUSY, why)
        if shared := providers & other.providers:
            names = ", ".join(sorted(shared))
            why = f"the drill {other.drill.name} on {other.drill.chain} is taking {names} away (run {other.run})"
            return _refuse(Refusal.PROVIDER_BUSY, why)
    return None


def _unaffordable(view: GuardView, requests: int, load: float) -> Permit | None:
    """``load``: what a rising load may cost beside the requests, in USD."""
    if view.budget is None:
        return None
    needed = (view.cost or 0.0) * requests + load
    if view.budget > 0 and needed <= view.budget:
        return None
    also = " and the rising load" if load else ""
    why = f"the budget has {view.budget:.4f} USD left today, and {requests} requests{also} may cost {needed:.4f} USD"
    return _refuse(Refusal.BUDGET, why)


def _allowed(drill: Drill, chain: ChainConfig, view: GuardView) -> str:
    healthy = [at for at in range(len(chain.targets)) if _health(view, at) is Health.HEALTHY]
    proven = drill.expect.served_by or ", ".join(_label(chain, at) for at in healthy)
    verb = "is" if drill.expect.served_by or len(healthy) == 1 else "are"
    return f"{proven} {verb} healthy, {chain.name} has no incident that forbids it, and no other drill meets this one"


def _health(view: GuardView, position: int) -> Health:
    return view.targets.get(position, Health.UNKNOWN)


def _label(chain: ChainConfig, position: int) -> str:
    return chain.targets[position].label


def _refuse(refusal: Refusal, because: str) -> Permit:
    return Permit(refusal=refusal, because=because)
