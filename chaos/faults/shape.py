"""Errors in the endpoint's own shape: OpenRouter's envelope (OpenRouter docs: API Errors and Debugging). Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from chaos.model import ErrorReply


def error_object(error: ErrorReply, provider: str | None = None) -> dict[str, Any]:
    """The ``error`` object. A 500 is masked: a generic message and no metadata."""
    if error.status == 500:
        return {"code": 500, "message": "Internal Server Error"}
    metadata: dict[str, Any] = {"error_type": error.error_type}
    if provider is not None:
        metadata |= {"provider_name": provider, "raw": json.dumps({"error": {"message": error.message}})}
    if error.retry_after is not None:
        metadata["retry_after_seconds"] = error.retry_after
    message = error.message if provider is None else "Provider returned error"
    return {"code": error.status, "message": message, "metadata": metadata}


def error_body(error: ErrorReply, provider: str | None = None) -> bytes:
    """The whole JSON body. ``provider``: the display name of the one that failed, None for the router itself."""
    return json.dumps({"error": error_object(error, provider)}).encode()


def error_headers(error: ErrorReply) -> dict[str, str]:
    """Headers that go with the body; ``Retry-After`` in whole seconds."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
