"""The ``provider`` object of a request: where it may go, and in which order. Pure.

Fact: OpenRouter docs, Provider Routing. What is of a wrong type is refused (400); unknown fields are let pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.reading import number

_SORTS = ("price", "throughput", "latency", "exacto")
_PARTITIONS = ("model", "none")
_ROUTES = {"fallback": "model", "sort": "none"}
"""``route`` is a deprecated alias of ``provider.sort.partition``."""
_PERCENTILES = ("p50", "p75", "p90", "p99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """``max_price`` in USD per million tokens, ``max_latency`` in seconds, ``min_rate`` in tokens per second."""

    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = ()
    allow_fallbacks: bool = True
    require_parameters: bool = False
    deny_collection: bool = False
    zdr: bool = False
    sort: str | None = None
    partition: str = "model"
    max_price: Mapping[str, float] = field(default_factory=dict)
    max_latency: float | None = None
    min_rate: float | None = None


def read_preferences(provider: Any, route: Any) -> Preferences:
    """Raises ValueError with the text of the refusal."""
    if provider is None:
        provider = {}
    if not isinstance(provider, dict):
        raise ValueError("provider: expected an object")  # noqa: TRY004 - bad input is answered, never raised further
    by, partition = _sort(provider.get("sort"), route)
    return Preferences(
        order=_slugs(provider, "order"),
        only=_slugs(provider, "only"),
        ignore=_slugs(provider, "ignore"),
        quantizations=_slugs(provider, "quantizations"),
        allow_fallbacks=_flag(provider, "allow_fallbacks", default=True),
        require_parameters=_flag(provider, "require_parameters"),
        deny_collection=_choice(provider.get("data_collection"), "data_collection", ("allow", "deny")) == "deny",
        zdr=_flag(provider, "zdr"),
        sort=by,
        partition=partition,
        max_price=_prices(provider.get("max_price")),
        max_latency=_bound(provider, "preferred_max_latency"),
        min_rate=_bound(provider, "preferred_min_throughput"),
    )


def _sort(sort: Any, route: Any) -> tuple[str | None, str]:
    aliased = _ROUTES[route] if isinstance(route, str) and route in _ROUTES else "model"
    if not isinstance(sort, dict):
        return _choice(sort, "sort", _SORTS), aliased
    return _choice(sort.get("by"), "sort.by", _SORTS), _choice(
        sort.get("partition"), "sort.partition", _PARTITIONS
    ) or aliased


def _slugs(provider: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = provider.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"provider.{name}: expected an array of strings")
    return tuple(one.lower() for one in value)


def _flag(provider: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = provider.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ValueError(f"provider.{name}: expected a boolean")  # noqa: TRY004 - as above
    return value


def _choice(value: Any, name: str, allowed: tuple[str, ...]) -> str | None:
    if value is not None and (not isinstance(value, str) or value not in allowed):
        raise ValueError(f"provider.{name}: expected one of {', '.join(allowed)}")
    return value


def _prices(value: Any) -> Mapping[str, float]:
    """As numbers or as text: the docs show the one, the schema the other."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("provider.max_price: expected an object")  # noqa: TRY004 - as above
    prices = {}
    for name in ("prompt", "completion"):
        if value.get(name) is not None:
            price = number(value[name])
            if price is None:
                raise ValueError(f"provider.max_price.{name}: expected a number")
            prices[name] = price
    return prices


def _bound(provider: Mapping[str, Any], name: str) -> float | None:
    """A number, or one for each percentile: endpoints here are so steady that the first one given will do."""
    value = provider.get(name)
    if isinstance(value, dict):
        value = next((value[one] for one in _PERCENTILES if value.get(one) is not None), None)
    if value is None:
        return None
    bound = number(value)
    if bound is None:
        raise ValueError(f"provider.{name}: expected a number")
    return bound
