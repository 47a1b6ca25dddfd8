"""What a LiteLLM proxy says of its model groups, as values. Pure; any document will do.

Facts: LiteLLM docs "Model Management" (``/v1/model/info``: costs in USD per token from its price map, or from
``model_info`` of its config), checked against version 1.106. A model that the map does not know has no cost there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from monitor.offering import ModelEntry, Offer, Price
from monitor.offers import UNKNOWN_PRICE
from monitor.reading import mapping, number, text_of


def read_groups(document: Any) -> dict[str, ModelEntry]:
    """``GET /v1/model/info`` by group. An offer is a deployment, named by its id; a group costs what its dearest does,
    and that is not known when the price of one of them is not."""
    rows = mapping(document).get("data")
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in map(mapping, rows if isinstance(rows, list) else ()):
        if name := text_of(row.get("model_name")):
            groups.setdefault(name, []).append(mapping(row.get("model_info")))
    return {name: _entry(name, deployments) for name, deployments in groups.items()}


def _entry(name: str, deployments: list[Mapping[str, Any]]) -> ModelEntry:
    offers = tuple(_offer(info) for info in deployments if text_of(info.get("id")))
    return ModelEntry(
        id=name,
        canonical=name,
        price=_dearest([_price(info) for info in deployments]),
        context_length=_least(info.get("max_input_tokens") for info in deployments),
        max_completion_tokens=_least(info.get("max_output_tokens") for info in deployments),
        reasoning=any(info.get("supports_reasoning") is not False for info in deployments),  # unsaid, it may be one
        offers=offers,
    )


def _offer(info: Mapping[str, Any]) -> Offer:
    identity = text_of(info.get("id"))
    return Offer(
        provider=identity,
        tag=identity,
        name=identity,
        price=_price(info),
        context_length=_least([info.get("max_input_tokens")]),
        max_completion_tokens=_least([info.get("max_output_tokens")]),
    )


def _price(info: Mapping[str, Any]) -> Price:
    prompt, completion = number(info.get("input_cost_per_token")), number(info.get("output_cost_per_token"))
    if prompt is None or completion is None or prompt < 0 or completion < 0:
        return UNKNOWN_PRICE
    return Price(
        prompt=prompt, completion=completion, request=max(0.0, number(info.get("input_cost_per_query")) or 0.0)
    )


def _dearest(prices: list[Price]) -> Price:
    if UNKNOWN_PRICE in prices:
        return UNKNOWN_PRICE
    return Price(
        prompt=max(price.prompt for price in prices),
        completion=max(price.completion for price in prices),
        request=max(price.request for price in prices),
    )


def _least(values: Iterable[Any]) -> int | None:
    known = [int(found) for value in values if (found := number(value)) is not None and found > 0]
    return min(known, default=None)
