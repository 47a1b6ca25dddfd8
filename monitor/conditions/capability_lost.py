"""The rule about a target that no longer can do what its chain needs."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clock import utc
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig


def _capability_lost(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for chain, state in world.chains.items():
        for trouble in state.troubles:
            if not trouble.lacks:
                continue
            lost = ", ".join(trouble.lacks)
            what = "the primary" if trouble.position == 0 else "a fallback"
            yield Condition(
                alert=rule.name,
                when=rule.when,
                chain=chain,
                subject=trouble.label,
                target=trouble.label,
                severity=rule.severity,
                title=f"{chain}/{trouble.label} cannot do what the chain needs: {lost}",
                summary=f"It is {what} of {chain}; it answers, and applications that need {lost} fail there.",
                matters=trouble.lacks,
                brief=f"{trouble.label} lacks {lost}",
                facts=(
                    ("target", f"{trouble.label} ({trouble.model})"),
                    ("why", trouble.detail),
                    ("since", utc(trouble.since)),
                ),
                cause=world.causes.of(chain),
            )


CAPABILITY_LOST = Rule(
    name="capability_lost",
    judge=_capability_lost,
    meaning="A target answers and lacks a capability that its chain `needs`: tools, structured answers, vision.",
    impact="It is up and no help: requests that need the capability fail there, or get an answer that cannot be used.",
    diagnosis="`fallbackd probe CHAIN --kind tools` (or what is lacking) asks once more and shows the answer.",
    mitigation="Choose another model or provider for the target, or take the need away if no application has it.",
    over="The target has shown that it can do what the chain needs.",
)
