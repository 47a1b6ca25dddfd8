"""Errors as OpenAI words them, and those who are compatible with it (OpenAI docs: Error codes). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.errors.wording import Wording
from chaos.model import ErrorReply

_INVALID = "invalid_request_error"
_WORDS: Mapping[str, tuple[str, str | None, str | None]] = {
    "context_length_exceeded": (_INVALID, "context_length_exceeded", "messages"),
    "content_policy_violation": (_INVALID, "content_policy_violation", None),
    "authentication": (_INVALID, "invalid_api_key", None),
    "payment_required": ("insufficient_quota", "insufficient_quota", None),
    "permission_denied": ("request_forbidden", "permission_denied", None),
    "not_found": (_INVALID, "model_not_found", None),
    "no_endpoints": ("not_found_error", None, None),
    "payload_too_large": (_INVALID, "request_too_large", None),
    "rate_limit_exceeded": ("requests", "rate_limit_exceeded", None),
    "timeout": ("server_error", "timeout", None),
    "server": ("server_error", None, None),
    "provider_unavailable": ("server_error", None, None),
    "provider_overloaded": ("server_error", "provider_overloaded", None),
}
"""error_type -> type, code, param."""


def body(error: ErrorReply) -> dict[str, Any]:
    kind, code, param = _WORDS.get(error.error_type, (_INVALID if error.status < 500 else "server_error", None, None))
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


def in_stream(error: ErrorReply) -> tuple[str | None, dict[str, Any]]:
    return None, body(error)


WORDING = Wording(body=body, in_stream=in_stream)
