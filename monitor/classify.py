"""Decides what went wrong: from how an exchange ended, its HTTP status, headers and body to one closed Reason.

Facts: OpenRouter docs "API Errors and Debugging", "API Streaming", "API Limits" and the types of its official SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.exchange import Fate, Finding, Reply
from monitor.model import Reason
from monitor.reading import choices, clean, mapping, number, parse, text_of
from monitor.retry_after import retry_after

_FATES: Mapping[Fate, tuple[Reason, str]] = {
    Fate.REFUSED: (Reason.CONNECT, "connection refused"),
    Fate.UNREACHABLE: (Reason.CONNECT, "host unreachable"),
    Fate.CONNECT_TIMEOUT: (Reason.CONNECT, "no connection within the time allowed"),
    Fate.DNS: (Reason.DNS, "the host name does not resolve"),
    Fate.TLS: (Reason.TLS, "no TLS session"),
    Fate.TIMEOUT: (Reason.TIMEOUT, "no complete answer within the time allowed"),
    Fate.FIRST_TOKEN_TIMEOUT: (Reason.FIRST_TOKEN_TIMEOUT, "no first token within the time allowed"),
    Fate.STALLED: (Reason.STALLED, "the answer stalled"),
    Fate.RESET: (Reason.CUT, "connection reset in the middle of the answer"),
    Fate.CUT: (Reason.CUT, "connection closed before the answer was complete"),
    Fate.PROTOCOL: (Reason.MALFORMED, "the reply is not valid HTTP"),
    Fate.TOO_LARGE: (Reason.MALFORMED, "the reply is too large to be an answer"),
    Fate.OURS: (Reason.OURS, "the question could not be sent"),
}

# These words leave no doubt. They come as error.metadata.error_type, error.code or error.type.
_FIRM: Mapping[str, Reason] = {
    "context_length_exceeded": Reason.CONTEXT_LENGTH,
    "max_tokens_exceeded": Reason.CONTEXT_LENGTH,
    "token_limit_exceeded": Reason.CONTEXT_LENGTH,
    "string_too_long": Reason.CONTEXT_LENGTH,
    "payload_too_large": Reason.CONTEXT_LENGTH,
    "request_too_large": Reason.CONTEXT_LENGTH,
    "authentication": Reason.UNAUTHORIZED,
    "authentication_error": Reason.UNAUTHORIZED,
    "invalid_api_key": Reason.UNAUTHORIZED,
    "payment_required": Reason.OUT_OF_CREDIT,
    "insufficient_quota": Reason.OUT_OF_CREDIT,
    "billing_error": Reason.OUT_OF_CREDIT,
    "rate_limit_exceeded": Reason.RATE_LIMITED,
    "rate_limit_error": Reason.RATE_LIMITED,
    "provider_overloaded": Reason.OVERLOADED,
    "overloaded_error": Reason.OVERLOADED,
    "content_policy_violation": Reason.MODERATED,
    "content_filter": Reason.MODERATED,
    "refusal": Reason.MODERATED,
    "timeout": Reason.TIMEOUT,
    "timeout_error": Reason.TIMEOUT,
    "model_not_found": Reason.MODEL_GONE,
}
_AVAILABILITY: Mapping[str, Reason] = {
    "model_not_found": Reason.MODEL_GONE,
    "wrong_endpoint": Reason.BAD_REQUEST,
    "no_endpoints": Reason.NO_ENDPOINT,
    "model_deprecated": Reason.MODEL_GONE,
    "model_unavailable_upstream": Reason.MODEL_GONE,
    "capacity_exhausted": Reason.RATE_LIMITED,
    "temporarily_unavailable": Reason.SERVER_ERROR,
    "region_restricted": Reason.FORBIDDEN,
    "privacy_restricted": Reason.NO_ENDPOINT,
    "constraint_filtered": Reason.NO_ENDPOINT,
    "free_variant_ended": Reason.MODEL_GONE,
}
# These words hold for several causes; a known text under the same status says which.
_VAGUE: Mapping[str, Reason] = {
    "permission_denied": Reason.FORBIDDEN,
    "permission_error": Reason.FORBIDDEN,
    "invalid_request": Reason.BAD_REQUEST,
    "invalid_request_error": Reason.BAD_REQUEST,
    "invalid_prompt": Reason.BAD_REQUEST,
    "precondition_failed": Reason.BAD_REQUEST,
    "unprocessable": Reason.BAD_REQUEST,
    "not_found": Reason.NO_ENDPOINT,
    "not_found_error": Reason.NO_ENDPOINT,
    "provider_unavailable": Reason.SERVER_ERROR,
    "server": Reason.SERVER_ERROR,
    "server_error": Reason.SERVER_ERROR,
    "api_error": Reason.SERVER_ERROR,
}
_STATUSES: Mapping[int, Reason] = {
    401: Reason.UNAUTHORIZED,
    402: Reason.OUT_OF_CREDIT,
    403: Reason.FORBIDDEN,
    404: Reason.NO_ENDPOINT,
    408: Reason.TIMEOUT,
    410: Reason.MODEL_GONE,
    413: Reason.CONTEXT_LENGTH,
    429: Reason.RATE_LIMITED,
    499: Reason.CUT,
    504: Reason.TIMEOUT,
    522: Reason.TIMEOUT,
    524: Reason.TIMEOUT,
    529: Reason.OVERLOADED,
}
# (statuses under which the text is believed, text, cause). Unknown ids were answered with 500 before August 2026.
_TEXTS: tuple[tuple[frozenset[int], re.Pattern[str], Reason], ...] = tuple(
    (frozenset(statuses), re.compile(pattern, re.IGNORECASE), reason)
    for statuses, pattern, reason in (
        ((400, 404, 500), r"is not a valid model id", Reason.MODEL_GONE),
        ((400, 404), r"\bmodel\b.{0,120}(does not exist|not found|deprecated|retired|no longer)", Reason.MODEL_GONE),
        ((403,), r"key limit exceeded|budget|spend(ing)? limit|insufficient (credit|balance)", Reason.OUT_OF_CREDIT),
        ((429,), r"insufficient_quota|exceeded your current quota", Reason.OUT_OF_CREDIT),
        ((400, 403), r"\bflagged\b|moderation|content (policy|filter|management)", Reason.MODERATED),
        (
            (400, 413, 422),
            r"context (length|window)|too many tokens|(prompt|input) is too long|maximum (prompt|input) ",
            Reason.CONTEXT_LENGTH,
        ),
        ((503,), r"no .{0,40}providers?\b.{0,60}(meet|requirement|available)|no endpoints", Reason.NO_ENDPOINT),
        ((500, 502, 503), r"overloaded|at capacity", Reason.OVERLOADED),
    )
)


def classify(reply: Reply, parsed: Any, *, now: float) -> Finding:
    """What is wrong with a whole reply. ``parsed`` is its body as JSON, None where it is none.

    ``now`` (seconds since the epoch) is for a Retry-After that is a date. Only ``Fate.OURS`` is ever "ours".
    """
    status = reply.status
    refused = status is not None and status >= 400
    if reply.fate is not Fate.ANSWERED and (not refused or reply.fate is Fate.OURS):
        return by_fate(reply)
    error = find_error(parsed)
    if error is None and refused:
        message = text_of(mapping(parsed).get("detail")) or text_of(mapping(parsed).get("message"))
        error = {"message": message or _page(reply.body)}
    if error is not None:
        return from_error(error, status=status, headers=reply.headers or {}, now=now)
    return _without_error(reply, parsed)


def by_fate(reply: Reply) -> Finding:
    """The cause of an exchange that ended on the wire, before its answer was complete."""
    if reply.fate is Fate.ANSWERED:
        return Finding(reason=Reason.NONE)
    reason, meaning = _FATES[reply.fate]
    if reply.fate is Fate.RESET and reply.status is None:
        reason, meaning = Reason.CONNECT, "connection reset before an answer"
    return Finding(reason=reason, detail=clean(reply.detail) or meaning)


def by_status(status: int) -> Reason:
    """The cause that an HTTP status names when nothing else is known."""
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return Reason.SERVER_ERROR
    if status >= 400:
        return Reason.BAD_REQUEST
    return Reason.NONE if 200 <= status < 300 else Reason.MALFORMED


def find_error(parsed: Any) -> Mapping[str, Any] | None:
    """The error object of a body or of a stream's chunk: at top level, in a choice, or only as a finish reason."""
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    body = mapping(parsed)
    found = choices(body)
    for holder in (body, *found):
        error = holder.get("error")
        if error:
            return error if isinstance(error, Mapping) else {"message": text_of(error) or "error without a message"}
    if body.get("object") == "error":  # vLLM writes the error itself, without an envelope
        return body
    for choice in found:
        if choice.get("finish_reason") == "error":
            cause = text_of(choice.get("native_finish_reason")) or "no cause given"
            return {"message": f"finish_reason error ({cause})"}
    return None


