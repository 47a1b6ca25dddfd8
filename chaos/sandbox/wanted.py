"""What a chat completion asks for, read from its body; or why the body is refused before any routing. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.sandbox.catalogue import Model, SandboxCatalogue
from chaos.sandbox.preferences import Preferences, read_preferences

DEFAULT_MODEL = "openai/gpt-4o-mini"
MOST_MODELS = 3
IMAGE_TOKENS = 85
_NOT_PARAMETERS = frozenset((
    "messages", "model", "models", "provider", "route", "stream", "user", "session_id", "metadata", "trace",
    "plugins", "transforms", "preset", "usage", "stream_options", "debug", "service_tier",
))  # fmt: skip
_SHAPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "tools": (list, "an array"),
    "plugins": (list, "an array"),
    "response_format": (dict, "an object"),
    "reasoning": (dict, "an object"),
    "tool_choice": ((str, dict), "a string or an object"),
    "stop": ((str, list), "a string or an array"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A request that reached nobody. ``availability`` is the machine-readable part of the envelope."""

    status: int
    error_type: str
    message: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    availability: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request that can be routed. ``asked`` are the names as they were written, in order of priority.

    ``compresses``: the middle of a prompt may be left out where the context is small (context compression, a default).
    """

    asked: tuple[str, ...]
    models: tuple[Model, ...]
    messages: tuple[Mapping[str, Any], ...]
    preferences: Preferences
    parameters: frozenset[str]
    max_tokens: int | None
    prompt_tokens: int
    has_image: bool
    stream: bool
    compresses: bool
    body: Mapping[str, Any]


def parse(raw: bytes) -> Any:
    """The JSON of a body, None where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def read(body: Any, catalogue: SandboxCatalogue) -> Wanted | Rejected:
    """Ids are checked up front: an unknown one anywhere rejects the whole request (OpenRouter docs: API Changelog)."""
    if not isinstance(body, dict):
        return _bad("Request body is not a valid JSON object")
    try:
        return _read(body, catalogue)
    except _UnknownModelError as error:
        found = {"code": "model_not_found", "retryable": False, "requested_models": [error.model]}
        return Rejected(
            status=400,
            error_type="invalid_request",
            message=f"{error.model} is not a valid model ID",
            availability=found,
        )
    except ValueError as error:
        return _bad(str(error))


class _UnknownModelError(ValueError):
    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(model)


def _read(body: Mapping[str, Any], catalogue: SandboxCatalogue) -> Wanted:
    _check_shapes(body)
    messages = _messages(body.get("messages"))
    asked = _asked(body)
    return Wanted(
        asked=asked,
        models=tuple(_model(name, catalogue) for name in asked),
        messages=messages,
        preferences=read_preferences(body.get("provider"), body.get("route")),
        parameters=frozenset(name for name, value in body.items() if value is not None) - _NOT_PARAMETERS,
        max_tokens=_limit(body),
        prompt_tokens=sum(_tokens(message) for message in messages),
        has_image=any(images_of(message) for message in messages),
        stream=body.get("stream") is True,
        compresses=_compresses(body),
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
    found = (part.get("image_url") for part in _parts(message) if part.get("type") == "image_url")
    return tuple(str(one.get("url", "")) if isinstance(one, dict) else str(one) for one in found)


def _check_shapes(body: Mapping[str, Any]) -> None:
    for name, (kind, described) in _SHAPES.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise ValueError(f"{name}: expected {described}")


def _messages(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('Input required: specify "messages"')
    for number, message in enumerate(value):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ValueError(f"messages[{number}]: expected an object with a role")  # noqa: TRY004 - answered as 400
        content = message.get("content")
        if content is not None and not isinstance(content, (str, list)):
            raise ValueError(f"messages[{number}].content: expected a string or an array")
    return tuple(value)


def _asked(body: Mapping[str, Any]) -> tuple[str, ...]:
    """``model`` is tried before ``models``; it does not count towards the most that these may hold."""
    listed = body.get("models")
    if listed is not None and (not isinstance(listed, list) or not all(isinstance(name, str) for name in listed)):
        raise ValueError("models: expected an array of strings")
    if listed and len(listed) > MOST_MODELS:
        raise ValueError(f"'models' array must have {MOST_MODELS} items or fewer")
    first = body.get("model")
    if first is not None and not isinstance(first, str):
        raise ValueError("model: expected a string")
    return tuple(dict.fromkeys([*([first] if first else []), *(listed or [])])) or (DEFAULT_MODEL,)


def _model(name: str, catalogue: SandboxCatalogue) -> Model:
    found = catalogue.find(name)
    if found is None:
        raise _UnknownModelError(name)
    return found


def _limit(body: Mapping[str, Any]) -> int | None:
    for name in ("max_tokens", "max_completion_tokens"):
        limit = body.get(name)
        if limit is not None:
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
                raise ValueError(f"{name}: expected a positive integer")
            return limit
    return None


def _compresses(body: Mapping[str, Any]) -> bool:
    plugins = [plugin for plugin in body.get("plugins") or () if isinstance(plugin, dict)]
    return all(plugin.get("enabled", True) for plugin in plugins if plugin.get("id") == "context-compression")


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _tokens(message: Mapping[str, Any]) -> int:
    return 3 + tokens_of(text_of(message)) + IMAGE_TOKENS * len(images_of(message))


def _bad(message: str) -> Rejected:
    return Rejected(status=400, error_type="invalid_request", message=message)
