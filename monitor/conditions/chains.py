"""Rules about what a chain's own answers and its targets show."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clock import utc
from monitor.conditions.evidence import chain_facts, drill_facts, troubled
from monitor.conditions.offers import reported_facts
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.health import ChainState
from monitor.model import Health, Reason

_NO_ANSWER = "Applications that use this chain get no answer."
_NO_USE = "Applications that use this chain get no answer that they can use."
_IMPACTS = {
    Reason.WRONG_MODEL: "Applications that use this chain are answered by a model outside it.",
    **dict.fromkeys((Reason.MALFORMED, Reason.EMPTY, Reason.STARVED, Reason.WRONG_ANSWER, Reason.CUT), _NO_USE),
}


def _chain_down(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for state in world.chains.values():
        if state.health is Health.DOWN:
            yield _health_condition(rule, world, state)


def _chain_degraded(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for state in world.chains.values():
        # Those are worse than degraded, not the end of it: without this a chain that dies would be reported as mended.
        if state.health in (Health.LIMITED, Health.DEGRADED, Health.DOWN):
            yield _health_condition(rule, world, state)


def _impact(state: ChainState) -> str:
    """What applications notice. An answer that is no good is an answer all the same, and whoever reads must know."""
    if state.health is Health.DEGRADED:
        return "It still answers, with less protection or speed."
    return _IMPACTS.get(state.reason, _NO_ANSWER)


def _health_condition(rule: RuleConfig, world: World, state: ChainState) -> Condition:
    impact = _impact(state)
    return Condition(
        alert=rule.name,
        when=rule.when,
        chain=state.chain,
        severity=rule.severity,
        title=f"Chain {state.chain} is {state.health}",
        summary=f"{impact} End to end, {state.own.rstrip('.')}." if state.own else impact,
        matters=troubled(state),
        brief=_brief(state),
        facts=(*chain_facts(world, state.chain), *drill_facts(world, state.chain), *reported_facts(world, state)),
        cause=world.causes.of(state.chain),
    )


def _brief(state: ChainState) -> str:
    named = ", ".join(f"{one.label} {one.health} ({one.detail})" for one in state.troubles)
    return f"{state.health}: {named or state.own or state.reason}"


def _wrong_model(rule: RuleConfig, world: World, _now: float) -> Iterator[Condition]:
    for state in world.chains.values():
        if state.wrong is None:
            continue
        wrong = state.wrong
        model = wrong.model or "an unnamed model"
        via = f" at {wrong.provider}" if wrong.provider else ""
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain=state.chain,
            severity=rule.severity,
            title=f"Chain {state.chain} was answered by a model outside it",
            summary=f"{model}{via} answered, which is none of the chain's targets.",
            matters=(model,),
            facts=(("answered by", f"{model}{via}"), ("at", utc(wrong.at)), *chain_facts(world, state.chain)),
            cause=world.causes.of(state.chain),
        )


CHAIN_DOWN = Rule(
    name="chain_down",
    judge=_chain_down,
    meaning=(
        "The chain's own end-to-end questions fail, or all its targets are down while nothing asks it end to end. "
        "Nothing but 429 is `chain_limited` first, and down when it lasts."
    ),
    impact="Applications that use the chain get no answer, or none of use: neither primary nor fallback helps them.",
    diagnosis=(
        "Read the dead targets and their reasons in the message. The same reason everywhere points at what they share: "
        "the credential, the account's credit, the endpoint or the network. `fallbackd probe CHAIN` asks once more. "
        "Where a model outside it answers, look under `wrong_model`."
    ),
    mitigation=(
        "Mend what the targets share, or put a target at an independent provider into the chain. Credit and "
        "credentials are renewed at the endpoint; the daemon sees it with the next probe."
    ),
    over="The chain as a whole answers again.",
    inhibits=frozenset(
        {
            "chain_limited",
            "chain_degraded",
            "fallback_rate",
            "wrong_model",
            "burn_rate",
            "all_fallbacks_dead",
            "first_fallback",
            "silent_fallback",
            "slow_cascade",
        }
    ),
    covers_targets=True,
)

CHAIN_DEGRADED = Rule(
    name="chain_degraded",
    judge=_chain_degraded,
    meaning=(
        "The chain answers, but too slowly, or one of its targets or their providers is down, degraded or limited, or "
        "is up and lacks a capability that the chain needs."
    ),
    impact="Fewer targets are left to stand in: the next failure may reach the applications. Slow answers already do.",
    diagnosis=(
        "The message names each target in trouble with its reason and since when. A fallback that is dead was found "
        "before it was needed; a dead primary means that fallbacks carry the traffic, at their price and quality. "
        "missing_capability names what a target cannot do; `fallbackd probe CHAIN --kind tools` shows its answer."
    ),
    mitigation=(
        "Replace a model that is gone, raise a limit or the credit, or move a target down the chain until its provider "
        "has recovered."
    ),
    over="The chain and all its targets are healthy again.",
)

WRONG_MODEL = Rule(
    name="wrong_model",
    judge=_wrong_model,
    meaning="An end-to-end answer came from a model that is not a target of the chain.",
    impact="Applications get answers of unknown quality, price and policy, with HTTP 200 and without any notice.",
    diagnosis=(
        "Look at the outcome's attempts: a preset, an account-wide default, an alias that has moved or a proxy in "
        "between can change the model. A dated name of a target is recognised and is not reported."
    ),
    mitigation="Pin the model in the request or in the preset, or add the model to the chain if it is welcome there.",
    over="The chain's answers come from its own models again.",
)