def from_error(error: Mapping[str, Any], *, status: int | None, headers: Mapping[str, str], now: float) -> Finding:
    """The cause that an error object names. ``status`` is that of the reply; inside a 200 the object's code counts."""
    code = status if status is not None and status >= 400 else _code(error)
    reason = _reason(error, code)
    return Finding(
        reason=reason,
        detail=_sentence(error, reason, code, inside=code != status and status is not None),
        retry_after=retry_after(error, headers, reason, now=now),
    )


def _without_error(reply: Reply, parsed: Any) -> Finding:
    status = reply.status or 0
    if not 200 <= status < 300:
        return Finding(reason=Reason.MALFORMED, detail=f"HTTP {status} is neither an answer nor an error")
    if not reply.body.strip():
        return Finding(reason=Reason.EMPTY, detail=f"HTTP {status} with an empty body")
    if not isinstance(parsed, Mapping):
        return Finding(reason=Reason.MALFORMED, detail=f"HTTP {status} with {_page(reply.body)}")
    return Finding(reason=Reason.NONE)


def _page(body: bytes) -> str:
    start = clean(body[:400].decode("utf-8", "replace"), 80)
    if not start:
        return "an empty body"
    return "an HTML page instead of JSON" if start.startswith("<") else f"a body that is not the JSON expected: {start}"


