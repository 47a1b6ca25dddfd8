"""Errors of the Responses API: its own events, and OpenRouter's own body of it. Pure.

Facts: OpenAI's API reference (Responses, streaming event ``error``); OpenRouter docs
"Responses API Beta", Error Handling.
"""

from __future__ import annotations

from typing import Any

from chaos.errors.wording import Wording
from chaos.model import ErrorReply


def _code(error: ErrorReply) -> str:
    if error.status == 429:
        return "rate_limit_exceeded"
    return "invalid_prompt" if error.status in (400, 413, 422) else "server_error"


def _routed(error: ErrorReply) -> dict[str, Any]:
    return {"error": {"code": _code(error), "message": error.message}, "metadata": None, "error_type": error.error_type}


def in_stream(error: ErrorReply) -> tuple[str | None, dict[str, Any]]:
    said = {"code": _code(error), "message": error.message, "param": None}
    return "error", {"type": "error", **said, "sequence_number": 0}


def of(own: Wording, *, routed: bool) -> Wording:
    """``own``: that of the endpoint's dialect, whose body stays unless the endpoint is a router (``routed``)."""
    return Wording(body=_routed if routed else own.body, in_stream=in_stream)
