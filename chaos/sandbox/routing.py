"""Who is called, and in which order: the routing of a request over the endpoints of its models. Pure.

Facts: OpenRouter docs, Provider Routing and Model Fallbacks. What they leave open is decided here: ``allow_fallbacks:
false`` keeps the listed (or the best) providers of each model, and still lets the next model be tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.sandbox.catalogue import MILLION, Endpoint, SandboxCatalogue
from chaos.sandbox.wanted import Rejected, Wanted

DEFAULT_COMPLETION = 16
_SUFFIX_SORTS = {"nitro": "throughput", "floor": "price", "exacto": "throughput"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``endpoints`` in the order in which they are called; ``total`` is how many serve the models at all."""

    endpoints: tuple[Endpoint, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    keeps: Callable[[Endpoint], bool]
    refusal: Callable[[], Rejected]


def route(wanted: Wanted, catalogue: SandboxCatalogue, rng: Random) -> Route | Rejected:
    """Filter, then order. ``rng`` makes the draw among providers (weighted by 1/price²) when nothing orders them."""
    pool = [endpoint for model in wanted.models for endpoint in catalogue.endpoints[model.id]]
    left, funnel = pool, [{"step": "Initial Endpoints", "endpoint_count": len(pool)}]
    for step in _steps(wanted, pool):
        kept = [endpoint for endpoint in left if step.keeps(endpoint)]
        funnel.append({"step": step.name, "endpoint_count": len(kept)})
        if not kept:
            return _with_funnel(step, funnel, wanted, left)
        left = kept
    ordered = _without_fallbacks(wanted, _ordered(wanted, left, rng))
    return Route(endpoints=tuple(ordered), total=len(pool))


def matches(slug: str, endpoint: Endpoint) -> bool:
    """A base slug matches all regions and variants of its provider."""
    return slug in (endpoint.tag, endpoint.provider) or endpoint.tag.startswith(f"{slug}/")


def _steps(wanted: Wanted, pool: Sequence[Endpoint]) -> Iterable[_Step]:
    asks = wanted.provider
    serving = ", ".join(sorted({endpoint.provider for endpoint in pool}))
    first = wanted.asked[0]

    def refused(message: str, error_type: str = "not_found", status: int = 404) -> Callable[[], Rejected]:
        return lambda: Rejected(status=status, error_type=error_type, message=message, routed=True)

    if only := _slugs(asks.get("only")):
        text = f"No allowed providers are available for the selected model. Providers serving {first}: {serving}"
        yield _Step(
            name="Filter by Allowed Providers", keeps=lambda e: any(matches(s, e) for s in only), refusal=refused(text)
        )
    if ignored := _slugs(asks.get("ignore")):
        text = f"All providers have been ignored. Providers serving {first}: {serving}"
        yield _Step(
            name="Filter by Ignored Providers",
            keeps=lambda e: not any(matches(s, e) for s in ignored),
            refusal=refused(text),
        )
    needed = wanted.prompt_tokens + min(wanted.max_tokens or DEFAULT_COMPLETION, DEFAULT_COMPLETION)
    longest = max(endpoint.model.context for endpoint in pool)
    text = f"This endpoint's maximum context length is {longest} tokens. However, you requested about {needed} tokens."
    yield _Step(
        name="Filter by Context Length",
        keeps=lambda e: needed <= e.model.context,
        refusal=refused(text, "context_length_exceeded", 400),
    )
    if wanted.max_tokens is not None:
        limit = wanted.max_tokens
        yield _Step(
            name="Filter by Max Completion Tokens",
            keeps=lambda e: limit <= e.model.max_completion,
            refusal=refused(f"No endpoints found for {first}."),
        )
    if asks.get("require_parameters") is True:
        text = "No endpoints found that can handle the requested parameters."
        yield _Step(
            name="Filter by Parameters",
            keeps=lambda e: wanted.parameters <= {*e.model.parameters, "max_completion_tokens"},
            refusal=refused(text),
        )
    if quantizations := _slugs(asks.get("quantizations")):
        yield _Step(
            name="Filter by Quantization",
            keeps=lambda e: e.quantization in quantizations,
            refusal=refused(f"No endpoints found for {first}."),
        )
    if wanted.has_image:
        yield _Step(
            name="Filter by Image Support",
            keeps=lambda e: "image" in e.model.input,
            refusal=refused("No endpoints found that support image input"),
        )
    if asks.get("data_collection") == "deny" or asks.get("zdr") is True:
        text = (
            "No endpoints found matching your data policy (Zero data retention)."
            if asks.get("zdr")
            else "No endpoints found matching your data policy (Paid model training)."
        )
        yield _Step(name="Filter by Data Policy", keeps=lambda e: _private(e, asks), refusal=refused(text))
    if isinstance(asks.get("max_price"), dict):
        yield _Step(
            name="Filter by Max Price",
            keeps=lambda e: _affordable(e, asks["max_price"]),
            refusal=refused(f"No endpoints found for {first}."),
        )


def _private(endpoint: Endpoint, asks: Mapping[str, Any]) -> bool:
    return (endpoint.zdr or asks.get("zdr") is not True) and not (
        endpoint.trains and asks.get("data_collection") == "deny"
    )


def _affordable(endpoint: Endpoint, most: Mapping[str, Any]) -> bool:
    """``max_price`` is in USD per million tokens, as a number or as text."""
    prices = {"prompt": endpoint.prompt_price, "completion": endpoint.completion_price}
    return all(
        price * MILLION <= float(most[name]) + 1e-9 for name, price in prices.items() if _is_number(most.get(name))
    )


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _with_funnel(step: _Step, funnel: list[dict[str, Any]], wanted: Wanted, before: Sequence[Endpoint]) -> Rejected:
    refusal = step.refusal()
    asked = [*_slugs(wanted.provider.get("order")), *_slugs(wanted.provider.get("only"))]
    metadata = {
        "failed_routing_step": step.name,
        "routing_funnel": funnel,
        "available_providers": sorted({endpoint.provider for endpoint in before}),
        "requested_providers": asked,
    }
    return Rejected(
        status=refusal.status, error_type=refusal.error_type, message=refusal.message, metadata=metadata, routed=True
    )


def _ordered(wanted: Wanted, pool: Sequence[Endpoint], rng: Random) -> list[Endpoint]:
    by, partition = _sort(wanted)
    order = _slugs(wanted.provider.get("order"))
    ranked = sorted(pool, key=_rank(by)) if by else _drawn(pool, rng)
    if "tools" in wanted.parameters or "response_format" in wanted.parameters:
        ranked = sorted(
            ranked, key=lambda e: not (wanted.parameters & {"tools", "response_format"}) <= set(e.model.parameters)
        )
    if order:
        ranked = sorted(ranked, key=lambda e: next((i for i, slug in enumerate(order) if matches(slug, e)), len(order)))
    if partition == "model":
        place = {model.id: position for position, model in enumerate(wanted.models)}
        ranked = sorted(ranked, key=lambda e: place[e.model.id])
    return sorted(ranked, key=lambda e: not _preferred(e, wanted.provider))


def _sort(wanted: Wanted) -> tuple[str | None, str]:
    sort = wanted.provider.get("sort")
    by, partition = (sort.get("by"), sort.get("partition") or "model") if isinstance(sort, dict) else (sort, "model")
    suffix = wanted.asked[0].rpartition(":")[2]
    return by or _SUFFIX_SORTS.get(suffix), partition


def _rank(by: str) -> Callable[[Endpoint], float]:
    ranks: dict[str, Callable[[Endpoint], float]] = {
        "price": lambda e: e.prompt_price + e.completion_price,
        "latency": lambda e: e.first_token,
    }
    return ranks.get(by, lambda e: -e.rate)


def _drawn(pool: Sequence[Endpoint], rng: Random) -> list[Endpoint]:
    """Load balancing: a weighted draw without replacement (exponential keys), cheap providers first more often."""
    return sorted(pool, key=lambda e: rng.expovariate(1.0) * max(e.prompt_price + e.completion_price, 1e-9) ** 2)


def _preferred(endpoint: Endpoint, asks: Mapping[str, Any]) -> bool:
    """``preferred_*`` never exclude; they put aside what does not fit, even behind a fallback model."""
    slowest, least = _bound(asks.get("preferred_max_latency")), _bound(asks.get("preferred_min_throughput"))
    return (slowest is None or endpoint.first_token <= slowest) and (least is None or endpoint.rate >= least)


def _bound(value: Any) -> float | None:
    if isinstance(value, dict):
        value = next((one for one in value.values() if _is_number(one)), None)
    return float(value) if _is_number(value) else None


def _without_fallbacks(wanted: Wanted, ordered: list[Endpoint]) -> list[Endpoint]:
    if wanted.provider.get("allow_fallbacks") is not False:
        return ordered
    listed = [*_slugs(wanted.provider.get("order")), *_slugs(wanted.provider.get("only"))]
    if listed:
        return [endpoint for endpoint in ordered if any(matches(slug, endpoint) for slug in listed)] or ordered[:1]
    best = {endpoint.model.id: endpoint for endpoint in reversed(ordered)}
    return [endpoint for endpoint in ordered if best[endpoint.model.id] is endpoint]


def _slugs(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
