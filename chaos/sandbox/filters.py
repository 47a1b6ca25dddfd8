"""The steps that remove endpoints from a request's pool, each with the refusal when none is left. Pure.

Facts: OpenRouter docs, Provider Routing; the names of the steps and the texts are those that users have captured. The
names of the steps for prices and for completion limits have not been seen and are worded alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chaos.sandbox.catalogue import MILLION, Endpoint
from chaos.sandbox.wanted import Wanted

COMPRESSED_BELOW = 8192
"""Endpoints with this context or less leave the middle of a long prompt out, unless that is switched off."""
_ALIASES = frozenset({"max_completion_tokens"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``excluded_by`` and ``availability`` are the words of ``error.availability``."""

    name: str
    keeps: Callable[[Endpoint], bool]
    message: str
    excluded_by: str
    availability: str = "constraint_filtered"
    status: int = 404
    error_type: str = "not_found"


def matches(slug: str, endpoint: Endpoint) -> bool:
    """A base slug matches all regions and variants of its provider."""
    return slug in (endpoint.tag, endpoint.provider) or endpoint.tag.startswith(f"{slug}/")


def compresses(wanted: Wanted, endpoint: Endpoint) -> bool:
    """Whether the prompt is shortened to fit rather than refused."""
    return wanted.compresses and endpoint.context <= COMPRESSED_BELOW


def steps(wanted: Wanted, pool: Sequence[Endpoint]) -> Iterator[Step]:
    yield from _by_provider(wanted, pool)
    yield from _by_size(wanted, pool)
    yield from _by_ability(wanted, pool)
    yield from _by_policy(wanted)


def _by_provider(wanted: Wanted, pool: Sequence[Endpoint]) -> Iterator[Step]:
    asks = wanted.preferences
    serving = f"Providers serving {wanted.asked[0]}: {', '.join(sorted({endpoint.provider for endpoint in pool}))}"
    if asks.only:
        yield Step(
            name="Filter by Allowed Providers",
            keeps=lambda e: any(matches(slug, e) for slug in asks.only),
            message=f"No allowed providers are available for the selected model. {serving}",
            excluded_by="allowed_providers",
        )
    if asks.ignore:
        yield Step(
            name="Filter by Ignored Providers",
            keeps=lambda e: not any(matches(slug, e) for slug in asks.ignore),
            message=f"All providers have been ignored. {serving}",
            excluded_by="allowed_providers",
        )
    if asks.order and not asks.allow_fallbacks:
        yield Step(
            name="Filter by Fallback",
            keeps=lambda e: any(matches(slug, e) for slug in asks.order),
            message=f"No allowed providers are available for the selected model. {serving}",
            excluded_by="allowed_providers",
        )


def _by_size(wanted: Wanted, pool: Sequence[Endpoint]) -> Iterator[Step]:
    longest = max(endpoint.context for endpoint in pool)
    yield Step(
        name="Filter by Context Length",
        keeps=lambda e: wanted.prompt_tokens < e.context or compresses(wanted, e),
        message=(
            f"This endpoint's maximum context length is {longest} tokens. However, you requested about "
            f"{wanted.prompt_tokens} tokens. Please reduce the length of the prompt."
        ),
        excluded_by="context_length",
        status=400,
        error_type="context_length_exceeded",
    )
    if (limit := wanted.max_tokens) is not None:
        yield Step(
            name="Filter by Max Tokens",
            keeps=lambda e: limit <= e.max_completion,
            message=f"No endpoints found for {wanted.asked[0]} that can write {limit} tokens",
            excluded_by="context_length",
        )


def _by_ability(wanted: Wanted, pool: Sequence[Endpoint]) -> Iterator[Step]:
    asks = wanted.preferences
    if asks.require_parameters:
        yield Step(
            name="Filter by Parameters",
            keeps=lambda e: wanted.parameters <= {*e.model.parameters, *_ALIASES},
            message="No endpoints found that can handle the requested parameters.",
            excluded_by="require_parameters",
        )
    if asks.quantizations:
        yield Step(
            name="Filter by Quantization",
            keeps=lambda e: e.quantization in asks.quantizations,
            message=f"No endpoints found for {wanted.asked[0]} with the requested quantization",
            excluded_by="quantization",
        )
    if wanted.has_image:
        yield Step(
            name="Filter by Image Support",
            keeps=lambda e: "image" in e.model.input,
            message="No endpoints found that support image input",
            excluded_by="require_parameters",
        )
    if "tools" in wanted.parameters and not any("tools" in e.model.parameters for e in pool):
        yield Step(  # a soft preference otherwise: nobody is removed while somebody can
            name="Filter by Tool Compatibility",
            keeps=lambda e: "tools" in e.model.parameters,
            message="No endpoints found that support tool use",
            excluded_by="require_parameters",
        )


def _by_policy(wanted: Wanted) -> Iterator[Step]:
    asks = wanted.preferences
    if asks.zdr or asks.deny_collection:
        policy = "Zero data retention" if asks.zdr else "Paid model training"
        yield Step(
            name="Filter by Data Policy",
            keeps=lambda e: (e.zdr or not asks.zdr) and not (e.trains and asks.deny_collection),
            message=f"No endpoints found matching your data policy ({policy})",
            excluded_by="data_policy:zdr" if asks.zdr else "data_policy:training",
            availability="privacy_restricted",
        )
    if asks.max_price:
        yield Step(
            name="Filter by Max Price",
            keeps=lambda e: _affordable(e, wanted),
            message=f"No endpoints found for {wanted.asked[0]} within the maximum price",
            excluded_by="max_price",
        )


def _affordable(endpoint: Endpoint, wanted: Wanted) -> bool:
    prices = {"prompt": endpoint.prompt_price, "completion": endpoint.completion_price}
    return all(prices[name] * MILLION <= most + 1e-9 for name, most in wanted.preferences.max_price.items())
