"""Every drill that could prove an edge of a chain: each edge with each fault, and why the others are left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chaos.causes import cause
from chaos.drills import OPENROUTER, REJECTED_BY_DEFAULT, resolve_one
from chaos.faults import FAULTS
from chaos.guard import Permit
from chaos.injectors.injector import Injector
from chaos.model import Drill
from monitor.config.model import ChainConfig, DrillConfig
from monitor.config.quantity import format_duration
from monitor.config.strike_checks import default_injector
from monitor.coverage import Edge
from monitor.model import Mode

REQUESTS = 1
"""While the fault is in. One answer with its evidence is a proof; a matrix is long enough."""
LEAST_WITHIN, MARGIN = 10.0, 30.0
"""Seconds: what a chain gets for an answer at least, and what a whole drill gets beyond its answers."""
SAME = {("request", "unavailable"): "ignore", ("transport", "status"): "unavailable"}
"""(injector, fault) -> the fault that does the same with its usual options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One drill of a matrix. ``entry`` is what would stand for it under ``drills:``."""

    edge: Edge
    entry: Mapping[str, object]
    drill: Drill


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    edge: Edge
    fault: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """``most_requests``: of all drills together."""

    chain: str
    drills: tuple[Planned, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def most_requests(self) -> int:
        return sum(planned.drill.most_requests for planned in self.drills)

    @property
    def usual_requests(self) -> int:
        return sum(planned.drill.usual_requests for planned in self.drills)


def plan(
    chain: ChainConfig,
    injectors: Mapping[str, Injector],
    may: Callable[[Drill], Permit],
    dialect: str = OPENROUTER,
) -> Matrix:
    """Edge by edge from the first, fault by fault in their order. ``may``: whether a drill could run now, by the guard
    and its injector; ``dialect``: of the chain's endpoint.

    At the edge n -> n + 1 the targets 0 to n are broken together, so that n + 1 must answer.
    """
    injector = injectors[default_injector(chain.mode, dialect)]
    drills: list[Planned] = []
    left_out: list[LeftOut] = []
    for position, fault in _pairs(chain, injector):
        planned = _planned(chain, position, fault, injector)
        because = _pointless(fault, chain, position, injector)
        if because is None and not (permit := may(planned.drill)).allowed:
            because = permit.because
        if because is None:
            drills.append(planned)
        else:
            left_out.append(LeftOut(edge=planned.edge, fault=fault, because=because))
    return Matrix(chain=chain.name, drills=tuple(drills), left_out=tuple(left_out))


def affordable(matrix: Matrix, *, cost: float | None, remaining: float | None) -> Matrix:
    """What fits into the rest of the budget, in order. ``cost``: upper bound in USD of one request; both may be None:
    no price is known, there is no budget."""
    if remaining is None:
        return matrix
    left, kept, out = remaining, list[Planned](), list(matrix.left_out)
    for planned in matrix.drills:
        needed = (cost or 0.0) * planned.drill.most_requests
        if needed <= left and left > 0:
            left -= needed
            kept.append(planned)
        else:
            why = f"the budget has {max(0.0, left):.4f} USD left for it, and it may cost {needed:.4f} USD"
            out.append(LeftOut(edge=planned.edge, fault=planned.drill.fault, because=why))
    return replace(matrix, drills=tuple(kept), left_out=tuple(out))


def reasons(left_out: Iterable[LeftOut]) -> dict[str, list[LeftOut]]:
    """What was left out, by why."""
    found: dict[str, list[LeftOut]] = {}
    for one in left_out:
        found.setdefault(one.because, []).append(one)
    return found


def _pairs(chain: ChainConfig, injector: Injector) -> Iterator[tuple[int, str]]:
    for position in range(len(chain.targets) - 1):
        for fault in injector.faults:
            yield position, fault


def _planned(chain: ChainConfig, position: int, fault: str, injector: Injector) -> Planned:
    labels = [target.label for target in chain.targets]
    within = _within(chain, position)
    entry = {
        "name": f"matrix-{position}-{fault.replace('_', '-')}",
        "chain": chain.name,
        "break": labels[: position + 1],
        "with": fault,
        "by": injector.name,
        "requests": REQUESTS,
        "max_duration": format_duration(within * REQUESTS + MARGIN),
        "expect": {"served_by": labels[position + 1], "within": format_duration(within)},
    }
    drill = resolve_one(DrillConfig.model_validate(entry), chain)
    return Planned(edge=(labels[position], labels[position + 1]), entry=entry, drill=drill)


def _within(chain: ChainConfig, position: int) -> float:
    """Whoever walks may wait for each broken target until its timeout, and then for the one that answers."""
    walk = sum(target.timeout for target in chain.targets[: position + 2])
    return max(LEAST_WITHIN, min(walk, chain.deadline))


def _pointless(fault: str, chain: ChainConfig, position: int, injector: Injector) -> str | None:
    """Why no failover could be seen, whatever the chain is worth."""
    if fault in REJECTED_BY_DEFAULT:
        return "routers refuse such a request whole, so there is no failover to see"
    if (same := SAME.get((injector.name, fault))) is not None:
        return f"with its usual options it is the same as {same}"
    if chain.mode is not Mode.CLIENT or fault not in FAULTS:
        return None
    options = {name: option.default for name, option in FAULTS[fault].options.items()}
    reasons = {cause(FAULTS[fault], options, patience=target.timeout) for target in chain.targets[: position + 1]}
    if None in reasons:
        return "a plain question is still answered, so there is nothing to fail over from"
    staying = sorted(reason for reason in reasons if reason is not None and reason not in chain.move_on)
    if staying:
        return f"the chain does not move on for {', '.join(staying)} (move_on)"
    return None
