"""The rows of the read endpoints: models, endpoints, providers, a generation, the key. Pure.

Facts: the schemas of OpenRouter's official SDK, and the docs' Models guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaos.sandbox.answers import Said
from chaos.sandbox.catalogue import Endpoint, Model, Reasoning, SandboxCatalogue
from chaos.sandbox.replies import Exchange, usage
from monitor.clock import utc

_CREATED = 1735689600
_ENDPOINTS_HEAD = ("id", "name", "created", "description", "architecture")


def model_row(model: Model, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """A row of ``/models``; its price is that of the cheapest endpoint."""
    cheapest = min(endpoints, key=lambda one: one.prompt_price + one.completion_price)
    return {
        "id": model.id,
        "canonical_slug": model.canonical,
        "name": model.name,
        "created": _CREATED,
        "description": model.name,
        "context_length": model.context,
        "architecture": _architecture(model),
        "pricing": _pricing(cheapest),
        "top_provider": {
            "context_length": cheapest.context,
            "max_completion_tokens": cheapest.max_completion,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(model.parameters),
        "default_parameters": {},
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": model.expires,
        **_reasoning(model),
        "links": {"details": f"/api/v1/models/{model.canonical}/endpoints"},
    }


def endpoint_rows(model: Model, endpoints: Sequence[Endpoint], *, with_latency: bool) -> dict[str, Any]:
    """``with_latency``: only callers with a key are told how fast endpoints are."""
    row = model_row(model, endpoints)
    rows = [endpoint_row(one, with_latency=with_latency) for one in endpoints]
    return {**{key: row[key] for key in _ENDPOINTS_HEAD}, "endpoints": rows}


def endpoint_row(one: Endpoint, *, with_latency: bool) -> dict[str, Any]:
    latency, rate = (1000 * one.first_token, one.rate) if with_latency else (None, None)
    tools = "tools" in one.model.parameters
    return {
        "name": f"{one.display} | {one.model.canonical}",
        "model_id": one.model.id,
        "model_name": one.model.name,
        "provider_name": one.display,
        "tag": one.tag,
        "status": one.status,
        "context_length": one.context,
        "max_prompt_tokens": None,
        "max_completion_tokens": one.max_completion,
        "pricing": _pricing(one),
        "quantization": one.quantization,
        "service_tier": None,
        "supported_parameters": list(one.model.parameters),
        "supports_tool_choice": dict.fromkeys(("auto", "function", "none", "required"), tools),
        "supports_implicit_caching": False,
        "supports_diarization": False,
        "native_tools": {},
        **dict(zip(("uptime_last_5m", "uptime_last_30m", "uptime_last_1d"), one.uptime, strict=True)),
        "latency_last_30m": _percentiles(latency, (1.0, 1.2, 1.5, 2.0)),
        "throughput_last_30m": _percentiles(rate, (1.0, 1.1, 1.2, 1.3)),
    }


def provider_rows(catalogue: SandboxCatalogue) -> list[dict[str, Any]]:
    unsaid = ("privacy_policy_url", "terms_of_service_url", "status_page_url", "headquarters", "datacenters")
    return [{"name": name, "slug": slug, **dict.fromkeys(unsaid)} for slug, name in catalogue.providers.items()]


def key_row(spent: float) -> dict[str, Any]:
    """``spent`` in USD: everything since the sandbox started counts as today's."""
    periods = ("usage", "usage_daily", "usage_weekly", "usage_monthly")
    unsaid = ("limit", "limit_remaining", "limit_reset", "expires_at", "creator_user_id", "organization_id")
    return {
        "label": "sandbox",
        **dict.fromkeys(unsaid),
        "workspace_id": None,
        "effective_budget": None,
        **dict.fromkeys(periods, spent),
        **{f"byok_{name}": 0 for name in periods},
        "include_byok_in_limit": False,
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "allowed_data_regions": [],
        "budgets": [],
        "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
        "rate_limit": {"requests": -1, "interval": "10s", "note": "obsolete"},
    }


def generation_row(exchange: Exchange, said: Said | None, *, cancelled: bool, seconds: float) -> dict[str, Any]:
    """The record of a call; ``said`` None when nobody answered. Where the router is silent here, so is the record."""
    cost = usage(exchange, said)["cost"] if said and not cancelled else 0
    spent = said.completion_tokens if said else 0
    unsaid = (
        "app_id", "cache_discount", "external_user", "http_referer", "moderation_latency", "native_tokens_cached",
        "native_tokens_completion_images", "num_fetches", "num_input_audio_prompt", "num_media_completion",
        "num_media_prompt", "num_search_results", "preset_id", "router", "service_tier", "upstream_id",
        "upstream_inference_cost", "user_agent", "web_search_engine", "workspace_id", "response_cache_source_id",
    )  # fmt: skip
    return {
        **dict.fromkeys(unsaid),
        "id": exchange.id,
        "request_id": exchange.id.replace("gen-", "req-"),
        "session_id": exchange.wanted.body.get("session_id"),
        "created_at": utc(exchange.created),
        "api_type": "completions",
        "data_region": "global",
        "model": exchange.endpoint.model.canonical,
        "provider_name": exchange.endpoint.display,
        "provider_responses": _responses(exchange),
        "streamed": exchange.wanted.stream,
        "cancelled": cancelled,
        "latency": round(seconds * 1000),
        "generation_time": round(seconds * 1000),
        "finish_reason": said.finish if said else "error",
        "native_finish_reason": said.finish if said else "error",
        "tokens_prompt": exchange.wanted.prompt_tokens,
        "tokens_completion": spent,
        "native_tokens_prompt": exchange.wanted.prompt_tokens,
        "native_tokens_completion": spent,
        "native_tokens_reasoning": said.reasoning_tokens if said else 0,
        "total_cost": cost,
        "usage": cost,
        "is_byok": False,
        "origin": "",
    }


def _responses(exchange: Exchange) -> list[dict[str, Any]]:
    return [
        {
            "status": one.status,
            "provider_name": one.endpoint.display,
            "model_permaslug": one.endpoint.model.canonical,
            "latency": round(one.seconds * 1000),
            "endpoint_id": f"{one.endpoint.tag}/{one.endpoint.model.id}",
            "is_byok": False,
        }
        for one in exchange.tried
    ]


def _architecture(model: Model) -> dict[str, Any]:
    modalities = sorted(model.input, reverse=True)
    return {
        "modality": f"{'+'.join(modalities)}->text",
        "input_modalities": modalities,
        "output_modalities": ["text"],
        "tokenizer": "Other",
        "instruct_type": None,
    }


def _reasoning(model: Model) -> Mapping[str, Any]:
    """Left out for models that never reason."""
    if model.reasoning is Reasoning.NONE:
        return {}
    mandatory = model.reasoning is Reasoning.MANDATORY
    return {"reasoning": {"mandatory": mandatory, "default_enabled": mandatory}}


def _pricing(one: Endpoint) -> dict[str, Any]:
    prices = {"prompt": _usd(one.prompt_price), "completion": _usd(one.completion_price)}
    return {**prices, "request": "0", "image": "0", "discount": 0}


def _usd(price: float) -> str:
    return f"{price:.12f}".rstrip("0").rstrip(".") or "0"


def _percentiles(middle: float | None, spread: tuple[float, ...]) -> dict[str, float] | None:
    if middle is None:
        return None
    return {name: round(middle * factor, 3) for name, factor in zip(("p50", "p75", "p90", "p99"), spread, strict=True)}
