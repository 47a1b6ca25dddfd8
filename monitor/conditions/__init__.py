"""What can be alerted about: rules that look at what is known and say which conditions hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.conditions.causes import Cause, CauseKind, Causes
from monitor.conditions.chains import CHAIN_DEGRADED, CHAIN_DOWN, WRONG_MODEL
from monitor.conditions.fallbacks import FALLBACK_RATE
from monitor.conditions.offers import CATALOGUE_DRIFT
from monitor.conditions.watching import BUDGET_EXHAUSTED, DRILL_DEVIATED, PROBE_STALE
from monitor.conditions.world import Condition, ProbeView, Rule, World, conclusive
from monitor.config.model import RuleConfig

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        CHAIN_DOWN,
        CHAIN_DEGRADED,
        FALLBACK_RATE,
        WRONG_MODEL,
        DRILL_DEVIATED,
        PROBE_STALE,
        BUDGET_EXHAUSTED,
        CATALOGUE_DRIFT,
    )
}

__all__ = ["RULES", "Cause", "CauseKind", "Causes", "Condition", "ProbeView", "Rule", "World", "conclusive", "evaluate"]


def evaluate(rules: Sequence[RuleConfig], world: World, now: float) -> tuple[Condition, ...]:
    """Every condition that holds now, in the order of the rules."""
    return tuple(
        condition
        for rule in rules
        for condition in RULES[rule.when].judge(rule, world, now)
        if not rule.chains or condition.chain in rule.chains
    )
