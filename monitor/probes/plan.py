"""Which questions a config asks for, and what one of them may cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.model import ChainConfig, Config, Of, PaceConfig, ProbeConfig
from monitor.dialects import bound_tokens
from monitor.exchange import Question
from monitor.model import Catalogue, Mode, PaceRange, ProbeSpec, Target
from monitor.probes.kinds import KINDS
from monitor.probes.pricing import charge, highest_price

_ENVELOPE_TOKENS = 32  # what providers add around a message, generously
_CHARACTERS_PER_TOKEN = 3  # fewer than any tokenizer in use needs for such text: the estimate is an upper bound


def expand(config: Config) -> tuple[ProbeSpec, ...]:
    """Every scheduled question of the config, in its order. Where two have the same key, the first one holds."""
    specs: dict[str, ProbeSpec] = {}
    for chain in config.chains:
        for probe in chain.probes:
            for target in _subjects(chain, probe):
                spec = specify(chain, probe, target)
                specs.setdefault(spec.key, spec)
    return tuple(specs.values())


def specify(chain: ChainConfig, probe: ProbeConfig, target: Target | None) -> ProbeSpec:
    """One question of a probe: to a target, or (None) to the whole chain."""
    subject = chain.name if target is None else f"{chain.name}/{target.key}"
    return ProbeSpec(
        key=f"{subject}:{probe.kind}",
        chain=chain.name,
        kind=probe.kind,
        target=target,
        every=probe.every,
        first_token=probe.first_token,
        max_tokens=probe.max_tokens,
        passive=probe.passive,
        pace=_pace(probe.every, probe.pace or chain.pace),
    )


def estimate(spec: ProbeSpec, chain: ChainConfig, catalogue: Catalogue) -> float | None:
    """USD of one run, an upper bound; None when a price is not known.

    A router charges only for the answer, so its chain costs what the dearest target does. A walk of our own may pay
    at every target.
    """
    kind = KINDS[spec.kind]
    question = kind.question(spec, "x" * 40)
    if spec.target is not None:
        return _at(spec.target, question, (spec.target.model,), catalogue)
    targets = chain.all_targets()
    alone = chain.mode is Mode.CLIENT
    models = tuple(target.model for target in targets)
    costs = [_at(target, question, (target.model,) if alone else models, catalogue) for target in targets]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    return sum(known) if alone else max(known)


def _pace(every: float, pace: PaceConfig | None) -> PaceRange | None:
    """None where it could never move."""
    fastest = min(every, pace.fastest) if pace and pace.fastest else every
    slowest = max(every, pace.slowest) if pace and pace.slowest else every
    if pace is None or fastest == slowest:
        return None
    return PaceRange(fastest=fastest, slowest=slowest, slower_after=pace.slower_after)


def _subjects(chain: ChainConfig, probe: ProbeConfig) -> Iterator[Target | None]:
    if Of.CHAIN in probe.of:
        yield None
    for position, own in enumerate(chain.targets):
        if Of.TARGETS in probe.of:
            yield chain.target(position)
        if Of.PROVIDERS in probe.of:
            yield from (chain.target(position, provider) for provider in own.pinned)


def _at(target: Target, question: Question, models: tuple[str, ...], catalogue: Catalogue) -> float | None:
    price = highest_price(target.model, target.provider, catalogue)
    if price is None:
        return None
    written = sum(len(str(message.get("content"))) for message in question.messages)
    prompt = written // _CHARACTERS_PER_TOKEN + _ENVELOPE_TOKENS
    return charge(price, prompt, bound_tokens(question.max_tokens, models, catalogue))
