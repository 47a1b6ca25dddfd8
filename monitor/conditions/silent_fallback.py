"""The rule about a chain that lives on its fallbacks for days, of which nobody was told."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import chain_facts, percent
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.fallback import Counts, FallbackHistory

MOSTLY = 0.5
_PARTS = 4


def _silent_fallback(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    """Most answers came from a fallback, in each quarter of the time: one bad hour of many questions is not days."""
    for chain, history in world.fallbacks.items():
        if chain in world.itself.told_of:
            continue
        quarters = _quarters(rule, history, now)
        if len(quarters) < _PARTS:
            continue
        answers, fallbacks = sum(one.answers for one in quarters), sum(one.fallbacks for one in quarters)
        if answers < rule.min_samples:
            continue
        long = format_duration(rule.lasting)
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=chain,
            severity=rule.severity,
            title=f"Chain {chain} has lived on its fallbacks for {long}",
            summary=f"{percent(fallbacks / answers)} of {answers} answers came from a fallback; no alert told anybody.",
            brief=f"has lived on its fallbacks for {long}",
            facts=chain_facts(world, chain),
            cause=world.causes.of(chain),
        )


def _quarters(rule: RuleConfig, history: FallbackHistory, now: float) -> list[Counts]:
    """From the latest on, up to the first in which the primary answered most."""
    part, found = rule.lasting / _PARTS, list[Counts]()
    for n in range(_PARTS):
        counts = history.count_between(now - (n + 1) * part, now - n * part)
        if counts.share is None or counts.share < MOSTLY:
            break
        found.append(counts)
    return found


SILENT_FALLBACK = Rule(
    name="silent_fallback",
    judge=_silent_fallback,
    meaning="For all of `lasting` most answers came from a fallback, and no other alert about the chain was told.",
    impact="Applications run on another model than the one they were built for: other quality, price and speed.",
    diagnosis=(
        "Is the primary healthy on its own and left out all the same (filtered)? Then a routing rule, a price cap or a "
        "limit keeps it out. `fallbackd explain CHAIN` names the evidence."
    ),
    mitigation="Mend the primary or its routing; or make the fallback the primary, if it is the better one by now.",
    over="The primary answers again, or another alert tells of it.",
    settings=frozenset({"lasting", "min_samples"}),
    unsayable="that nobody was told is no metric",
)
