"""What the sandbox sends for a completion, in OpenRouter's shapes. Pure.

Facts: OpenRouter docs, API Overview, API Streaming, API Errors and Debugging, Router Metadata, Usage Accounting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.errors.openrouter import error_object
from chaos.model import ErrorReply
from chaos.sandbox.answers import Said
from chaos.sandbox.catalogue import Endpoint
from chaos.sandbox.wanted import Rejected, Wanted

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": OPENROUTER PROCESSING\n\n"
THOUGHT = "Thinking it over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One endpoint that was called, and how it answered: ``error`` None is a 200."""

    endpoint: Endpoint
    error: ErrorReply | None = None
    seconds: float = 0.0

    @property
    def status(self) -> int:
        return self.error.status if self.error else 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One completion as far as it has come. ``total``: how many endpoints serve its models, before any filter."""

    id: str
    created: int
    wanted: Wanted
    metadata: bool
    total: int = 0
    available: Sequence[Endpoint] = ()
    tried: Sequence[Tried] = ()

    @property
    def endpoint(self) -> Endpoint:
        """The one called last: it answers, or its error is the answer."""
        return self.tried[-1].endpoint


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def event(value: Any) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


def envelope(status: int, error_type: str, message: str, **metadata: Any) -> dict[str, Any]:
    """An error of the router's own."""
    return {"error": {"code": status, "message": message, "metadata": {"error_type": error_type, **metadata}}}


def completion(exchange: Exchange, said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.content, "refusal": said.refusal or None}
    if said.refusal:
        message["content"] = None
    if said.tool_calls:
        message |= {"content": None, "tool_calls": list(said.tool_calls)}
    if said.reasoning_tokens:
        message["reasoning"] = THOUGHT
    choice = {"index": 0, "message": message, "logprobs": None, **_finish(said.finish)}
    body = {**_head(exchange, "chat.completion"), "choices": [choice], "usage": usage(exchange, said)}
    return {**body, **metadata(exchange)}


def chunks(exchange: Exchange, said: Said) -> Iterator[dict[str, Any]]:
    """Every chunk of a stream with content, the finish last; the usage chunk is apart (``last_chunk``)."""
    if said.reasoning_tokens:
        yield _chunk(exchange, {"role": "assistant", "content": "", "reasoning": THOUGHT})
    for call in said.tool_calls:
        whole = call["function"]["arguments"]
        head = {**call, "function": {**call["function"], "arguments": ""}}
        yield _chunk(exchange, {"role": "assistant", "content": None, "tool_calls": [head]})
        for piece in _pieces(whole):
            yield _chunk(exchange, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    for piece in _pieces(said.content):
        yield _chunk(exchange, {"role": "assistant", "content": piece})
    for piece in _pieces(said.refusal):
        yield _chunk(exchange, {"role": "assistant", "refusal": piece})
    yield _chunk(exchange, {"role": "assistant", "content": ""}, finish=said.finish)


def last_chunk(exchange: Exchange, said: Said) -> dict[str, Any]:
    """Usage comes once, with empty choices; the metadata block comes with it."""
    head = _head(exchange, "chat.completion.chunk")
    return {**head, "choices": [], "usage": usage(exchange, said), **metadata(exchange)}


def error_chunk(exchange: Exchange, error: ErrorReply) -> dict[str, Any]:
    """An error after the first token: the 200 has long been sent, and the stream ends with this."""
    choice = {"index": 0, "delta": {"content": ""}, **_finish("error")}
    head = _head(exchange, "chat.completion.chunk")
    found = error_object(error, exchange.endpoint.display)
    return {**head, "error": found, "choices": [choice], **metadata(exchange)}


def error_in_answer(exchange: Exchange, error: ErrorReply) -> dict[str, Any]:
    """A plain answer of status 200 whose body is an error."""
    return {"error": error_object(error, exchange.endpoint.display), **metadata(exchange)}


def failure(exchange: Exchange) -> dict[str, Any]:
    """Everything that was called failed: the last error, with the ones before it in its metadata; a 500 is masked."""
    last = exchange.tried[-1]
    if last.error is None:
        raise ValueError("the last endpoint answered")
    error = error_object(last.error, last.endpoint.display)
    if last.status == 500:
        return {"error": error}
    before = [_previous(one.endpoint, one.error) for one in exchange.tried[:-1] if one.error]
    if before:
        error["metadata"] = {**error["metadata"], "previous_errors": before}
    if code := _AVAILABILITY.get(last.status):
        error["availability"] = {"code": code, "retryable": True, "retry_after": last.error.retry_after}
    return {"error": error, **metadata(exchange)}


_AVAILABILITY = {429: "capacity_exhausted", 503: "temporarily_unavailable"}


def rejection(refused: Rejected) -> dict[str, Any]:
    body = envelope(refused.status, refused.error_type, refused.message, **refused.metadata)
    if refused.availability is not None:
        body["error"]["availability"] = refused.availability
    return body


def usage(exchange: Exchange, said: Said) -> dict[str, Any]:
    """Priced at the endpoint that served."""
    endpoint, prompt = exchange.endpoint, exchange.wanted.prompt_tokens
    paid_prompt, paid_completion = prompt * endpoint.prompt_price, said.completion_tokens * endpoint.completion_price
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said.completion_tokens,
        "total_tokens": prompt + said.completion_tokens,
        "cost": paid_prompt + paid_completion,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": said.reasoning_tokens, "audio_tokens": 0},
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
    selected = exchange.endpoint if tried and tried[-1].error is None else None
    available = [
        {"provider": one.display, "model": one.model.id, "selected": one is selected} for one in exchange.available
    ]
    chosen = selected.display if selected else "none"
    return {
        "openrouter_metadata": {
            "requested": exchange.wanted.asked[0],
            "strategy": "fallback" if len(exchange.wanted.models) > 1 else "direct",
            "region": "local",
            "summary": f"available={len(available)}, attempts={len(tried)}, selected={chosen}",
            "attempt": len(tried),
            "is_byok": False,
            "endpoints": {"total": exchange.total, "available": available},
            "attempts": [
                {"provider": one.endpoint.display, "model": one.endpoint.model.id, "status": one.status}
                for one in tried
            ],
        }
    }


def _previous(endpoint: Endpoint, error: ErrorReply) -> dict[str, Any]:
    found = error_object(error, endpoint.display)
    raw = found.get("metadata", {}).get("raw")
    return {"code": error.status, "message": found["message"], "provider_name": endpoint.display, "raw": raw}


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
    choice = {"index": 0, "delta": delta, **_finish(finish), "logprobs": None}
    return {**_head(exchange, "chat.completion.chunk"), "choices": [choice]}


def _finish(reason: str | None) -> dict[str, str | None]:
    return {"finish_reason": reason, "native_finish_reason": reason}


def _pieces(text: str) -> Iterable[str]:
    """One token each."""
    return (text[place : place + 4] for place in range(0, len(text), 4))
