"""Reads a chat completion that came whole, and what it shares with one that came as a stream. Pure; never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from monitor.classify import classify
from monitor.exchange import Answer, Finding, Reply
from monitor.model import Attempt, Reason, Tokens
from monitor.reading import choices, clean, mapping, number, parse, text_of

Report = Callable[[Mapping[str, Any]], tuple[Attempt, ...] | None]
"""Reads the attempts that a body reports, None where it says nothing of them."""

FINE = Finding(reason=Reason.NONE)
_MOST_TOKENS = 10**9
_MOST_DOLLARS = 1e6


def read_completion(reply: Reply, report: Report, *, now: float) -> Answer:
    parsed = parse(reply.body)
    answer = described(Answer(), mapping(parsed), reply, report)
    finding = classify(reply, parsed, now=now)
    if finding.reason is not Reason.NONE:
        return replace(answer, finding=finding)
    found = choices(mapping(parsed))
    if not found:
        return replace(answer, finding=Finding(reason=Reason.MALFORMED, detail="a 200 without an answer (no choices)"))
    message = mapping(found[0].get("message"))
    answer = replace(
        answer,
        text=written(message),
        tool_calls=_mappings(message.get("tool_calls")),
        reasoning_details=_mappings(message.get("reasoning_details")),
        finish=clean(text_of(found[0].get("finish_reason")), 40) or None,
    )
    judged = judge_content(answer, thought=bool(thinking(message)))
    return answer if judged is FINE else replace(answer, finding=judged)


def described(answer: Answer, body: Mapping[str, Any], reply: Reply, report: Report) -> Answer:
    """``answer`` with what a body (or a chunk) says of itself: who, at what cost, after which attempts."""
    usage, attempts = mapping(body.get("usage")), report(body)
    header = next((value for name, value in (reply.headers or {}).items() if name.lower() == "x-generation-id"), "")
    named = (answer.model, "model"), (answer.provider, "provider"), (answer.generation, "id")
    if not usage and attempts is None and all(said or not body.get(key) for said, key in named):
        return answer  # as most chunks of a stream: they name again what is known
    return replace(
        answer,
        model=answer.model or clean(text_of(body.get("model")), 200) or None,
        provider=answer.provider or clean(text_of(body.get("provider")), 100) or None,
        generation=answer.generation or clean(text_of(body.get("id")) or header, 100) or None,
        tokens=_tokens(usage) if usage else answer.tokens,
        cost=_cost(usage) if usage else answer.cost,
        attempts=answer.attempts if attempts is None else attempts,
        attempts_reported=answer.attempts_reported or attempts is not None,
    )


def judge_content(answer: Answer, *, thought: bool) -> Finding:
    """Whether a complete answer says anything. ``thought``: its reasoning was seen."""
    if answer.finish == "content_filter":
        return Finding(reason=Reason.MODERATED, detail="the answer was withheld (finish_reason content_filter)")
    if answer.text.strip() or answer.tool_calls:
        return FINE
    spent, reasoning = answer.tokens.completion, answer.tokens.reasoning
    if answer.finish == "length" and (0 < spent <= reasoning or thought):
        return Finding(reason=Reason.STARVED, detail=f"all {spent or ''} tokens went into reasoning".replace("  ", " "))
    return Finding(reason=Reason.EMPTY, detail=f"a 200 without content (finish_reason {answer.finish or 'missing'})")


def written(message: Mapping[str, Any]) -> str:
    """The text of a message or delta; content may be a text or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(text_of(mapping(part).get("text")) for part in content)
    return text_of(content) or text_of(message.get("refusal"))


def thinking(message: Mapping[str, Any]) -> str:
    """The reasoning that a message or delta shows; routers differ in its name."""
    return text_of(message.get("reasoning")) or text_of(message.get("reasoning_content"))


def _mappings(value: Any) -> tuple[Mapping[str, Any], ...]:
    return tuple(map(mapping, value)) if isinstance(value, list) else ()


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    details = mapping(usage.get("completion_tokens_details"))
    return Tokens(
        prompt=_count(usage.get("prompt_tokens")),
        completion=_count(usage.get("completion_tokens")),
        reasoning=_count(details.get("reasoning_tokens")),
    )


def _count(value: Any) -> int:
    return int(min(max(number(value) or 0, 0), _MOST_TOKENS))


def _cost(usage: Mapping[str, Any]) -> float | None:
    cost = number(usage.get("cost"))
    return cost if cost is not None and 0 <= cost <= _MOST_DOLLARS else None