def _code(error: Mapping[str, Any]) -> int | None:
    """The numeric code of an error inside a 200; documented as a number, shown as a string in an example."""
    metadata = mapping(error.get("metadata"))
    for value in (error.get("code"), error.get("http_status"), error.get("status"), metadata.get("provider_code")):
        found = number(value)
        if found is not None and 400 <= found < 600:
            return int(found)
    return None


def _reason(error: Mapping[str, Any], code: int | None) -> Reason:
    metadata, availability = mapping(error.get("metadata")), mapping(error.get("availability"))
    kinds = [text_of(metadata.get("error_type")), text_of(error.get("error_type"))]
    words = [*kinds, text_of(error.get("code")), text_of(error.get("type"))]
    if code == 403 and (metadata.get("reasons") or metadata.get("flagged_input")):
        return Reason.MODERATED
    return (
        _first(_FIRM, kinds)
        or _AVAILABILITY.get(text_of(availability.get("code")))
        or _first(_FIRM, words)
        or _known_text(error, code)
        or _first(_VAGUE, words)
        or (by_status(code) if code is not None else None)
        or (Reason.BAD_REQUEST if any("image" in kind for kind in kinds) else Reason.SERVER_ERROR)
    )


def _first(table: Mapping[str, Reason], words: list[str]) -> Reason | None:
    return next((table[word] for word in words if word in table), None)


def _known_text(error: Mapping[str, Any], code: int | None) -> Reason | None:
    raw = mapping(error.get("metadata")).get("raw")
    text = f"{text_of(error.get('message'))} {_inner(raw)}"[:2000]
    for statuses, pattern, reason in _TEXTS:
        if (code is None or code in statuses) and pattern.search(text):
            return reason
    return None


def _inner(raw: Any) -> str:
    """The provider's own message: ``metadata.raw`` is its body, as JSON in a string."""
    if isinstance(raw, str):
        parsed = parse(raw[:20_000])
        if not isinstance(parsed, Mapping):
            return raw[:2000]
        raw = parsed
    own = find_error(raw) or mapping(raw)
    return text_of(own.get("message")) or text_of(own.get("detail"))


def _sentence(error: Mapping[str, Any], reason: Reason, code: int | None, *, inside: bool) -> str:
    metadata = mapping(error.get("metadata"))
    who = text_of(metadata.get("provider_name"))
    message = text_of(error.get("message"))
    if flagged := text_of(metadata.get("flagged_input")):
        message = message.replace(flagged, "[redacted]")
    subject = str(code) if code is not None else clean(text_of(error.get("code")), 40) or "error"
    if inside:
        subject += " inside HTTP 200"
    parts = [f"{subject}{f' from {clean(who, 60)}' if who else ''}: {clean(message) or 'no message'}"]
    parts.extend(_notes(metadata, reason, message))
    return "; ".join(parts)


def _notes(metadata: Mapping[str, Any], reason: Reason, message: str) -> Iterator[str]:
    if reason is Reason.MODERATED:
        reasons = metadata.get("reasons")
        if isinstance(reasons, list) and reasons:
            yield "flagged for " + ", ".join(clean(text_of(item), 40) for item in reasons[:5])
    elif message.startswith("Provider returned error") and (inner := clean(_inner(metadata.get("raw")), 160)):
        yield f"the provider says: {inner}"
    if reason is Reason.UNAUTHORIZED and "user not found" in message.lower():
        yield "no proof of a bad key: a fault of the platform has answered this before"
    if step := clean(text_of(metadata.get("failed_routing_step")), 60):
        yield f"routing stopped at {step}"
    previous = metadata.get("previous_errors")
    if isinstance(previous, list) and previous:
        yield "before that " + ", ".join(_previous(mapping(item)) for item in previous[:5])


def _previous(item: Mapping[str, Any]) -> str:
    who = text_of(item.get("provider")) or text_of(item.get("provider_name")) or "a provider"
    status = item.get("status") or item.get("code")
    return f"{clean(who, 60)} {clean(str(status), 20)}" if isinstance(status, (str, int)) else clean(who, 60)
