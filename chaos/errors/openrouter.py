"""Errors as OpenRouter words them (OpenRouter docs: API Errors and Debugging, API Streaming). Pure."""

from __future__ import annotations

import json
from typing import Any

from chaos.errors.wording import Wording
from chaos.model import ErrorReply


def error_object(error: ErrorReply, provider: str | None = None) -> dict[str, Any]:
    """The ``error`` object; ``provider``: the display name of the one that failed, None for the router itself.

    A 500 is masked: a generic message and no metadata.
    """
    if error.status == 500:
        return {"code": 500, "message": "Internal Server Error"}
    unserved = error.error_type == "no_endpoints"
    metadata: dict[str, Any] = {"error_type": "not_found" if unserved else error.error_type}
    if provider is not None:
        metadata |= {"provider_name": provider, "raw": json.dumps({"error": {"message": error.message}})}
    if error.retry_after is not None:
        metadata["retry_after_seconds"] = error.retry_after
    message = error.message if provider is None else "Provider returned error"
    found = {"code": error.status, "message": message, "metadata": metadata}
    return {**found, "availability": {"code": "no_endpoints", "retryable": False}} if unserved else found


def body(error: ErrorReply) -> dict[str, Any]:
    return {"error": error_object(error)}


def in_stream(error: ErrorReply) -> tuple[str | None, dict[str, Any]]:
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    return None, {"object": "chat.completion.chunk", "error": error_object(error), "choices": [choice]}


WORDING = Wording(body=body, in_stream=in_stream)
