"""Reads a chat completion that came whole, and what it shares with one that came as a stream. Pure; never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.classify import classify
from monitor.exchange import Answer, Finding, Reply
from monitor.model import NO_TOKENS, Attempt, Reason, Tokens
from monitor.reading import choices, clean, header, mapping, number, parse, text_of

Report = Callable[[Mapping[str, Any]], tuple[Attempt, ...] | None]
"""Reads the attempts that a body reports, None where it says nothing of them."""

FINE = Finding(reason=Reason.NONE)
_MOST_TOKENS = 10**9
_MOST_DOLLARS = 1e6


def read_completion(reply: Reply, report: Report, *, now: float) -> Answer:
    parsed = parse(reply.body)
    body, said = mapping(parsed), Said()
    said.take(body, reply, report)
    finding = classify(reply, parsed, now=now)
    if finding.reason is not Reason.NONE:
        return said.answer(finding=finding)
    found = choices(body)
    if not found:
        return said.answer(finding=Finding(reason=Reason.MALFORMED, detail="a 200 without an answer (no choices)"))
    message = mapping(found[0].get("message"))
    text, calls = written(message), _mappings(message.get("tool_calls"))
    finish = clean(text_of(found[0].get("finish_reason")), 40) or None
    return said.answer(
        text=text,
        tool_calls=calls,
        reasoning_details=_mappings(message.get("reasoning_details")),
        finish=finish,
        finding=judge_content(
            says=bool(text.strip() or calls), finish=finish, tokens=said.tokens, thought=bool(thinking(message))
        ),
    )


class Said:
    """What a body, or the chunks of a stream, say of the answer: who gave it, at what cost, after which attempts."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.provider: str | None = None
        self.generation: str | None = None
        self.tokens = NO_TOKENS
        self._cost: float | None = None
        self._attempts: tuple[Attempt, ...] | None = None

    def take(self, body: Mapping[str, Any], reply: Reply, report: Report) -> None:
        """Most chunks of a stream name again what is known: only what is new is looked at."""
        if self.model is None:
            self.model = clean(text_of(body.get("model")), 200) or None
        if self.provider is None:
            self.provider = clean(text_of(body.get("provider")), 100) or None
        if self.generation is None:
            identity = text_of(body.get("id")) or header(reply.headers, "x-generation-id")
            self.generation = clean(identity, 100) or None
        usage = body.get("usage")
        if usage and (usage := mapping(usage)):
            self.tokens, self._cost = _tokens(usage), _cost(usage)
        attempts = report(body)
        if attempts is not None:
            self._attempts = attempts

    def answer(self, **more: Any) -> Answer:
        return Answer(
            model=self.model,
            provider=self.provider,
            generation=self.generation,
            tokens=self.tokens,
            cost=self._cost,
            attempts=self._attempts or (),
            attempts_reported=self._attempts is not None,
            **more,
        )


def judge_content(*, says: bool, finish: str | None, tokens: Tokens, thought: bool) -> Finding:
    """Whether a complete answer is one. ``says``: it holds text or a call; ``thought``: its reasoning was seen."""
    if finish == "content_filter":
        return Finding(reason=Reason.MODERATED, detail="the answer was withheld (finish_reason content_filter)")
    if says:
        return FINE
    spent, reasoning = tokens.completion, tokens.reasoning
    if finish == "length" and (0 < spent <= reasoning or thought):
        return Finding(reason=Reason.STARVED, detail=f"all {spent or ''} tokens went into reasoning".replace("  ", " "))
    return Finding(reason=Reason.EMPTY, detail=f"a 200 without content (finish_reason {finish or 'missing'})")


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
    if type(value) is int and 0 <= value <= _MOST_TOKENS:  # as nearly all say it
        return value
    return int(min(max(number(value) or 0, 0), _MOST_TOKENS))


def _cost(usage: Mapping[str, Any]) -> float | None:
    cost = number(usage.get("cost"))
    return cost if cost is not None and 0 <= cost <= _MOST_DOLLARS else None
