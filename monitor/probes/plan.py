"""Which questions a config asks for, and what one of them may cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from monitor.capability import Capability, resolve
from monitor.config.model import ChainConfig, Config, Of, PaceConfig, ProbeConfig
from monitor.dialects import bound_tokens
from monitor.exchange import Question
from monitor.model import Mode, PaceRange, ProbeSpec, Target
from monitor.offering import Catalogue
from monitor.pricing import charge, highest_price
from monitor.probes.cheap_check import deny
from monitor.probes.kinds import KINDS
from monitor.probes.vision import IMAGE_TOKENS

_ENVELOPE_TOKENS = 32  # what providers add around a message, generously
_CHARACTERS_PER_TOKEN = 3  # fewer than any tokenizer in use needs for such text: the estimate is an upper bound
_LONG_CONTEXT_EVERY = 86400.0  # at least: its prompt costs a hundred times that of the others
_LACK_LASTS = 86400.0  # a lack that is older than this is asked for at its usual pace again
_LOOKS = 24  # so often in one interval a lack that is young is looked at again, and once a minute at most
_SOONEST = 60.0


def expand(config: Config) -> tuple[ProbeSpec, ...]:
    """Every scheduled question of the config, in its order. Where two have the same key, the first one holds."""
    specs: dict[str, ProbeSpec] = {}
    for chain in config.chains:
        for probe in chain.probes:
            for target in _subjects(chain, probe):
                spec = specify(chain, probe, target)
                specs.setdefault(spec.key, spec)
        for need in resolve(chain.needs):
            for target in chain.all_targets():
                spec = specify(chain, _asking(chain, need), target)
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
        max_tokens=probe.max_tokens or (KINDS[probe.kind].max_tokens if probe.kind in KINDS else 0),
        passive=probe.passive,
        pace=_pace(probe.every, probe.pace or chain.pace),
        tokens=probe.tokens,
        depth=probe.depth,
    )


def estimate(spec: ProbeSpec, chain: ChainConfig, catalogue: Catalogue) -> float | None:
    """USD of one run, an upper bound; None when a price is not known.

    A router charges only for the answer, so its chain costs what the dearest target does. A walk of our own may pay
    at every target. What the catalogue settles is free.
    """
    if spec.kind not in KINDS or deny(spec, chain, catalogue) is not None:
        return 0.0
    kind = KINDS[spec.kind]
    question = kind.question(spec, kind.nonce(Random(0)))
    if spec.target is not None:
        return _at(spec.target, question, (spec.target.model,), catalogue, kind.turns)
    targets = chain.all_targets()
    alone = chain.mode is Mode.CLIENT
    models = tuple(target.model for target in targets)
    costs = [_at(target, question, (target.model,) if alone else models, catalogue, kind.turns) for target in targets]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    return sum(known) if alone else max(known)


def _asking(chain: ChainConfig, need: Capability) -> ProbeConfig:
    """How a target is asked for what the chain needs, with the settings of the chain's own probe of that kind, if any.

    A lack that is young is looked at more often, so that its end is not a quarter of a day away.
    """
    every = max(chain.needs_every, _LONG_CONTEXT_EVERY) if need is Capability.LONG_CONTEXT else chain.needs_every
    own = next((probe for probe in chain.probes if probe.kind == need), None)
    pace = PaceConfig.model_construct(fastest=max(_SOONEST, every / _LOOKS), slower_after=_LACK_LASTS)
    settings = {"every": every, "of": (Of.TARGETS,), "pace": pace}
    return (own or ProbeConfig.model_construct(kind=need.value, every=every)).model_copy(update=settings)


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


def _at(target: Target, question: Question, models: tuple[str, ...], catalogue: Catalogue, turns: int) -> float | None:
    """A later turn sends all that was said before it once more, and a tool's result."""
    price = highest_price(target.model, target.provider, catalogue)
    if price is None:
        return None
    prompt = sum(map(_size, question.messages)) + len(str(question.extra or "")) // _CHARACTERS_PER_TOKEN
    answer = bound_tokens(question.max_tokens, models, catalogue)
    sent = sum(prompt + turn * (answer + _ENVELOPE_TOKENS) + _ENVELOPE_TOKENS for turn in range(turns))
    return charge(price, sent, turns * answer)


def _size(message: Mapping[str, Any]) -> int:
    """Tokens of a message at most; of an image what the dearest model counts for it."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    texts = [str(part["text"]) for part in parts if "text" in part]
    return sum(map(len, texts)) // _CHARACTERS_PER_TOKEN + IMAGE_TOKENS * (len(parts) - len(texts))
