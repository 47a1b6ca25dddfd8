"""The rule about a chain that nobody answers for rate limits alone, so far for a short time."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import chain_facts, drill_facts, troubled
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.model import Health


def _chain_limited(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for state in world.chains.values():
        if state.health is not Health.LIMITED:
            continue
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=state.chain,
            severity=rule.severity,
            title=f"Chain {state.chain} is rate limited at every target",
            summary=f"Applications get no answer now; the chain is down if that lasts. End to end, {state.own}.",
            matters=troubled(state),
            brief=f"rate limited: {state.own}",
            facts=(*chain_facts(world, state.chain), *drill_facts(world, state.chain)),
            cause=world.causes.of(state.chain),
        )


CHAIN_LIMITED = Rule(
    name="chain_limited",
    judge=_chain_limited,
    meaning=(
        "The chain's own end-to-end questions are answered with 429 by every target. Limits are counted by the minute "
        "and mostly pass by themselves; after `health.limited_for`, or where the endpoint says at once that it will "
        "last as long, the chain is down."
    ),
    impact="Applications that use the chain get no answer for as long as the limits hold.",
    diagnosis=(
        "Do all targets hang on one provider or one key? Then one limit takes the whole chain. `fallbackd explain "
        "CHAIN` shows who said 429; look for a burst of your own load at that minute."
    ),
    mitigation=(
        "Put a target at an independent provider or with an own key into the chain, ask for a higher limit, or spread "
        "the load."
    ),
    over="Somebody answers again, or the chain counts as down by now.",
    inhibits=frozenset({"chain_degraded"}),
)
