"""The rule about a fault that outlives its end."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clock import utc
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig

GRACE = 10.0
"""Seconds after its end in which the rollback may still be under way."""


def _fault_stuck(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    for fault in world.itself.faults:
        if now <= fault.until + GRACE:
            continue
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=fault.chain,
            subject=fault.drill,
            severity=rule.severity,
            title=f"The fault {fault.fault} of drill {fault.drill} is still active",
            summary=f"It should have ended at {utc(fault.until)}. What the chain shows now may be of our own making.",
            facts=(("injector", fault.injector), ("run", fault.run), ("end", utc(fault.until))),
        )


FAULT_STUCK = Rule(
    name="fault_stuck",
    judge=_fault_stuck,
    meaning="A fault of a drill, here or in a gateway of another process, is still active after its end.",
    impact="Questions, or traffic of applications that take part in drills, go on failing on purpose.",
    diagnosis="The journal of the run says how its rollback went; `fallbackd_fault_active` shows what is in place, and "
    "`curl CONTROL/rules` what the gateway itself says (`gateway.control`). It has been told to let go and did not.",
    mitigation="`fallbackd stop` ends every drill; a restart of fallbackd (or its gateway) begins without faults.",
    over="The fault is no longer active.",
    unsayable="when a fault is to end is no metric",
)
