"""The rule about a chain's promise: errors that use up what may go wrong too fast, over two windows at once."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.evidence import answers_now, chain_facts, drill_facts, promised
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.objective import Kept

LEAST_BAD = 2
"""One bad answer is no trend, however few there are of all."""
_LONGEST_HOLD = 300.0


def _burn_rate(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    """The long window says that it matters, the short one that it still goes on."""
    factor = rule.factor or 1.0
    for chain, history in world.objectives.items():
        success = world.promises.get(chain)
        if success is None:
            continue
        lately = history.over(rule.short_window, now)
        if (lately.burn(success) or 0.0) < factor:
            continue  # the cheaper window first: a healthy chain is looked at each second
        kept = history.over(rule.window, now)
        if kept.total >= rule.min_samples and kept.bad >= LEAST_BAD and (kept.burn(success) or 0.0) >= factor:
            yield _condition(rule, world, chain, success, kept, lately)


def _condition(rule: RuleConfig, world: World, chain: str, success: float, kept: Kept, lately: Kept) -> Condition:
    window, short = format_duration(rule.window), format_duration(rule.short_window)
    burn, burns_now = kept.burn(success) or 0.0, lately.burn(success) or 0.0
    unanswered = f"{kept.bad} of {kept.total} questions in {window}"
    over = "It answers now; that is" if answers_now(world, chain) else "That is"
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=chain,
        severity=rule.severity,
        title=f"Chain {chain} breaks its promise of {promised(success)} over {window}",
        summary=f"{unanswered} got no answer, {lately.bad} of {lately.total} in {short}. "
        f"{over} {burn:.1f} times what the promise allows.",
        brief=f"{unanswered} got no answer, {burn:.1f} times what is allowed",
        facts=(
            ("burn rate", f"{burn:.1f} over {window}, {burns_now:.1f} over {short}; told from {rule.factor:g} on"),
            ("a month's allowance", f"gone in {_gone_in(burn)} at this rate"),
            *chain_facts(world, chain),
            *drill_facts(world, chain),
        ),
        cause=world.causes.of(chain),
    )


def _gone_in(burn: float) -> str:
    """Whole hours below two days, else whole days."""
    hours = max(1.0, 30 * 24 / burn)
    return format_duration(round(hours) * 3600.0 if hours < 48 else round(hours / 24) * 86400.0)


def _hold(rule: RuleConfig) -> float:
    """The short window flickers at its threshold: it must be under it for as long as it is, five minutes at most."""
    return min(_LONGEST_HOLD, rule.short_window)


BURN_RATE = Rule(
    name="burn_rate",
    judge=_burn_rate,
    meaning=(
        "Questions to the chain go unanswered so often that its objective (`objective.success`) cannot be kept: the "
        "share of errors is `factor` times what it allows, over a long and over a short window."
    ),
    impact="Applications get errors now. At 14.4 times, a month's allowance for errors is gone in two days.",
    diagnosis=(
        "The message says how many questions went unanswered. `fallbackd explain CHAIN` shows who was asked and what "
        "each said. A chain that is not down and yet burns fails now and then: look for rate limits and short timeouts."
    ),
    mitigation=(
        "Put a target at an independent provider into the chain, raise limits and timeouts, or promise less. It ends "
        "by itself when the short window is good again."
    ),
    over="Questions are answered often enough again, over the short window at least.",
    settings=frozenset({"factor", "window", "short_window", "min_samples"}),
    one_of=frozenset({"factor"}),
    has_degrees=True,
    hold=_hold,
)
