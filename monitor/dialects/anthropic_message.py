"""Reads a message of Anthropic's API that came whole, and what it shares with one that came as a stream. Pure; never
raises.

Facts: Anthropic docs "Messages", "Errors", "Handling stop reasons".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.classify import classify
from monitor.dialects.completion import judge_content
from monitor.exchange import Answer, Finding, Reply
from monitor.model import Reason, Tokens
from monitor.reading import clean, mapping, number, parse, text_of

_MOST_TOKENS = 10**9
_FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_THINKING = ("thinking", "redacted_thinking")


def read_message(reply: Reply, *, now: float) -> Answer:
    parsed = parse(reply.body)
    body = mapping(parsed)
    answer = described(Answer(), body)
    finding = classify(reply, parsed, now=now)
    if finding.reason is not Reason.NONE:
        return replace(answer, finding=finding)
    content = body.get("content")
    if not isinstance(content, list):
        return replace(answer, finding=Finding(reason=Reason.MALFORMED, detail="a 200 without an answer (no content)"))
    blocks = tuple(map(mapping, content))
    thoughts = tuple(block for block in blocks if block.get("type") in _THINKING)
    answer = replace(
        answer,
        text="".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text"),
        tool_calls=tuple(_called(block) for block in blocks if block.get("type") == "tool_use"),
        reasoning_details=thoughts,
        finish=finish_of(body.get("stop_reason")),
    )
    says = bool(answer.text.strip() or answer.tool_calls)
    finding = judge_content(says=says, finish=answer.finish, tokens=answer.tokens, thought=bool(thoughts))
    return replace(answer, finding=finding)


def described(answer: Answer, body: Mapping[str, Any]) -> Answer:
    """``answer`` with what a message (or an event about one) says of itself. A later count replaces an earlier one."""
    usage = mapping(body.get("usage"))
    prompt = sum(
        _count(usage.get(name)) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    )
    tokens = Tokens(
        prompt=prompt or answer.tokens.prompt,
        completion=_count(usage.get("output_tokens")) or answer.tokens.completion,
        reasoning=_count(mapping(usage.get("output_tokens_details")).get("thinking_tokens")),
    )
    return replace(
        answer,
        model=answer.model or clean(text_of(body.get("model")), 200) or None,
        generation=answer.generation or clean(text_of(body.get("id")), 100) or None,
        tokens=tokens if usage else answer.tokens,
    )


def finish_of(stop_reason: Any) -> str | None:
    """The stop reason in the words that the other dialects use."""
    said = text_of(stop_reason)
    return _FINISHES.get(said, clean(said, 40)) or None


def called(identity: str, name: str, arguments: str) -> dict[str, Any]:
    """A call of a tool in the form of a chat completion."""
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments or "{}"}}


def _called(block: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(block.get("input"))
    return called(text_of(block.get("id")), text_of(block.get("name")), arguments)


def _count(value: Any) -> int:
    return int(min(max(number(value) or 0, 0), _MOST_TOKENS))
