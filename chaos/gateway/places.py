"""Whose traffic an exchange is: from what is asked for to a chain, and to a target where the caller walks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chaos.gateway.record import Copy
from monitor.config.model import ChainConfig
from monitor.model import Mode, Target
from monitor.naming import closeness
from monitor.offering import Catalogue
from monitor.reading import mapping, parse, text_of

_NO_CATALOGUE = Catalogue()
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_MOST_KNOWN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for. ``models`` in the order in which they may answer; ``providers`` where it orders them."""

    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chain, and in chains that their caller walks the target that was asked. ``exact``: its endpoint is asked to
    walk it as it is configured, from its first target to its last."""

    chain: ChainConfig
    target: Target | None
    exact: bool = False


def read_asked(body: Copy) -> Asked:
    """What a body asks for; of one that was too large to keep whole, or is no JSON, as much as can be seen."""
    raw = b"".join(body.head)
    parsed = parse(raw) if body.whole else None
    if not isinstance(parsed, dict):
        found = _MODEL.search(raw) or _MODEL.search(body.tail)
        models = (found[1].decode("utf-8", "replace"),) if found else ()
        return Asked(models=models, streamed=bool(_STREAM.search(raw) or _STREAM.search(body.tail)))
    return Asked(
        models=_models(text_of(parsed.get("model")), parsed.get("models")),
        providers=_texts(mapping(parsed.get("provider")).get("order")),
        streamed=parsed.get("stream") is True,
    )


class Places:
    """Finds the place of what is asked among some chains. What was found once is remembered, within bounds."""

    def __init__(self, chains: Iterable[ChainConfig], *, lists_models: bool = True) -> None:
        """``lists_models``: a chain of models is asked by all their names; else by the first alone."""
        self._chains = tuple(chains)
        self._lists_models = lists_models
        self._known: dict[tuple[object, ...], Place | None] = {}

    def find(self, asked: Asked, named: str | None = None) -> Place | None:
        """``named``: the chain that the client names itself; None for traffic of no chain."""
        key = (asked.models, asked.providers, named)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = place(asked, self._chains, named=named, lists_models=self._lists_models)
        return self._known[key]


def place(
    asked: Asked, chains: Sequence[ChainConfig], *, named: str | None = None, lists_models: bool = True
) -> Place | None:
    """The chain that the client names; else the one whose models, in order, are asked for; else the first to which
    the model belongs (as the primary before as a fallback)."""
    for chain in chains:
        if chain.name == named:
            return _place(asked, chain, lists_models=lists_models)
    if named is not None or not asked.models:
        return None
    ranked = [(rank, number) for number, chain in enumerate(chains) if (rank := _rank(asked, chain)) is not None]
    if not ranked:
        return None
    return _place(asked, chains[min(ranked)[1]], lists_models=lists_models)


def _place(asked: Asked, chain: ChainConfig, *, lists_models: bool) -> Place:
    exact = is_exact(asked, chain, lists_models=lists_models)
    return Place(chain=chain, target=_target(asked, chain), exact=exact)


def is_exact(asked: Asked, chain: ChainConfig, *, lists_models: bool) -> bool:
    """Whether a request asks the endpoint to walk the whole chain, in its order and with nobody else."""
    models = tuple(target.model for target in chain.all_targets())
    if chain.mode is Mode.PROVIDER:
        own = tuple(target.provider for target in chain.all_targets())
        return len(asked.models) == 1 and _is(models[0], asked.models[0]) and asked.providers == own
    if chain.mode is not Mode.SERVER:
        return False
    wanted = models if lists_models else models[:1]
    return len(asked.models) == len(wanted) and all(map(_is, wanted, asked.models))


def _rank(asked: Asked, chain: ChainConfig) -> int | None:
    """How surely the request is the chain's; lower is surer."""
    targets = chain.all_targets()
    same = len(asked.models) == len(targets) > 1 and all(map(_is, (target.model for target in targets), asked.models))
    if same and chain.mode is Mode.SERVER:
        return 0
    if chain.mode is Mode.PROVIDER and asked.providers and _is(targets[0].model, asked.models[0]):
        own = tuple(target.provider for target in targets)
        return 0 if own == asked.providers else 1 if asked.providers[0] in own else 4
    if _is(targets[0].model, asked.models[0]):
        return 2
    return 3 if any(_is(target.model, asked.models[0]) for target in targets) else None


def _target(asked: Asked, chain: ChainConfig) -> Target | None:
    if chain.mode is not Mode.CLIENT or not asked.models:
        return None
    near = [
        (found, target.position)
        for target in chain.all_targets()
        if (found := closeness(target.model, asked.models[0], _NO_CATALOGUE)) is not None
    ]
    return chain.target(min(near)[1]) if near else None


def _is(configured: str, asked: str) -> bool:
    return closeness(configured, asked, _NO_CATALOGUE) is not None


def _models(model: str, models: object) -> tuple[str, ...]:
    """``model`` and ``models`` may stand beside each other (OpenRouter docs: Model Fallbacks); the first may repeat."""
    listed = _texts(models)
    return listed if not model or listed[:1] == (model,) else (model, *listed)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for item in value if (text := text_of(item))) if isinstance(value, list) else ()
