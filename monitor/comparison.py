"""Compares a chain as declared with what its endpoint does: whom it knows, in what order, how long it waits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.config.model import ChainConfig
from monitor.config.quantity import format_duration
from monitor.model import Mode, Outcome, Path, Reason, Status
from monitor.naming import find_entry, same_provider
from monitor.offering import Catalogue

_STANDING = frozenset(
    {
        Reason.MODEL_GONE, Reason.NO_ENDPOINT, Reason.BAD_REQUEST, Reason.WRONG_MODEL, Reason.UNAUTHORIZED,
        Reason.FORBIDDEN, Reason.MISSING_CAPABILITY,
    }
)  # fmt: skip
"""Reasons that a target does not get over by itself."""
_SLOW = frozenset({Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED})


class Kind(StrEnum):
    """What differs."""

    ORDER = "order"
    MISSING = "missing"
    EXTRA = "extra"
    PROVIDER = "provider"
    TIMEOUT = "timeout"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    kind: Kind
    target: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an endpoint tells of itself; None where it does not say.

    ``models``: every model (group) it knows. ``rungs``: the models of a server chain, or the providers of a provider
    chain, in its order. ``providers``: model -> who serves it. ``waits``: rung -> seconds the endpoint itself waits.
    """

    models: frozenset[str] | None = None
    rungs: tuple[str, ...] | None = None
    providers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits: Mapping[str, float] = field(default_factory=dict)


def standing_of(chain: ChainConfig, catalogue: Catalogue) -> Standing:
    """What a catalogue says of a chain's models; without one, nothing."""
    entries = {target.model: find_entry(target.model, catalogue) for target in chain.all_targets()}
    if catalogue.at is None:
        return Standing()
    served = {
        model: tuple(offer.tag for offer in entry.offers) for model, entry in entries.items() if entry and entry.offers
    }
    return Standing(models=frozenset(model for model, entry in entries.items() if entry), providers=served)


def compare(
    chain: ChainConfig, standing: Standing, outcomes: Sequence[Outcome], catalogue: Catalogue
) -> list[Difference]:
    """``outcomes``: the chain asked end to end, and its targets on their own, just now."""
    return [
        *_unknown(chain, standing),
        *_rungs(chain, standing),
        *_providers(chain, standing, catalogue),
        *_waits(chain, standing),
        *(found for outcome in outcomes for found in _answer(chain, outcome)),
    ]


def _unknown(chain: ChainConfig, standing: Standing) -> Iterator[Difference]:
    for target in chain.all_targets():
        if standing.models is not None and target.endpoint == chain.endpoint and target.model not in standing.models:
            yield Difference(
                kind=Kind.MISSING,
                target=target.label,
                sentence=f"{chain.endpoint} does not know the model {target.model}.",
            )


def _rungs(chain: ChainConfig, standing: Standing) -> Iterator[Difference]:
    if standing.rungs is None:
        return
    targets = chain.all_targets()
    own = {(target.provider if chain.mode is Mode.PROVIDER else target.model) or "": target.label for target in targets}
    for name, label in own.items():
        if name not in standing.rungs:
            sentence = f"{label} ({name}) is declared, and {chain.endpoint} never falls back to it."
            yield Difference(kind=Kind.MISSING, target=label, sentence=sentence)
    for name in standing.rungs:
        if name not in own:
            sentence = f"{chain.endpoint} falls back to {name}, which the chain does not declare."
            yield Difference(kind=Kind.EXTRA, target=None, sentence=sentence)
    declared = [name for name in own if name in standing.rungs]
    real = [name for name in standing.rungs if name in own]
    if declared != real:
        sentence = f"{chain.endpoint} asks in the order {', '.join(real)}; declared is {', '.join(declared)}."
        yield Difference(kind=Kind.ORDER, target=None, sentence=sentence)


def _providers(chain: ChainConfig, standing: Standing, catalogue: Catalogue) -> Iterator[Difference]:
    for position, target in enumerate(chain.all_targets()):
        serving = standing.providers.get(target.model)
        wanted = (*((target.provider,) if target.provider else ()), *chain.targets[position].pinned)
        for name in wanted if serving is not None else ():
            if not any(same_provider(name, one, catalogue) for one in serving or ()):
                sentence = (
                    f"{name} does not serve {target.model}; those who do: {', '.join(serving or ()) or 'nobody'}."
                )
                yield Difference(kind=Kind.PROVIDER, target=target.label, sentence=sentence)


def _waits(chain: ChainConfig, standing: Standing) -> Iterator[Difference]:
    """While the endpoint waits for a rung that hangs, nobody else can answer."""
    targets = chain.all_targets()
    for target in targets[:-1]:
        wait = standing.waits.get((target.provider if chain.mode is Mode.PROVIDER else target.model) or "")
        if wait is None or wait <= target.timeout:
            continue
        met = "the next one cannot answer in time" if wait >= chain.deadline else "it takes the time of the others"
        sentence = (
            f"{chain.endpoint} waits {format_duration(wait)} for {target.label} before it falls back, declared are "
            f"{format_duration(target.timeout)}: if it hangs, {met}."
        )
        yield Difference(kind=Kind.TIMEOUT, target=target.label, sentence=sentence)


def _answer(chain: ChainConfig, outcome: Outcome) -> Iterator[Difference]:
    if outcome.is_chain:
        if outcome.status is Status.FAILED or outcome.path is not Path.PRIMARY:
            said = outcome.detail or str(outcome.reason)
            yield Difference(
                kind=Kind.ANSWER, target=None, sentence=f"Asked end to end: {outcome.path or 'unknown'}; {said}."
            )
        return
    if outcome.status is Status.OK:
        return
    if outcome.reason in _SLOW:
        target = next(one for one in chain.all_targets() if one.label == outcome.target)
        sentence = f"{outcome.target} did not answer within its timeout of {format_duration(target.timeout)}."
        yield Difference(kind=Kind.TIMEOUT, target=outcome.target, sentence=sentence)
    elif outcome.reason in _STANDING:
        sentence = f"{outcome.target} asked alone: {outcome.detail or outcome.reason}."
        yield Difference(kind=Kind.ANSWER, target=outcome.target, sentence=sentence)
