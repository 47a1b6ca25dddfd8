"""The JSON that the sandbox sends, in OpenRouter's shapes (fact sheet: response, streaming, errors). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.faults.shape import error_object
from chaos.model import ErrorReply
from chaos.sandbox.answers import Said
from chaos.sandbox.catalogue import Endpoint, Model, SandboxCatalogue
from chaos.sandbox.wanted import Rejected, Wanted

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": OPENROUTER PROCESSING\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One endpoint that was called, and how it answered."""

    endpoint: Endpoint
    status: int
    error: ErrorReply | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One completion as far as it has come; everything that a reply says is in here."""

    id: str
    created: int
    wanted: Wanted
    available: Sequence[Endpoint]
    tried: Sequence[Tried]
    metadata: bool

    @property
    def endpoint(self) -> Endpoint:
        return self.tried[-1].endpoint


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def event(value: Any) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


def completion(exchange: Exchange, said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.content, "refusal": None}
    if said.tool_calls:
        message |= {"content": None, "tool_calls": list(said.tool_calls)}
    if said.reasoning_tokens:
        message["reasoning"] = "Thinking it over."
    choice = {
        "index": 0, "message": message, "logprobs": None, "finish_reason": said.finish,
        "native_finish_reason": said.finish,
    }  # fmt: skip
    body = {**_head(exchange, "chat.completion"), "choices": [choice], "usage": usage(exchange, said)}
    return {**body, **metadata(exchange)}


def chunks(exchange: Exchange, said: Said) -> Iterator[dict[str, Any]]:
    """Every chunk of a stream with content, the finish last; the usage chunk is apart (``last_chunk``)."""
    if said.reasoning_tokens:
        yield _chunk(exchange, {"role": "assistant", "content": "", "reasoning": "Thinking it over."})
    for call in said.tool_calls:
        whole = call["function"]["arguments"]
        head = {**call, "function": {**call["function"], "arguments": ""}}
        yield _chunk(exchange, {"role": "assistant", "content": None, "tool_calls": [head]})
        for piece in _pieces(whole):
            yield _chunk(exchange, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    for piece in _pieces(said.content):
        yield _chunk(exchange, {"role": "assistant", "content": piece})
    yield _chunk(exchange, {"role": "assistant", "content": ""}, finish=said.finish)


def last_chunk(exchange: Exchange, said: Said) -> dict[str, Any]:
    """Usage comes once, with empty choices; the metadata block comes with it."""
    head = _head(exchange, "chat.completion.chunk")
    return {**head, "choices": [], "usage": usage(exchange, said), **metadata(exchange)}


def error_chunk(exchange: Exchange, error: ErrorReply) -> dict[str, Any]:
    """An error after the first token: the 200 has long been sent."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": "error"}
    head = _head(exchange, "chat.completion.chunk")
    return {**head, "error": error_object(error, exchange.endpoint.display), "choices": [choice]}


def failure(exchange: Exchange) -> dict[str, Any]:
    """Everything that was called failed: the last error, with the ones before it in its metadata."""
    last = exchange.tried[-1]
    error = error_object(_error(last), last.endpoint.display)
    before = [
        {"code": one.status, "provider_name": one.endpoint.display, "message": _error(one).message}
        for one in exchange.tried[:-1]
    ]
    if before and "metadata" in error:
        error["metadata"] = {**error["metadata"], "previous_errors": before}
    return {"error": error, **({} if last.status == 500 else metadata(exchange))}


def rejection(refused: Rejected) -> dict[str, Any]:
    details = {"error_type": refused.error_type, **(refused.metadata or {})}
    return {"error": {"code": refused.status, "message": refused.message, "metadata": details}}


def usage(exchange: Exchange, said: Said) -> dict[str, Any]:
    endpoint, prompt = exchange.endpoint, exchange.wanted.prompt_tokens
    paid_prompt, paid_completion = prompt * endpoint.prompt_price, said.completion_tokens * endpoint.completion_price
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said.completion_tokens,
        "total_tokens": prompt + said.completion_tokens,
        "cost": paid_prompt + paid_completion,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": said.reasoning_tokens},
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": paid_prompt,
            "upstream_inference_completions_cost": paid_completion,
        },
    }


def metadata(exchange: Exchange) -> dict[str, Any]:
    """The block that the request header ``X-OpenRouter-Metadata`` asks for; empty without it."""
    if not exchange.metadata:
        return {}
    tried = exchange.tried
    selected = tried[-1].endpoint if tried and tried[-1].error is None else None
    attempts = [
        {"provider": one.endpoint.display, "model": one.endpoint.model.id, "status": one.status} for one in tried
    ]
    available = [
        {"provider": one.display, "model": one.model.id, "selected": one is selected} for one in exchange.available
    ]
    chosen = selected.display if selected else "none"
    return {
        "openrouter_metadata": {
            "requested": exchange.wanted.asked[0],
            "strategy": "fallback" if len(exchange.wanted.models) > 1 else "direct",
            "region": "local",
            "summary": f"available={len(available)}, attempts={len(attempts)}, selected={chosen}",
            "attempt": len(attempts),
            "is_byok": False,
            "endpoints": {"total": len(available), "available": available},
            "attempts": attempts,
        }
    }


