"""The rule about how often a chain is answered by a fallback."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import Facts, chain_facts, percent
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.fallback import Counts, FallbackHistory

LEAST_BASELINE = 0.01
"""A chain that never falls back is compared with this share, so that one odd answer is no rise."""
_LONGEST_HOLD = 300.0
_HOUR, _DAY = 3600.0, 86400.0


def _fallback_rate(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    for chain, history in world.fallbacks.items():
        counts = history.count_between(now - rule.window, now)
        if counts.answers < rule.min_samples or not counts.fallbacks:
            continue
        crossed = [*_above(rule, counts), *_risen(rule, counts, history, now)]
        if crossed:
            yield _condition(rule, world, chain, counts, tuple(crossed))


def _above(rule: RuleConfig, counts: Counts) -> Iterator[tuple[str, str]]:
    if rule.above is not None and counts.surely > rule.above:
        yield "threshold", percent(rule.above)


def _risen(rule: RuleConfig, counts: Counts, history: FallbackHistory, now: float) -> Iterator[tuple[str, str]]:
    """A rise needs a past to compare with: as many answers in the baseline as in the window, at the least."""
    if rule.rise is None or counts.surely <= rule.rise * LEAST_BASELINE:
        return  # no past could make it a rise, and to look into one is dear
    past, when = _past(rule, history, now)
    if past.answers < rule.min_samples or past.share is None:
        return
    if counts.surely > rule.rise * max(past.share, LEAST_BASELINE):
        usual = f"{percent(past.share)} of {past.answers} answers {when}"
        yield "usual share", f"{usual}; tolerated is {rule.rise:g} times that"


def _past(rule: RuleConfig, history: FallbackHistory, now: float) -> tuple[Counts, str]:
    """What is usual: the time before the window, or the same hour of the day on the days before."""
    start = now - rule.window
    if rule.same_hour_days is None:
        return history.count_between(start - rule.baseline, start), f"in the {format_duration(rule.baseline)} before"
    around = max(0.0, _HOUR - rule.window) / 2
    total = Counts()
    for day in range(1, rule.same_hour_days + 1):
        ago = day * _DAY
        total += history.count_between(start - ago - around, now - ago + around)
    return total, f"at this hour of the {rule.same_hour_days} days before"


def _condition(rule: RuleConfig, world: World, chain: str, counts: Counts, crossed: Facts) -> Condition:
    share = percent(counts.share or 0.0)
    window = format_duration(rule.window)
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=chain,
        severity=rule.severity,
        title=f"Chain {chain} falls back too often",
        summary=f"{share} of the answers in the last {window} did not come from the primary.",
        brief=f"{share} of its answers in {window} were not the primary's",
        facts=(
            ("share", f"{share} ({counts.fallbacks} of {counts.answers} answers in {window})"),
            *crossed,
            *chain_facts(world, chain),
        ),
        cause=world.causes.of(chain),
    )


def _hold(rule: RuleConfig) -> float:
    """A share moves around its threshold with every answer: it must be back under it for a third of the window."""
    return min(_LONGEST_HOLD, rule.window / 3)


FALLBACK_RATE = Rule(
    name="fallback_rate",
    judge=_fallback_rate,
    meaning=(
        "The share of end-to-end answers that came from a fallback (or from outside the chain) is surely above the "
        "configured share, or above the chain's own usual share: of the `baseline` before, or of the same hour on the "
        "days before (`same_hour_days`). Surely: with 95 % confidence, so that few answers must speak loudly."
    ),
    impact="Applications are answered by another model than the one they were built for: quality, price, speed change.",
    diagnosis=(
        "Is the primary down, limited, or filtered out by the router before it is called? The path of the outcomes "
        "tells: failed_over was called and failed, filtered was left out. A primary that is healthy on its own and yet "
        "left out points at a routing rule, a price cap or a rate limit."
    ),
    mitigation="Mend or replace the primary, raise its limits, or relax the routing rule that leaves it out.",
    over="The share of answers from a fallback is normal again, or there are too few answers to tell.",
    settings=frozenset({"above", "rise", "window", "baseline", "same_hour_days", "min_samples"}),
    one_of=frozenset({"above", "rise"}),
    inhibits=frozenset({"first_fallback"}),
    has_degrees=True,
    hold=_hold,
)
