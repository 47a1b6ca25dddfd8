"""Errors as Anthropic's Messages API words them (Anthropic docs: Errors, Streaming). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.errors.wording import Wording
from chaos.model import ErrorReply

_KINDS: Mapping[int, str] = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 422: "invalid_request_error", 429: "rate_limit_error",
    408: "timeout_error", 504: "timeout_error", 524: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
_TEXTS: Mapping[str, str] = {
    "context_length_exceeded": "prompt is too long: 210000 tokens > 200000 maximum",
    "content_policy_violation": "Output blocked by content filtering policy",
}


def _error(error: ErrorReply) -> dict[str, Any]:
    kind = _KINDS.get(error.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": _TEXTS.get(error.error_type, error.message)}}


def body(error: ErrorReply) -> dict[str, Any]:
    return {**_error(error), "request_id": "req_fallbackd"}


def in_stream(error: ErrorReply) -> tuple[str | None, dict[str, Any]]:
    return "error", _error(error)


WORDING = Wording(body=body, in_stream=in_stream)
