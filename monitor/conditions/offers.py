"""The rule about what the endpoints' catalogues show, and what providers say of themselves, as context."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.conditions.causes import Cause, CauseKind
from monitor.conditions.evidence import Facts
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.findings import CatalogueFinding, Drift
from monitor.health import ChainState

_MOST_NAMED = 5
_GRAVITY = tuple(Drift)


def _catalogue_drift(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    """One condition for all that concerns a chain: what is found comes and goes in groups. What one catalogue shows
    of several chains (a key that runs out, say) is told at once."""
    wanted = rule.findings or tuple(drift for drift in Drift if not drift.is_context)
    by_chain: dict[str, list[CatalogueFinding]] = {}
    for finding in sorted(world.findings, key=lambda one: (_GRAVITY.index(one.drift), one.subject)):
        if finding.drift in wanted and not finding.drift.is_context:
            for chain in dict.fromkeys(use.chain for use in finding.uses):
                by_chain.setdefault(chain, []).append(finding)
    for chain, found in by_chain.items():
        yield _condition(rule, chain, found)


def _condition(rule: RuleConfig, chain: str, found: list[CatalogueFinding]) -> Condition:
    others = f" and {len(found) - 1} more" if found[1:] else ""
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=chain,
        severity=rule.severity,
        title=f"Chain {chain}: {_WORDS[found[0].drift]} ({found[0].subject}){others}",
        summary=f"{found[0].detail}; {found[0].used_by}.",
        matters=tuple(f"{one.key} {one.value}" for one in found),
        brief=f"{found[0].detail}{others}",
        facts=tuple(_facts(found)),
        cause=Cause(kind=CauseKind.CATALOGUE, name=found[0].endpoint),
    )


def _facts(found: list[CatalogueFinding]) -> Iterator[tuple[str, str]]:
    """One line for each kind of finding."""
    for drift in dict.fromkeys(one.drift for one in found):
        same = [one for one in found if one.drift is drift]
        more = f"; and {len(same) - _MOST_NAMED} more (fallbackd catalogue)" if same[_MOST_NAMED:] else ""
        yield drift.value, "; ".join(f"{one.detail} ({one.used_by})" for one in same[:_MOST_NAMED]) + more


def reported_facts(world: World, state: ChainState) -> Facts:
    """What the endpoint says of the providers of targets in trouble: beside our own measurements, never a reason."""
    lines = world.reported.get(state.chain, {})
    troubled = [lines[trouble.label] for trouble in state.troubles if trouble.label in lines]
    return (("endpoint says", "; ".join(troubled)),) if troubled else ()


_WORDS = {
    Drift.MODEL_GONE: "a model is gone",
    Drift.MODEL_RENAMED: "a model has another name",
    Drift.MODEL_EXPIRES: "a model is about to end",
    Drift.UNSERVED: "a target has no provider",
    Drift.PROVIDER_LEFT: "a provider has left",
    Drift.PROVIDER_JOINED: "a provider has joined",
    Drift.PRICE_CHANGED: "a price has changed",
    Drift.CONTEXT_CHANGED: "a context length has changed",
    Drift.OUTPUT_LIMIT_CHANGED: "an output limit has changed",
    Drift.PARAMETER_DROPPED: "a parameter is no longer taken",
    Drift.KEY_LIMIT_LOW: "the key's limit is nearly used up",
    Drift.KEY_EXPIRES: "the key is about to end",
    Drift.CREDITS_LOW: "the credit is running out",
    Drift.FREE_QUOTA_LOW: "today's free requests are nearly used up",
    Drift.SHARED_FATE: "two targets fall together",
}

CATALOGUE_DRIFT = Rule(
    name="catalogue_drift",
    judge=_catalogue_drift,
    meaning=(
        "The endpoint's catalogue or the key does not (or soon will not) offer what the chain relies on: a model "
        "that is gone or ends, a provider that left or joined, another price or limit, credit that ends, shared fate."
    ),
    impact=(
        "An id that is gone makes the router refuse the whole chain, working fallbacks too. A provider that left, a "
        "smaller context or a dropped parameter makes a fallback unfit; another price moves the bill."
    ),
    diagnosis=(
        "`fallbackd catalogue` shows each finding with the chains and positions that it concerns, and who serves every "
        "target now. A change is measured from the last reading that was accepted, restarts included."
    ),
    mitigation=(
        "Name the successor of a model that ends, list providers that do serve, top up the account or raise the limit. "
        "A change that is welcome needs nothing: it ends by itself when it is old (`catalogue.acknowledge_after`)."
    ),
    over="The catalogue offers what the chain relies on, or the change is old enough to be how things are.",
    settings=frozenset({"findings"}),
    unsayable="what an endpoint offers, and how it changed, is no metric",
)
