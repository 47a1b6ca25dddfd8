"""Which targets rely on what an endpoint offers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.model import Config
from monitor.findings import Use
from monitor.model import Target


def models_in_use(config: Config, endpoint: str) -> tuple[str, ...]:
    """The model ids of an endpoint that some chain names, as they are written."""
    return tuple(sorted({target.model for target in _targets(config, endpoint)}))


def uses(config: Config, endpoint: str, model: str, tag: str | None = None) -> tuple[Use, ...]:
    """The targets of a model; with a provider's ``tag`` those that this provider may serve."""
    found = []
    for target in _targets(config, endpoint):
        listed = config.chain(target.chain).targets[target.position].pinned
        pins = [target.provider] if target.provider else listed
        pinned = tag is not None and any(base(pin) == base(tag) for pin in pins)
        if target.model == model and (tag is None or pinned or target.provider is None):
            found.append(Use(chain=target.chain, label=target.label, position=target.position, pinned=pinned))
    return tuple(found)


def uses_of_endpoint(config: Config, endpoint: str) -> tuple[Use, ...]:
    """Every chain that is asked there."""
    return tuple(dict.fromkeys(Use(chain=target.chain) for target in _targets(config, endpoint)))


def uses_of_free_models(config: Config, endpoint: str) -> tuple[Use, ...]:
    """The targets of models that cost nothing and are counted by the day."""
    return tuple(
        Use(chain=target.chain, label=target.label, position=target.position)
        for target in _targets(config, endpoint)
        if target.model.endswith(":free")
    )


def base(slug: str) -> str:
    """The provider behind a region or a variant of it (OpenRouter docs: Provider Routing)."""
    return slug.partition("/")[0]


def _targets(config: Config, endpoint: str) -> Iterator[Target]:
    for chain in config.chains:
        yield from (target for target in chain.all_targets() if target.endpoint == endpoint)
