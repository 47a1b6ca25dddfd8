"""The rule about fallbacks that no drill has proven for too long."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clock import utc
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.coverage import ChainCoverage, Edge

LONGEST_KNOWN = 7 * 86400.0
"""Seconds: for how long at the most it is known that a chain is watched."""


def _edge_unproven(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    """The steps of a chain; one that was never proven counts once the chain has been watched for long enough."""
    for covered in world.coverage:
        history = world.fallbacks.get(covered.chain)
        first = history.first if history is not None else None
        watched = 0.0 if first is None else now - first
        missing = [edge for edge in _steps(covered) if _is_missing(covered, edge, rule, watched, now)]
        if missing:
            yield _condition(rule, covered, missing)


def _steps(covered: ChainCoverage) -> tuple[Edge, ...]:
    """Those that a drill aims at, and those that no drill reaches at all."""
    return covered.edges


def _is_missing(covered: ChainCoverage, edge: Edge, rule: RuleConfig, watched: float, now: float) -> bool:
    last = _last(covered, edge)
    if last is not None:
        return now - last > rule.lasting
    return watched >= min(rule.lasting, LONGEST_KNOWN)


def _last(covered: ChainCoverage, edge: Edge) -> float | None:
    proven = (cell.proven_at for cell in covered.cells if cell.pair.edge == edge and cell.proven_at is not None)
    return max(proven, default=None)


def _condition(rule: RuleConfig, covered: ChainCoverage, missing: list[Edge]) -> Condition:
    names = [f"{start}->{end}" for start, end in missing]
    facts = []
    for edge, name in zip(missing, names, strict=True):
        last = _last(covered, edge)
        facts.append((name, f"last proven at {utc(last)}" if last is not None else "never proven"))
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=covered.chain,
        severity=rule.severity,
        title=f"Chain {covered.chain}: no drill has proven {', '.join(names)} in {format_duration(rule.lasting)}",
        summary="Whether these fallbacks take over is belief, not knowledge.",
        matters=tuple(names),
        facts=tuple(facts),
    )


EDGE_UNPROVEN = Rule(
    name="edge_unproven",
    judge=_edge_unproven,
    meaning="For longer than `lasting` no drill has passed that proves a step of the chain, under any fault.",
    impact="A fallback that never had to take over may not be able to, and nobody would know before it must.",
    diagnosis="`fallbackd coverage` shows every step with the faults that it is proven under, and since when.",
    mitigation="Add a drill that breaks the targets before it (`break: [..]`), or run the one that there is.",
    over="A drill has proven the step.",
    settings=frozenset({"lasting"}),
    unsayable="a step that no drill aims at has no series",
)
