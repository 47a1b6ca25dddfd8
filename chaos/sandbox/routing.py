"""Who is called, and in which order: the routing of a request over the endpoints of its models. Pure.

Facts: OpenRouter docs, Provider Routing and Model Fallbacks. What they leave open is decided here: ``allow_fallbacks:
false`` keeps the listed (or the best) providers of each model, and still lets the next model be tried. Nothing is
remembered from one request to the next: a provider that has just failed is not put last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.sandbox.catalogue import MILLION, Endpoint, SandboxCatalogue
from chaos.sandbox.filters import Step, matches, steps
from chaos.sandbox.wanted import Rejected, Wanted

_SUFFIX_SORTS = {"nitro": "throughput", "floor": "price", "exacto": "exacto"}
_SOFT = ("tools", "response_format", "verbosity")
"""Parameters that steer towards the providers which have them, and never remove a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``endpoints`` in the order in which they are called; ``total`` is how many serve the models at all."""

    endpoints: tuple[Endpoint, ...]
    total: int


def route(wanted: Wanted, catalogue: SandboxCatalogue, rng: Random) -> Route | Rejected:
    """Filter, then order. ``rng`` makes the draw among providers (weighted by 1/price²) when nothing orders them."""
    pool = [endpoint for model in wanted.models for endpoint in catalogue.endpoints[model.id]]
    left, funnel = pool, [{"step": "Initial Endpoints", "endpoint_count": len(pool)}]
    for step in steps(wanted, pool):
        kept = [endpoint for endpoint in left if step.keeps(endpoint)]
        funnel.append({"step": step.name, "endpoint_count": len(kept)})
        if not kept:
            return _refused(step, funnel, wanted, left)
        left = kept
    ordered = _without_fallbacks(wanted, _ordered(wanted, left, rng))
    return Route(endpoints=tuple(ordered), total=len(pool))


def _refused(step: Step, funnel: list[dict[str, Any]], wanted: Wanted, before: Sequence[Endpoint]) -> Rejected:
    asks = wanted.preferences
    return Rejected(
        status=step.status,
        error_type=step.error_type,
        message=step.message,
        metadata={
            "failed_routing_step": step.name,
            "routing_funnel": funnel,
            "available_providers": sorted({endpoint.provider for endpoint in before}),
            "requested_providers": list(dict.fromkeys([*asks.order, *asks.only])),
        },
        availability={
            "code": step.availability,
            "retryable": False,
            "requested_models": list(wanted.asked),
            "excluded_by": [step.excluded_by],
        },
    )


def _ordered(wanted: Wanted, pool: Sequence[Endpoint], rng: Random) -> list[Endpoint]:
    """Each sort is stable, so the last one weighs most: what is preferred, then the model, then the listed order."""
    asks = wanted.preferences
    by = asks.sort or _SUFFIX_SORTS.get(wanted.asked[0].rpartition(":")[2])
    ranked = sorted(pool, key=_RANKS[by]) if by else _drawn(pool, rng)
    if soft := wanted.parameters & {*_SOFT}:
        ranked.sort(key=lambda e: not soft <= {*e.model.parameters})
    if asks.order:
        ranked.sort(key=lambda e: next((i for i, s in enumerate(asks.order) if matches(s, e)), len(asks.order)))
    if asks.partition == "model":
        place = {model.id: position for position, model in enumerate(wanted.models)}
        ranked.sort(key=lambda e: place[e.model.id])
    ranked.sort(key=lambda e: not _preferred(e, wanted))
    return ranked


_BITS = {"fp32": 32, "fp8": 8, "int8": 8, "fp6": 6, "fp4": 4, "int4": 4}
"""Precision stands for quality, which nothing else here tells apart."""

_RANKS: dict[str, Callable[[Endpoint], float]] = {
    "price": lambda e: e.prompt_price + e.completion_price,
    "latency": lambda e: e.first_token,
    "throughput": lambda e: -e.rate,
    "exacto": lambda e: -_BITS.get(e.quantization, 16),
}


def _drawn(pool: Sequence[Endpoint], rng: Random) -> list[Endpoint]:
    """Load balancing: a weighted draw without replacement (exponential keys), cheap providers first more often."""
    keys = {id(e): rng.expovariate(1.0) * max((e.prompt_price + e.completion_price) * MILLION, 0.01) ** 2 for e in pool}
    return sorted(pool, key=lambda e: keys[id(e)])


def _preferred(endpoint: Endpoint, wanted: Wanted) -> bool:
    """``preferred_*`` never exclude; they put aside what does not fit, even behind a fallback model."""
    asks = wanted.preferences
    return (asks.max_latency is None or endpoint.first_token <= asks.max_latency) and (
        asks.min_rate is None or endpoint.rate >= asks.min_rate
    )


def _without_fallbacks(wanted: Wanted, ordered: list[Endpoint]) -> list[Endpoint]:
    asks = wanted.preferences
    if asks.allow_fallbacks or asks.order or asks.only:
        return ordered  # the listed providers have been filtered for
    return list(_best_of_each(ordered))


def _best_of_each(ordered: list[Endpoint]) -> Iterator[Endpoint]:
    seen: set[str] = set()
    for endpoint in ordered:
        if endpoint.model.id not in seen:
            seen.add(endpoint.model.id)
            yield endpoint
