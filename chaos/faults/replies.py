"""Faults that are an error reply: one constructor, and what each status means.

Facts: OpenRouter docs "API Errors and Debugging", and the error types of its official SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from chaos.model import Effect, ErrorReply, Fault

_PHRASES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is invalid"),
    401: ("authentication", "No auth credentials found"),
    402: ("payment_required", "Insufficient credits"),
    403: ("permission_denied", "Forbidden"),
    404: ("not_found", "Not found"),
    408: ("timeout", "Request timed out"),
    412: ("precondition_failed", "Precondition failed"),
    413: ("payload_too_large", "Request body is too large"),
    422: ("unprocessable", "The request cannot be processed"),
    429: ("rate_limit_exceeded", "Rate limit exceeded"),
    500: ("server", "Internal Server Error"),
    502: ("provider_unavailable", "Provider returned an invalid response"),
    503: ("provider_unavailable", "Provider is temporarily unavailable"),
    504: ("timeout", "Provider timed out"),
    524: ("timeout", "Edge network timed out"),
    529: ("provider_overloaded", "Provider is overloaded"),
}


def reply(status: int, *, error_type: str | None = None, message: str | None = None) -> ErrorReply:
    """The reply that a status usually comes with; an unusual status is ``unmapped``."""
    usual_type, usual_message = _PHRASES.get(status, ("unmapped", "Provider returned error"))
    return ErrorReply(status=status, error_type=error_type or usual_type, message=message or usual_message)


def error_fault(name: str, meaning: str, error: ErrorReply) -> Fault:
    """A fault that is always the same error reply."""

    def effect(options: Mapping[str, float], rng: Random) -> Effect:  # noqa: ARG001 - an error leaves nothing to choose
        return Effect(error=error)

    return Fault(name=name, meaning=meaning, effect=effect)


def with_retry_after(error: ErrorReply, seconds: float) -> ErrorReply:
    """The error with a Retry-After; 0 leaves it out."""
    return replace(error, retry_after=seconds or None)
