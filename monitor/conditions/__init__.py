"""What can be alerted about: rules that look at what is known and say which conditions hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.conditions.burning import BURN_RATE
from monitor.conditions.capability_lost import CAPABILITY_LOST
from monitor.conditions.causes import Cause, CauseKind, Causes
from monitor.conditions.chain_limited import CHAIN_LIMITED
from monitor.conditions.chains import CHAIN_DEGRADED, CHAIN_DOWN, WRONG_MODEL
from monitor.conditions.daemon_unwell import DAEMON_UNWELL
from monitor.conditions.dead_fallbacks import ALL_FALLBACKS_DEAD
from monitor.conditions.edge_unproven import EDGE_UNPROVEN
from monitor.conditions.fallbacks import FALLBACK_RATE
from monitor.conditions.fault_stuck import FAULT_STUCK
from monitor.conditions.first_fallback import FIRST_FALLBACK
from monitor.conditions.offers import CATALOGUE_DRIFT
from monitor.conditions.silent_fallback import SILENT_FALLBACK
from monitor.conditions.slow_cascade import SLOW_CASCADE
from monitor.conditions.watching import BUDGET_EXHAUSTED, DRILL_DEVIATED, PROBE_STALE
from monitor.conditions.world import ActiveFault, Condition, Itself, ProbeView, Rule, World, conclusive
from monitor.config.model import RuleConfig

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        CHAIN_DOWN,
        CHAIN_LIMITED,
        CHAIN_DEGRADED,
        BURN_RATE,
        ALL_FALLBACKS_DEAD,
        CAPABILITY_LOST,
        FALLBACK_RATE,
        FIRST_FALLBACK,
        SILENT_FALLBACK,
        SLOW_CASCADE,
        WRONG_MODEL,
        DRILL_DEVIATED,
        EDGE_UNPROVEN,
        FAULT_STUCK,
        PROBE_STALE,
        BUDGET_EXHAUSTED,
        CATALOGUE_DRIFT,
        DAEMON_UNWELL,
    )
}

__all__ = [
    "RULES",
    "SILENT_FALLBACK",
    "ActiveFault",
    "Cause",
    "CauseKind",
    "Causes",
    "Condition",
    "Itself",
    "ProbeView",
    "Rule",
    "World",
    "conclusive",
    "evaluate",
]


def evaluate(rules: Sequence[RuleConfig], world: World, now: float) -> tuple[Condition, ...]:
    """Every condition that holds now, in the order of the rules."""
    return tuple(
        condition
        for rule in rules
        for condition in RULES[rule.when].judge(rule, world, now)
        if not rule.chains or condition.chain in rule.chains
    )
