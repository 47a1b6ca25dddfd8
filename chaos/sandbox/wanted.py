"""What a chat completion asks for, read from its body; or why the body is refused before any routing. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.sandbox.catalogue import Model, SandboxCatalogue

DEFAULT_MODEL = "openai/gpt-4o-mini"
MOST_MODELS = 3
_NOT_PARAMETERS = frozenset(
    (
        "messages", "model", "models", "provider", "route", "stream", "user", "session_id", "metadata", "trace",
        "plugins", "transforms", "preset", "usage", "stream_options", "debug", "service_tier",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A request that reached nobody: status, ``error_type``, message, and what else belongs into the metadata."""

    status: int
    error_type: str
    message: str
    metadata: Mapping[str, Any] | None = None
    routed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request that can be routed. ``asked`` are the names as they were written, in order of priority."""

    asked: tuple[str, ...]
    models: tuple[Model, ...]
    messages: tuple[Mapping[str, Any], ...]
    provider: Mapping[str, Any]
    parameters: frozenset[str]
    max_tokens: int | None
    prompt_tokens: int
    has_image: bool
    stream: bool
    body: Mapping[str, Any]


def read(raw: bytes, catalogue: SandboxCatalogue) -> Wanted | Rejected:
    """Ids are checked up front: an unknown one anywhere rejects the whole request (OpenRouter, since 2026-08-19)."""
    body = _object(raw)
    if body is None:
        return _bad("Request body is not a valid JSON object")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        return _bad('Input required: specify "messages"')
    provider = body.get("provider") or {}
    if not isinstance(provider, dict):
        return _bad("provider: expected an object")
    asked = _asked(body)
    if isinstance(asked, Rejected):
        return asked
    models = []
    for name in asked:
        model = catalogue.find(name)
        if model is None:
            return _bad(f"{name} is not a valid model ID")
        models.append(model)
    limit = body.get("max_tokens", body.get("max_completion_tokens"))
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        return _bad("max_tokens: expected a positive integer")
    return Wanted(
        asked=asked,
        models=tuple(models),
        messages=tuple(messages),
        provider=_with_route(provider, body.get("route")),
        parameters=frozenset(body) - _NOT_PARAMETERS,
        max_tokens=limit,
        prompt_tokens=sum(_tokens(message.get("content")) for message in messages) + 3 * len(messages),
        has_image=any(_is_image(part) for message in messages for part in _parts(message)),
        stream=body.get("stream") is True,
        body=body,
    )


def tokens_of(text: str) -> int:
    """About four characters a token; nothing is nothing."""
    return -(-len(text) // 4)


def text_of(message: Mapping[str, Any]) -> str:
    """The text parts of a message, joined."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in _parts(message) if isinstance(part.get("text"), str))


def images_of(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The URLs of the image parts of a message."""
    found = (part.get("image_url") for part in _parts(message) if _is_image(part))
    return tuple(str(one.get("url", "")) if isinstance(one, dict) else str(one) for one in found)


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _asked(body: Mapping[str, Any]) -> tuple[str, ...] | Rejected:
    listed = body.get("models")
    if listed is not None and (not isinstance(listed, list) or not all(isinstance(name, str) for name in listed)):
        return _bad("models: expected an array of strings")
    if listed and len(listed) > MOST_MODELS:
        return _bad(f"'models' array must have {MOST_MODELS} items or fewer")
    first = body.get("model")
    if first is not None and not isinstance(first, str):
        return _bad("model: expected a string")
    names = [*([first] if first else []), *(listed or [])]
    return tuple(dict.fromkeys(names)) or (DEFAULT_MODEL,)


def _with_route(provider: Mapping[str, Any], route: Any) -> Mapping[str, Any]:
    """``route`` is a deprecated alias of ``provider.sort.partition``."""
    partition = {"fallback": "model", "sort": "none"}.get(route) if isinstance(route, str) else None
    if partition is None or isinstance(provider.get("sort"), dict):
        return provider
    return {**provider, "sort": {"by": provider.get("sort"), "partition": partition}}


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _is_image(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "image_url"


def _tokens(content: Any) -> int:
    if isinstance(content, str):
        return tokens_of(content)
    parts = content if isinstance(content, list) else []
    return sum(
        85 if _is_image(part) else tokens_of(str(part.get("text", ""))) for part in parts if isinstance(part, dict)
    )


def _bad(message: str) -> Rejected:
    return Rejected(status=400, error_type="invalid_request", message=message)
