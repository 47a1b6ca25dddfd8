"""How long an error asks us to wait, wherever it says so. Pure.

Facts: OpenRouter docs "API Limits": Retry-After in seconds with 429 and 503, X-RateLimit-Reset in epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.model import Reason
from monitor.reading import mapping, number

MAX_RETRY_AFTER = 3600.0


def retry_after(error: Mapping[str, Any], headers: Mapping[str, str], reason: Reason, *, now: float) -> float | None:
    """Seconds to wait, at most ``MAX_RETRY_AFTER``: a header counts first, then what the error object says.

    ``now`` is in seconds since the epoch. A reset of the rate limit is heeded only by who was limited.
    """
    metadata, availability = mapping(error.get("metadata")), mapping(error.get("availability"))
    own = _lowered(headers)
    inner = _lowered(mapping(metadata.get("headers")))
    millis = number(own.get("retry-after-ms"))
    found = [_delay(own.get("retry-after"), now), None if millis is None else millis / 1000]
    said = (metadata.get("retry_after_seconds"), metadata.get("retry_after"), availability.get("retry_after"))
    found += [_delay(value, now) for value in (*said, error.get("retry_after"), inner.get("retry-after"))]
    if reason is Reason.RATE_LIMITED:
        found += [_until(holder.get("x-ratelimit-reset"), now) for holder in (own, inner)]
    return next((min(value, MAX_RETRY_AFTER) for value in found if value is not None and value >= 0), None)


def _lowered(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in headers.items()}


def _delay(value: Any, now: float) -> float | None:
    """Seconds, or an HTTP date."""
    seconds = number(value)
    if seconds is not None or not isinstance(value, str):
        return seconds
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _until(value: Any, now: float) -> float | None:
    """A reset is sent as epoch milliseconds; epoch seconds and plain seconds are told apart by their size."""
    reset = number(value)
    if reset is None or reset < 1e9:
        return reset
    return max(0.0, (reset / 1000 if reset > 1e11 else reset) - now)
