"""What a LiteLLM proxy tells of its settings, where the key may read them. Pure.

Facts: LiteLLM docs "Model Management", "Fallbacks"; its routes ``/v1/model/info``, ``/fallback/{model}`` and
``/router/settings``, checked against version 1.106.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.comparison import Standing
from monitor.config.model import ChainConfig
from monitor.model import Mode
from monitor.reading import mapping, number, text_of

INFO, SETTINGS = "/v1/model/info", "/router/settings"


def fallback_path(group: str) -> str:
    return f"/fallback/{group}"


def read_standing(chain: ChainConfig, info: Any, fallbacks: Any, settings: Any) -> Standing:
    """``info``, ``fallbacks`` and ``settings`` are the documents of the routes, None where one was not to be had.

    An error object in place of ``fallbacks`` is the proxy's word that there are none.
    """
    found = mapping(info).get("data")
    deployments = [mapping(item) for item in found] if isinstance(found, list) else []
    groups = frozenset(text_of(item.get("model_name")) for item in deployments)
    general = number(mapping(mapping(settings).get("current_values")).get("timeout"))
    first = chain.target(0).model
    if chain.mode is Mode.PROVIDER:
        own = [item for item in deployments if item.get("model_name") == first]
        ranked = sorted(own, key=lambda item: number(mapping(item.get("litellm_params")).get("order")) or 0.0)
        rungs: tuple[str, ...] | None = tuple(map(_identity, ranked)) if own else None
    else:
        rungs = _walk(first, fallbacks) if chain.mode is Mode.SERVER else None
    waits: dict[str, float] = {}
    for item in deployments:
        wait = number(mapping(item.get("litellm_params")).get("timeout")) or general
        for name in (text_of(item.get("model_name")), _identity(item)):
            if wait is not None:
                waits[name] = max(wait, waits.get(name, 0.0))
    return Standing(models=groups if deployments else None, rungs=rungs, providers=_served(deployments), waits=waits)


def _walk(first: str, fallbacks: Any) -> tuple[str, ...] | None:
    if not isinstance(fallbacks, Mapping):
        return None
    named = fallbacks.get("fallback_models")
    rest = [text_of(mapping(one).get("model")) or text_of(one) for one in named] if isinstance(named, list) else []
    return tuple(dict.fromkeys([first, *rest]))


def _served(deployments: list[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    served: dict[str, tuple[str, ...]] = {}
    for item in deployments:
        group = text_of(item.get("model_name"))
        served[group] = (*served.get(group, ()), _identity(item))
    return served


def _identity(deployment: Mapping[str, Any]) -> str:
    return text_of(mapping(deployment.get("model_info")).get("id"))
