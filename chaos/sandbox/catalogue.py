"""What the sandbox offers: models, providers, and for each pair its price, speed and limits; from one small file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

DYNAMIC_SUFFIXES = ("nitro", "floor", "exacto", "online")
"""Suffixes that any model takes and that only change the order of providers (OpenRouter docs: model variants)."""
MILLION = 1_000_000


class Reasoning(StrEnum):
    """Whether a model thinks before it answers: never, when asked to, or always."""

    NONE = "none"
    OPTIONAL = "optional"
    MANDATORY = "mandatory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One entry of ``/models``."""

    id: str
    canonical: str
    name: str
    context: int
    max_completion: int
    input: frozenset[str]
    reasoning: Reasoning
    parameters: tuple[str, ...]
    expires: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One model at one provider, with its own limits. Prices in USD per token, ``first_token`` in seconds, ``rate`` in
    tokens per second.

    ``status`` 0 is operational; ``uptime`` is that of 5 minutes, 30 minutes and a day, in percent.
    ``least_tokens``: a smaller ``max_tokens`` is refused by the provider, as those behind OpenAI's Responses API do.
    """

    model: Model
    provider: str
    display: str
    tag: str
    context: int
    max_completion: int
    least_tokens: int
    prompt_price: float
    completion_price: float
    first_token: float
    rate: float
    quantization: str
    zdr: bool
    trains: bool
    status: int = 0
    uptime: tuple[float, float, float] = (100.0, 100.0, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCatalogue:
    """``endpoints``: model id -> its endpoints in file order. ``providers``: slug -> display name."""

    models: Mapping[str, Model]
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    providers: Mapping[str, str]

    def find(self, name: str) -> Model | None:
        """By id, by dated canonical slug, or with a dynamic suffix."""
        base, _, suffix = name.rpartition(":")
        plain = base if base and suffix in DYNAMIC_SUFFIXES else name
        return self.models.get(plain) or next((one for one in self.models.values() if one.canonical == plain), None)


@cache
def shipped() -> SandboxCatalogue:
    return parse(yaml.safe_load(files(__package__).joinpath("catalogue.yaml").read_text(encoding="utf-8")))


def parse(raw: Mapping[str, Any]) -> SandboxCatalogue:
    """From the form of ``catalogue.yaml``. Raises KeyError for a missing setting."""
    providers: Mapping[str, str] = raw["providers"]
    models = {id_: _model(id_, entry) for id_, entry in raw["models"].items()}
    endpoints = {
        id_: tuple(_endpoint(models[id_], slug, providers[slug], offer) for slug, offer in entry["offers"].items())
        for id_, entry in raw["models"].items()
    }
    return SandboxCatalogue(models=models, endpoints=endpoints, providers=providers)


def _model(id_: str, entry: Mapping[str, Any]) -> Model:
    return Model(
        id=id_,
        canonical=entry["canonical"],
        name=entry["name"],
        context=entry["context"],
        max_completion=entry["max_completion"],
        input=frozenset(entry["input"]),
        reasoning=Reasoning(entry.get("reasoning", "none")),
        parameters=tuple(entry["parameters"]),
    )


def _endpoint(model: Model, slug: str, display: str, offer: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        model=model,
        provider=slug,
        display=display,
        tag=offer.get("tag", slug),
        context=offer.get("context", model.context),
        max_completion=offer.get("max_completion", model.max_completion),
        least_tokens=offer.get("least_tokens", 1),
        prompt_price=offer["prompt"] / MILLION,
        completion_price=offer["completion"] / MILLION,
        first_token=offer["first_token"],
        rate=offer["rate"],
        quantization=offer.get("quantization", "unknown"),
        zdr=offer.get("zdr", False),
        trains=offer.get("trains", False),
    )
