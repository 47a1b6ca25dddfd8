"""Errors as a LiteLLM proxy words them: the exception's name in the message, the status as text in ``code``. Pure.

Facts: LiteLLM docs "Exception Mapping"; the wording was read off version 1.106.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.errors.wording import Wording
from chaos.model import ErrorReply

_KINDS: Mapping[str, tuple[str, str]] = {
    "context_length_exceeded": ("BadRequestError: litellm.ContextWindowExceededError", "invalid_request_error"),
    "content_policy_violation": ("ContentPolicyViolationError", "invalid_request_error"),
    "authentication": ("AuthenticationError: AuthenticationError", "authentication_error"),
    "payment_required": ("APIError: APIError", "invalid_request_error"),
    "permission_denied": ("APIError: APIError", "permission_error"),
    "not_found": ("NotFoundError: NotFoundError", "invalid_request_error"),
    "rate_limit_exceeded": ("RateLimitError: RateLimitError", "throttling_error"),
    "timeout": ("Timeout: APITimeoutError", "timeout_error"),
    "server": ("InternalServerError: InternalServerError", "internal_server_error"),
    "provider_unavailable": ("ServiceUnavailableError: ServiceUnavailableError", "internal_server_error"),
    "provider_overloaded": ("ServiceUnavailableError: ServiceUnavailableError", "internal_server_error"),
}
"""error_type -> the exception as the message names it, type."""
_NO_DEPLOYMENT = "No healthy deployment available"


def body(error: ErrorReply) -> dict[str, Any]:
    if error.error_type == "no_endpoints":
        message, kind = _NO_DEPLOYMENT, "None"
    else:
        exception, kind = _KINDS.get(error.error_type, _other(error.status))
        message = f"litellm.{exception}: OpenAIException - {error.message}"
    return {"error": {"message": message, "type": kind, "param": None, "code": str(error.status)}}


def _other(status: int) -> tuple[str, str]:
    if status < 500:
        return "BadRequestError", "invalid_request_error"
    return "InternalServerError: InternalServerError", "internal_server_error"


def in_stream(error: ErrorReply) -> tuple[str | None, dict[str, Any]]:
    return None, body(error)


WORDING = Wording(body=body, in_stream=in_stream)