def generation(exchange: Exchange, said: Said | None, *, streamed: bool, latency: float) -> dict[str, Any]:
    """The record that ``/generation`` gives later."""
    tried = exchange.tried
    return {
        "id": exchange.id,
        "request_id": exchange.id.replace("gen-", "req-"),
        "model": exchange.endpoint.model.canonical,
        "provider_name": exchange.endpoint.display,
        "provider_responses": [
            {
                "status": one.status, "provider_name": one.endpoint.display,
                "model_permaslug": one.endpoint.model.canonical, "latency": round(one.seconds * 1000),
                "endpoint_id": f"{one.endpoint.tag}/{one.endpoint.model.id}", "is_byok": False,
            }
            for one in tried
        ],
        "streamed": streamed,
        "cancelled": False,
        "latency": round(latency * 1000),
        "generation_time": round(latency * 1000),
        "finish_reason": said.finish if said else "error",
        "tokens_prompt": exchange.wanted.prompt_tokens,
        "tokens_completion": said.completion_tokens if said else 0,
        "total_cost": usage(exchange, said)["cost"] if said else 0,
        "usage": usage(exchange, said)["cost"] if said else 0,
        "is_byok": False,
        "origin": "",
    }  # fmt: skip


def model_row(model: Model, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """A row of ``/models``; its price is that of the cheapest endpoint."""
    cheapest = min(endpoints, key=lambda one: one.prompt_price + one.completion_price)
    return {
        "id": model.id,
        "canonical_slug": model.canonical,
        "name": model.name,
        "created": 1735689600,
        "description": model.name,
        "context_length": model.context,
        "architecture": {
            "modality": f"{'+'.join(sorted(model.input, reverse=True))}->text",
            "input_modalities": sorted(model.input, reverse=True),
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": _pricing(cheapest),
        "top_provider": {
            "context_length": model.context, "max_completion_tokens": model.max_completion, "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": list(model.parameters),
        "default_parameters": {},
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": None,
        "reasoning": {"mandatory": True, "default_enabled": True} if model.reasoning else None,
        "links": {"details": f"/api/v1/models/{model.canonical}/endpoints"},
    }  # fmt: skip


def endpoint_rows(model: Model, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    row = model_row(model, endpoints)
    return {**{key: row[key] for key in ("id", "name", "created", "description", "architecture")},
            "endpoints": [_endpoint_row(one) for one in endpoints]}  # fmt: skip


def provider_rows(catalogue: SandboxCatalogue) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "slug": slug, "privacy_policy_url": None, "terms_of_service_url": None,
            "status_page_url": None, "headquarters": None, "datacenters": None,
        }
        for slug, name in catalogue.providers.items()
    ]  # fmt: skip


def key_row() -> dict[str, Any]:
    zero = dict.fromkeys(("usage", "usage_daily", "usage_weekly", "usage_monthly"), 0)
    byok = {f"byok_{name}": 0 for name in zero}
    return {
        "label": "sandbox", "limit": None, "limit_remaining": None, "limit_reset": None, **zero, **byok,
        "include_byok_in_limit": False, "is_free_tier": False, "is_management_key": False, "is_provisioning_key": False,
        "expires_at": None, "creator_user_id": None,
        "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
        "rate_limit": {"requests": -1, "interval": "10s", "note": "obsolete"},
    }  # fmt: skip


def _head(exchange: Exchange, kind: str) -> dict[str, Any]:
    return {
        "id": exchange.id,
        "provider": exchange.endpoint.display,
        "model": exchange.endpoint.model.canonical,
        "object": kind,
        "created": exchange.created,
        "system_fingerprint": None,
    }


def _chunk(exchange: Exchange, delta: Mapping[str, Any], *, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish, "logprobs": None}
    return {**_head(exchange, "chat.completion.chunk"), "choices": [choice]}


def _pieces(text: str) -> Iterable[str]:
    return (text[place : place + 4] for place in range(0, len(text), 4))


def _error(one: Tried) -> ErrorReply:
    return one.error or ErrorReply(status=one.status, error_type="unmapped", message="")


def _pricing(one: Endpoint) -> dict[str, Any]:
    return {
        "prompt": _usd(one.prompt_price), "completion": _usd(one.completion_price), "request": "0", "image": "0",
        "discount": 0,
    }  # fmt: skip


def _usd(price: float) -> str:
    return f"{price:.12f}".rstrip("0").rstrip(".") or "0"


def _endpoint_row(one: Endpoint) -> dict[str, Any]:
    latency, rate = one.first_token * 1000, one.rate
    return {
        "name": f"{one.display} | {one.model.canonical}",
        "model_id": one.model.id,
        "model_name": one.model.name,
        "provider_name": one.display,
        "tag": one.tag,
        "status": 0,
        "context_length": one.model.context,
        "max_prompt_tokens": None,
        "max_completion_tokens": one.model.max_completion,
        "pricing": _pricing(one),
        "quantization": one.quantization,
        "supported_parameters": list(one.model.parameters),
        "supports_implicit_caching": False,
        "uptime_last_5m": 100,
        "uptime_last_30m": 100,
        "uptime_last_1d": 99.9,
        "latency_last_30m": {"p50": latency, "p75": latency * 1.2, "p90": latency * 1.5, "p99": latency * 2},
        "throughput_last_30m": {"p50": rate, "p75": rate * 1.1, "p90": rate * 1.2, "p99": rate * 1.3},
    }
