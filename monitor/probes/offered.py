"""What is offered where a question goes: a client chain may ask at several endpoints. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from monitor.config.model import ChainConfig
from monitor.model import Target
from monitor.naming import find_entry
from monitor.offering import Catalogue, ModelEntry


def offered(chain: ChainConfig, target: Target | None, catalogue: Callable[[str], Catalogue]) -> Catalogue:
    """The catalogue of the target's endpoint; of a whole chain those of all its endpoints in one.

    ``catalogue`` takes an endpoint's name. Where two endpoints have a model of one name, the dearer entry holds, so
    that an estimate stays an upper bound.
    """
    if target is not None:
        return catalogue(target.endpoint)
    if len(chain.endpoints) == 1:
        return catalogue(chain.endpoints[0])
    targets, parts = chain.all_targets(), [catalogue(name) for name in chain.endpoints]
    models: dict[str, ModelEntry] = {}
    for part in reversed(parts):
        models.update(part.models)
    for one in targets:
        entry = find_entry(one.model, catalogue(one.endpoint))
        if entry is not None:
            models[one.model] = _dearer(entry, models.get(one.model, entry))
    providers = {name: slug for part in reversed(parts) for name, slug in part.providers.items()}
    return replace(parts[0], models=models, providers=providers)


def _dearer(one: ModelEntry, other: ModelEntry) -> ModelEntry:
    return max(one, other, key=lambda entry: entry.price.prompt + entry.price.completion)
