"""The rule about the first fallback after a quiet time."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import chain_facts
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration


def _first_fallback(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    """A fallback within the window, and none in the quiet time before, in which enough was answered to tell."""
    for chain, history in world.fallbacks.items():
        start = now - rule.window
        lately = history.count_between(start, now)
        if not lately.fallbacks:
            continue
        before = history.count_between(start - rule.lasting, start)
        if before.fallbacks or before.answers < rule.min_samples:
            continue
        quiet = format_duration(rule.lasting)
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=chain,
            severity=rule.severity,
            title=f"Chain {chain} fell back for the first time in {quiet}",
            summary=f"All {before.answers} answers in the {quiet} before came from the primary.",
            brief=f"fell back for the first time in {quiet}",
            facts=(
                ("fallbacks", f"{lately.fallbacks} of the last {lately.answers} answers"),
                *chain_facts(world, chain),
            ),
            cause=world.causes.of(chain),
        )


FIRST_FALLBACK = Rule(
    name="first_fallback",
    judge=_first_fallback,
    meaning="A fallback answered within the `window`, after a time (`lasting`) in which only the primary did.",
    impact="None yet: the chain did what it is there for. It is the earliest sign that the primary is not what it was.",
    diagnosis="`fallbackd explain CHAIN` says why the primary was passed over, and whether it was called at all.",
    mitigation="Often none. If it comes again, mend or replace the primary before it fails altogether.",
    over="No fallback has answered for a while, or falling back is no longer news.",
    settings=frozenset({"lasting", "window", "min_samples"}),
    unsayable="that nothing fell back for a day before a moment would need a query over each moment of the day",
)
