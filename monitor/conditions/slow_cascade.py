"""The rule about failovers that take too long: the chain answers, after walking past targets that fail slowly."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.cascades import middle
from monitor.conditions.evidence import chain_facts
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration


def _slow_cascade(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    for chain, cascades in world.cascades.items():
        limit = rule.slower_than if rule.slower_than is not None else world.latencies.get(chain)
        walks = cascades.since(now - rule.window)
        if limit is None or len(walks) < rule.min_samples or middle(walks) <= limit:
            continue
        took = format_duration(round(middle(walks), 1))
        servers = ", ".join(dict.fromkeys(walk.served_by or "nobody of the chain" for walk in walks))
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=chain,
            severity=rule.severity,
            title=f"Chain {chain} fails over too slowly",
            summary=f"Half of {len(walks)} failovers took {took} or more; {format_duration(limit)} is allowed.",
            brief=f"half of its failovers take {took} or more",
            facts=(("answered by", servers), *chain_facts(world, chain)),
            cause=world.causes.of(chain),
        )


def _hold(rule: RuleConfig) -> float:
    return min(60.0, rule.window / 10)


SLOW_CASCADE = Rule(
    name="slow_cascade",
    judge=_slow_cascade,
    meaning=(
        "Answers come from a fallback after targets before it were called and failed, and the median of such answers "
        "in the `window` takes longer than `slower_than` (unset: the chain's `objective.latency`)."
    ),
    impact="Users wait for each dead target's timeout before anybody answers, and many give up before.",
    diagnosis="`fallbackd explain CHAIN` shows each attempt with its duration: the longest is the timeout to shorten.",
    mitigation="Shorten the timeout of the target that stalls, or move it down the chain until it is well.",
    over="Failovers are fast again, or there are too few of them to tell.",
    settings=frozenset({"slower_than", "window", "min_samples"}),
    hold=_hold,
    unsayable="how long an answer took is not kept apart by how the chain came to it",
)
