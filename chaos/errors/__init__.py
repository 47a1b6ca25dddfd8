"""Errors in the endpoint's own shape, one file per dialect. A new one is a new file and one line in this list."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from chaos.apis import Api, api_of
from chaos.errors import anthropic, litellm, of_responses, openai_compatible, openrouter
from chaos.errors.wording import Wording
from chaos.model import ErrorReply

WORDINGS: Mapping[str, Wording] = {
    "openrouter": openrouter.WORDING,
    "openai_compatible": openai_compatible.WORDING,
    "litellm": litellm.WORDING,
    "anthropic": anthropic.WORDING,
}
"""By dialect."""


def wording(dialect: str | None, path: str) -> Wording:
    """The shape for an exchange: what was asked at Anthropic's path is answered so, whoever the endpoint is; streams of
    Responses have events of their own."""
    api, own = api_of(path), WORDINGS.get(dialect or "", openrouter.WORDING)
    if api is Api.MESSAGES:
        return anthropic.WORDING
    return of_responses.of(own, routed=own is openrouter.WORDING) if api is Api.RESPONSES else own


def error_body(error: ErrorReply, words: Wording = openrouter.WORDING) -> bytes:
    return json.dumps(words.body(error)).encode()


def error_event(error: ErrorReply, words: Wording = openrouter.WORDING, *, number: int = 0) -> bytes:
    """An error in the middle of a stream: the last event, with a 200 long gone. ``number``: how many came before it."""
    name, data = words.in_stream(error)
    if "sequence_number" in data:
        data = {**data, "sequence_number": number}
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def error_headers(error: ErrorReply) -> dict[str, str]:
    """Headers that go with the body; ``Retry-After`` in whole seconds, unless it is nonsense on purpose."""
    if error.retry_after_text is not None:
        return {"Retry-After": error.retry_after_text}
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


__all__ = ["WORDINGS", "Wording", "error_body", "error_event", "error_headers", "wording"]
