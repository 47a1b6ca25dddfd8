"""What the errors of a LiteLLM proxy mean: its own (cooldown, limits, keys), those of providers in its words, and the
attempts that they tell of. Pure; never raises.

Facts: LiteLLM docs "Exception Mapping", "Fallbacks", "Cooldowns"; the wording was read off version 1.106.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.classify import by_status
from monitor.exchange import Finding
from monitor.model import Attempt, Reason
from monitor.reading import clean, number, text_of

COOLDOWN = "all_deployments_in_cooldown"
_MAX_ATTEMPTS = 50

# error.type, where it is the proxy's own word.
_TYPES: Mapping[str, Reason] = {
    COOLDOWN: Reason.NO_ENDPOINT,
    "budget_exceeded": Reason.OUT_OF_CREDIT,
    "no_db_connection": Reason.UNAUTHORIZED,  # a key that is not the master key, and no database to look it up in
    "token_not_found_in_db": Reason.UNAUTHORIZED,
    "expired_key": Reason.UNAUTHORIZED,
    "auth_error": Reason.UNAUTHORIZED,
}
# The exception that stands for a provider's error, as ``litellm.NAME`` at the start of the message.
_EXCEPTIONS: Mapping[str, Reason] = {
    "AuthenticationError": Reason.UNAUTHORIZED,
    "PermissionDeniedError": Reason.FORBIDDEN,
    "NotFoundError": Reason.MODEL_GONE,
    "RateLimitError": Reason.RATE_LIMITED,
    "ContextWindowExceededError": Reason.CONTEXT_LENGTH,
    "ContentPolicyViolationError": Reason.MODERATED,
    "PaymentRequiredError": Reason.OUT_OF_CREDIT,
    "BudgetExceededError": Reason.OUT_OF_CREDIT,
    "Timeout": Reason.TIMEOUT,
    "ServiceUnavailableError": Reason.SERVER_ERROR,
    "BadGatewayError": Reason.SERVER_ERROR,
    "InternalServerError": Reason.SERVER_ERROR,
    "MidStreamFallbackError": Reason.CUT,
    "APIConnectionError": Reason.CONNECT,
    "APIResponseValidationError": Reason.MALFORMED,
}
# Exceptions that stand for several causes, so that their text is heeded first.
_OPEN = frozenset({"InternalServerError", "APIConnectionError", "APIError", "ServiceUnavailableError"})
_TEXTS: tuple[tuple[re.Pattern[str], Reason], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"payload is not completed|peer closed connection|mid-?stream", Reason.CUT),
        (r"mock testing request params are disabled", Reason.OURS),  # what a drill asked for, not what the chain does
        (r"overloaded|at capacity", Reason.OVERLOADED),
        (r"connection error|cannot connect|connection refused", Reason.CONNECT),
        (r"are in cooldown", Reason.NO_ENDPOINT),
        (r"crossed budget|budget has been exceeded", Reason.OUT_OF_CREDIT),
        (r"invalid model name passed", Reason.MODEL_GONE),
        (r"no healthy deployment|due to tags configuration", Reason.NO_ENDPOINT),
    )
)
_NO_DEPLOYMENT = re.compile(r"no deployments available for selected model", re.IGNORECASE)
_LIMITED = re.compile(r"user-defined ratelimit|max_parallel_requests slots", re.IGNORECASE)
_COOLED = re.compile(r"cooldown_list=\[([^\]]*)\]")
_WAIT = re.compile(r"try again in (\d+(?:\.\d+)?) seconds", re.IGNORECASE)
_GROUP = re.compile(r"Passed model=(\S+?)\.(?:\s|$)")
_EXCEPTION = re.compile(r"\s*litellm\.(\w+)")
_ALL_FAILED = re.compile(
    r"LiteLLM: model group '([^']{1,200})' failed with the error above\."
    r"(?: Fallback to (.{1,2000}?) also failed: (.*))?",
    re.DOTALL,
)


def refine(finding: Finding, error: Mapping[str, Any]) -> Finding:
    """``finding``, which knows OpenAI's words, with what the proxy's own words add."""
    message = _own_part(text_of(error.get("message")))
    reason, status = _cause(error, message) or finding.reason, _status(error)
    if reason is Reason.BAD_REQUEST and status is not None and status >= 400:
        reason = by_status(status)  # its type is a guess (a 402 is an invalid_request_error), its code is not
    refined = replace(finding, reason=reason, retry_after=finding.retry_after or wait(message))
    return replace(refined, detail=_cooldown(message, refined.retry_after)) if _cooled(error, message) else refined


def wait(message: str) -> float | None:
    """Seconds until a deployment comes out of its cooldown."""
    found = _WAIT.search(message)
    return number(found[1]) if found else None


def told(errors: Any, hops: int) -> tuple[Attempt, ...]:
    """The attempts that ``x-litellm-fallback-errors`` lists, by their place in the chain.

    A proxy whose hops resume the first group's fallbacks writes the last failure first and counts one hop; one that
    walks its list in one loop writes them in order. A group in cooldown was not called, so it is no attempt.
    """
    found = [item for item in errors if isinstance(item, Mapping)][:_MAX_ATTEMPTS] if isinstance(errors, list) else []
    ordered = found if hops >= len(found) else found[::-1]
    return tuple(
        Attempt(model="", position=place, status_code=_status(error), reason=_reason(error))
        for place, error in enumerate(ordered)
        if not _cooled(error, text_of(error.get("message")))
    )


def failed(error: Mapping[str, Any], reason: Reason) -> tuple[Attempt, ...] | None:
    """The attempts that the message of an exhausted chain names; None where it names none.

    Only the first cause and the last are told; a group between them failed for a cause that is not.
    """
    found = _ALL_FAILED.search(text_of(error.get("message"))[:8000])
    if found is None:
        return None
    group, fallbacks, last = found[1], found[2], text_of(found[3])
    first = () if _cooled(error, _own_part(text_of(error.get("message")))) else (Attempt(model=group, reason=reason),)
    return (*first, *_fallbacks(fallbacks.split(", ") if fallbacks else (), last))[:_MAX_ATTEMPTS]


def _fallbacks(names: Sequence[str], last: str) -> Iterator[Attempt]:
    for name in names[:-1]:
        yield Attempt(model=clean(name, 200), reason=Reason.SERVER_ERROR)
    if names and not _cooled({}, _own_part(last)):
        yield Attempt(model=clean(names[-1], 200), reason=_cause({}, _own_part(last)) or Reason.SERVER_ERROR)


def _own_part(message: str) -> str:
    """A message without what it adds about the walk."""
    return message.partition("\n\nLiteLLM: ")[0][:4000]


def _cause(error: Mapping[str, Any], message: str) -> Reason | None:
    kind = text_of(error.get("type"))
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.endswith("_model_access_denied"):
        return Reason.FORBIDDEN
    named = next((reason for pattern, reason in _TEXTS if pattern.search(message)), None)
    exception = _EXCEPTION.match(message)
    if exception is not None:
        heeded = named if exception[1] in _OPEN else None
        return heeded or _EXCEPTIONS.get(exception[1])
    if _NO_DEPLOYMENT.search(message) or _LIMITED.search(message):
        return Reason.NO_ENDPOINT if _cooled(error, message) else Reason.RATE_LIMITED
    return named


def _cooled(error: Mapping[str, Any], message: str) -> bool:
    """Whether nobody was called because every deployment is in cooldown. Older proxies say it by the list alone."""
    if error.get("type") == COOLDOWN or "are in cooldown" in message:
        return True
    listed = _COOLED.search(message)
    return bool(_NO_DEPLOYMENT.search(message) and listed and listed[1] and error.get("type") != "rate_limit_error")


def _cooldown(message: str, seconds: float | None) -> str:
    group, listed = _GROUP.search(message), _COOLED.search(message)
    whose = clean(group[1], 100) if group else "the model group"
    who = f"; in cooldown: {clean(listed[1].replace(chr(39), ''), 120)}" if listed and listed[1] else ""
    until = f", again in {seconds:g} s" if seconds is not None else ""
    return f"every deployment of {whose} is in cooldown after failures{until}{who}"


def _reason(error: Mapping[str, Any]) -> Reason:
    status = _status(error)
    return _cause(error, _own_part(text_of(error.get("message")))) or (
        by_status(status) if status is not None and status >= 400 else Reason.SERVER_ERROR
    )


def _status(error: Mapping[str, Any]) -> int | None:
    code = number(error.get("code"))
    return int(code) if code is not None and 100 <= code < 600 else None
