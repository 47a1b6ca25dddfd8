"""The rule about a chain whose primary is fine and whose fallbacks are all dead."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import chain_facts, drill_facts, troubled
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.model import Health


def _all_fallbacks_dead(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for chain, state in world.chains.items():
        positions = {target.position for target in world.targets.get(chain, ())}
        dead = {one.position for one in state.troubles if one.health is Health.DOWN}
        if len(positions) < 2 or dead != positions - {0} or state.health in (Health.LIMITED, Health.DOWN):
            continue
        labels = ", ".join(one.label for one in state.troubles if one.position in dead)
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=chain,
            severity=rule.severity,
            title=f"Chain {chain} has no fallback left",
            summary=f"The primary answers and every fallback is dead: {labels}. Its next failure is an outage.",
            matters=troubled(state),
            brief=f"no fallback left; dead: {labels}",
            facts=(*chain_facts(world, chain), *drill_facts(world, chain)),
            cause=world.causes.of(chain),
        )


ALL_FALLBACKS_DEAD = Rule(
    name="all_fallbacks_dead",
    judge=_all_fallbacks_dead,
    meaning="The primary of the chain is fine, and all its fallbacks are down.",
    impact="Nobody notices anything, and nothing stands between the applications and the primary's next failure.",
    diagnosis=(
        "The message names each dead fallback with its reason. A model that is gone, a key without access or credit "
        "that ended stay so until somebody acts."
    ),
    mitigation="Replace what is gone, renew the key or the credit, or add a target at a provider that answers.",
    over="A fallback answers again, or the primary is in trouble too and other alerts say so.",
    inhibits=frozenset({"chain_degraded"}),
)
