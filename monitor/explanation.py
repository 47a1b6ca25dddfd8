"""What happened, in sentences: who was asked, who answered, why the primary was passed over, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.clock import utc
from monitor.config.model import ChainConfig
from monitor.findings import CatalogueFinding
from monitor.health import ChainState, SubjectState
from monitor.model import Attempt, Health, Mode, Origin, Outcome, Path, Reason, Status, Target
from monitor.served import failures


class Topic(StrEnum):
    """What a sentence is for."""

    STATE = "state"
    ASKED = "asked"
    ANSWERED = "answered"
    WHY = "why"
    EVIDENCE = "evidence"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    topic: Topic
    text: str


_WAITED = frozenset({Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED})
_REFUSED = frozenset({Reason.MODEL_GONE, Reason.NO_ENDPOINT, Reason.OUT_OF_CREDIT})
"""What the endpoint itself refuses, before it calls anybody."""
_UNREACHED = frozenset({Reason.CONNECT, Reason.DNS, Reason.TLS})

Known = Sequence[tuple[Target, SubjectState | None]]
"""The targets of a chain with what is known of each when it is asked on its own."""


def explain_outcome(outcome: Outcome, chain: ChainConfig | None, known: Known = ()) -> tuple[Sentence, ...]:
    """``chain`` None: it is not configured any more, and then only the outcome itself can speak."""
    parts = (
        (Topic.ASKED, _asked(outcome, chain)),
        (Topic.ANSWERED, [_answered(outcome)]),
        (Topic.WHY, _why(outcome, chain, known)),
        (Topic.EVIDENCE, _evidence(outcome, chain)),
        (Topic.ADVICE, _advice(outcome, known)),
    )
    return tuple(Sentence(topic=topic, text=text) for topic, texts in parts for text in texts)


def explain_chain(
    chain: ChainConfig,
    state: ChainState | None,
    latest: Outcome | None,
    known: Known,
    findings: Sequence[CatalogueFinding] = (),
    reported: Mapping[str, str] | None = None,
) -> tuple[Sentence, ...]:
    """How the chain is, and what its latest end-to-end answer shows. ``reported``: by label, what the endpoint says."""
    said = [Sentence(topic=Topic.STATE, text=_state(chain, state))]
    if latest is None:
        said.append(Sentence(topic=Topic.STATE, text="No end-to-end answer of it is kept, so nobody can be named."))
    else:
        said += explain_outcome(latest, chain, known)
    concerned = [one for one in findings if chain.name in {use.chain for use in one.uses}]
    said += [Sentence(topic=Topic.EVIDENCE, text=f"The catalogue: {one.detail}.") for one in concerned]
    troubled = {trouble.label for trouble in state.troubles} if state else set()
    lines = [text for label, text in (reported or {}).items() if label in troubled]
    said += [Sentence(topic=Topic.EVIDENCE, text=f"The endpoint says of {text}.") for text in lines]
    return tuple(sorted(said, key=lambda sentence: tuple(Topic).index(sentence.topic)))


def _state(chain: ChainConfig, state: ChainState | None) -> str:
    if state is None:
        return f"Chain {chain.name} has not been judged yet."
    why = f": {state.detail}" if state.detail and state.health is not Health.HEALTHY else ""
    return f"Chain {chain.name} is {state.health} since {utc(state.since)}{why}."


def _asked(outcome: Outcome, chain: ChainConfig | None) -> Iterator[str]:
    at = f"At {utc(outcome.at)}"
    if not outcome.is_chain:
        pinned = f", pinned to {outcome.provider}" if outcome.provider else ""
        yield f"{at} target {outcome.target} of {outcome.chain} was asked on its own{pinned} ({_how(outcome)})."
        return
    yield f"{at} chain {outcome.chain} was asked end to end ({_how(outcome)})."
    if chain is None:
        yield f"Chain {outcome.chain} is no longer configured, so its targets are not known here."
        return
    order = ", then ".join(f"{target.label} ({_name(target)})" for target in chain.all_targets())
    walker = (
        "fallbackd itself walks it, as the application would" if chain.mode is Mode.CLIENT else "the endpoint walks it"
    )
    yield f"The order is {order}; {walker}."


def _how(outcome: Outcome) -> str:
    why = {Origin.SCHEDULED: "on schedule", Origin.MANUAL: "by hand", Origin.LIVE: "live traffic"}
    return f"{outcome.kind}, {why.get(outcome.origin, f'during drill {outcome.drill}')}"


def _answered(outcome: Outcome) -> str:
    took = f"in {outcome.duration:.2f} s"
    who = _who(outcome)
    if outcome.status is Status.ERROR:
        return f"Nobody can be judged: {outcome.detail or 'the question could not be asked'}."
    if outcome.path is Path.WRONG_MODEL:
        return f"{who} answered {took}, which is no target of the chain."
    if outcome.status is Status.FAILED and outcome.served_by is None:
        ended = "it was given up" if outcome.reason in _WAITED else "that was known"
        return f"Nobody answered ({outcome.reason}); {ended} after {outcome.duration:.2f} s."
    label = outcome.served_by or outcome.target or "an unknown target"
    if outcome.status is Status.FAILED:
        return f"{label} ({who}) answered {took}, and the answer is no good: {outcome.reason}."
    late = f", which is worse than promised ({outcome.reason})" if outcome.status is Status.DEGRADED else ""
    return f"{label} ({who}) answered {took}{late}."


def _why(outcome: Outcome, chain: ChainConfig | None, known: Known) -> Iterator[str]:
    if not outcome.is_chain or outcome.path is None:
        return
    primary = chain.targets[0].label if chain else "the primary"
    failed = failures([attempt for attempt in outcome.attempts if attempt.position == 0])
    match outcome.path:
        case Path.PRIMARY:
            again = f" after {failed}" if failed else ""
            yield f"{primary} answered itself{again}: no fallback was needed."
        case Path.FAILED_OVER:
            yield f"Failed over: {primary} was called and failed ({failed or 'the attempts do not say how'})."
        case Path.FILTERED:
            yield f"Filtered: {primary} was never called. The router left it out before it called anybody."
            yield from _alone(primary, known, "It is down on its own too, so the router avoids what does not work")
        case Path.FELL_BACK:
            yield (
                f"The endpoint named no attempts, so it cannot be told whether {primary} was called and failed, or was "
                "left out before any call."
            )
            yield from _alone(primary, known, "It is down on its own too, which points at a failure")
        case Path.WRONG_MODEL:
            yield "Nothing in the chain explains that model: something between here and it chose another one."
        case Path.EXHAUSTED:
            yield _exhausted(outcome)


def _exhausted(outcome: Outcome) -> str:
    if outcome.attempts:
        return f"Every target was passed over: {failures(outcome.attempts)}."
    if outcome.reason in _REFUSED:
        status = f" ({outcome.status_code})" if outcome.status_code else ""
        return f"The endpoint refused the request as a whole{status}: it called no target, the fallbacks neither."
    if outcome.reason in _UNREACHED:
        return "The endpoint itself was not reached, so that no target was called."
    return "The endpoint named no attempts, so it cannot be told which targets were called."


def _alone(primary: str, known: Known, when_down: str) -> Iterator[str]:
    """What the primary does when it is asked on its own tells a rule from an outage."""
    health = _health_of_primary(known)
    if health is Health.HEALTHY:
        yield f"Asked on its own {primary} answers: a rule or a limit keeps it out, not an outage."
    elif health is Health.LIMITED:
        yield f"Asked on its own {primary} answers with rate limits."
    elif health is Health.DOWN:
        yield f"{when_down}."


def _health_of_primary(known: Known) -> Health:
    states = [state.health for target, state in known if target.position == 0 and state]
    order = (Health.HEALTHY, Health.LIMITED, Health.DEGRADED, Health.DOWN)
    return next((health for health in order if health in states), Health.UNKNOWN)


def _evidence(outcome: Outcome, chain: ChainConfig | None) -> Iterator[str]:
    for number, attempt in enumerate(outcome.attempts, start=1):
        yield f"Attempt {number}: {_attempt(attempt, chain)}."
    if outcome.detail:
        yield f"Noted then: {outcome.detail}."
    if outcome.generation:
        yield f"The endpoint's record of it is {outcome.generation}; the outcome is {outcome.id}."
    else:
        yield f"The outcome is {outcome.id}."


def _attempt(attempt: Attempt, chain: ChainConfig | None) -> str:
    known = chain is not None and attempt.position is not None and attempt.position < len(chain.targets)
    label = f"{chain.targets[attempt.position].label}, " if known and chain and attempt.position is not None else ""
    ended = "answered" if attempt.reason is Reason.NONE else f"failed: {attempt.reason}"
    code = f" ({attempt.status_code})" if attempt.status_code is not None else ""
    took = f" after {attempt.duration:.2f} s" if attempt.duration is not None else ""
    return f"{label}{attempt.model or 'a model'} at {attempt.provider or 'a provider'} {ended}{code}{took}"


def _advice(outcome: Outcome, known: Known) -> Iterator[str]:
    if outcome.drill is not None:
        yield f"It was broken on purpose by drill {outcome.drill}: read the journal of that run before anything else."
        return
    if outcome.path is Path.FILTERED:
        healthy = _health_of_primary(known) is Health.HEALTHY
        yield (
            "Look at what leaves it out: routing (only, ignore, max_price, zdr, require_parameters), a guardrail or "
            f"the account's provider list{', or a limit of the key' if healthy else ''}."
        )
    reasons = [attempt.reason for attempt in outcome.attempts if attempt.reason in _ADVICE] + [outcome.reason]
    for reason in dict.fromkeys(reasons):
        if reason in _ADVICE:
            yield _ADVICE[reason]
    if outcome.path is Path.FELL_BACK:
        yield "`fallbackd probe CHAIN` asks each target on its own, which shows whether the primary works."


def _who(outcome: Outcome) -> str:
    return " at ".join(part for part in (outcome.model, outcome.served_provider) if part) or "an unnamed model"


def _name(target: Target) -> str:
    return f"{target.model} at {target.provider}" if target.provider else target.model


_ADVICE: Mapping[Reason, str] = {
    Reason.RATE_LIMITED: "Rate limits: ask for a higher limit, bring an own key, or spread the load over providers.",
    Reason.OUT_OF_CREDIT: "Credit: top up the account or raise the key's limit.",
    Reason.UNAUTHORIZED: "The key is refused: renew it, and check that the daemon has the new one.",
    Reason.FORBIDDEN: "The key may not do this: look at its guardrails and the account's privacy settings.",
    Reason.MODERATED: "The prompt was refused by moderation: a fallback without it keeps the chain going.",
    Reason.MODEL_GONE: "The id is not known any more: `fallbackd catalogue` names its successor if there is one.",
    Reason.NO_ENDPOINT: "No provider fits the request: relax routing, or list providers that serve the model now.",
    Reason.BAD_REQUEST: "The body is refused: every model of the chain must take the same parameters.",
    Reason.CONTEXT_LENGTH: "The prompt is too long for it: a fallback needs at least the primary's context length.",
    Reason.OVERLOADED: "The provider is overloaded: it is theirs to mend; the fallback carries the traffic meanwhile.",
    Reason.SERVER_ERROR: "The provider fails: look at its status page; the fallback carries the traffic meanwhile.",
    Reason.TIMEOUT: "It hangs until the timeout: a shorter timeout makes the chain move on sooner.",
    Reason.FIRST_TOKEN_TIMEOUT: "No first token came: a shorter first-token deadline makes the chain move on sooner.",
    Reason.STALLED: "The stream stopped in its middle: no router moves on after the first token, the caller must.",
    Reason.CUT: "The answer was cut off: no router moves on after the first token, the caller must.",
    Reason.EMPTY: "The answer is empty with status 200: routers do not move on for that, the caller must.",
    Reason.STARVED: "All tokens went into reasoning: raise max_tokens or lower the reasoning effort.",
    Reason.WRONG_ANSWER: "The model answers and does not do what it is told: look at its version and parameters.",
    Reason.WRONG_MODEL: "Look for a preset, an account default or a proxy that changes the model, and pin it.",
    Reason.MISSING_CAPABILITY: "The target lacks what the chain needs: choose another model or provider for it.",
    Reason.TOO_SLOW: "Slower than promised: put a faster target first, or change the objective.",
    Reason.DNS: "The endpoint's name cannot be resolved: look at the network of this machine first.",
    Reason.CONNECT: "The endpoint cannot be reached: look at the network and the proxy of this machine first.",
    Reason.TLS: "The certificate is refused: look at the clock, a proxy in between, and ca_file.",
}
