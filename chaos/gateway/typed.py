"""Reads answers of Messages, Responses and Embeddings, which name the types of what they hold. Pure; never raises.

Facts: OpenAI's API reference (Responses, Embeddings), Anthropic's API reference (Messages, Streaming).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chaos.gateway.events import DELTAS
from monitor.classify import by_fate, classify, find_error, from_error
from monitor.dialects.completion import judge_content
from monitor.exchange import Answer, Fate, Finding, Reply
from monitor.model import Reason, Tokens
from monitor.reading import clean, mapping, number, parse, text_of

_LAST_EVENTS = frozenset({"message_stop", "response.completed", "response.incomplete", "response.failed"})
_THINKING = ("thinking", "reasoning")
_FINISHES: Mapping[str, str] = {"max_output_tokens": "length", "max_tokens": "length"}
"""Why an answer ended early, in the words of chat completions."""


def read_typed(reply: Reply, now: float) -> Answer:
    """An answer of Messages, Responses or Embeddings that came whole."""
    parsed = parse(reply.body)
    found = classify(reply, parsed, now=now)
    body = mapping(parsed)
    answer = described(Answer(), body)
    if found.reason is not Reason.NONE:
        return replace(answer, finding=found)
    return replace(answer, finding=_content(body, answer.tokens))


def read_typed_stream(reply: Reply, now: float) -> Answer:
    """A stream of Messages or Responses: each event names its type, and there is no ``[DONE]``. The last event of
    Responses holds the whole answer once more."""
    answer, ended, trouble, whole = Answer(), False, None, None
    for event in reply.events:
        body = mapping(parse(event.data))
        kind = text_of(body.get("type"))
        answer = described(answer, mapping(body.get("message")) or mapping(body.get("response")) or body)
        if kind.startswith(DELTAS) and answer.first_token is None:
            answer = replace(answer, first_token=event.at)
        response = mapping(body.get("response"))
        if kind in _LAST_EVENTS:
            ended, whole = True, response if "output" in response else None
        error = find_error(body) or find_error(response) or (body if kind == "error" else None)
        if error is not None and trouble is None:
            trouble = from_error(error, status=reply.status, headers=reply.headers or {}, now=now)
    found = trouble or _ending(reply, answer, ended=ended, now=now)
    if found.reason is Reason.NONE and whole is not None:
        found = _content(whole, answer.tokens)
    return replace(answer, finding=found)


def _content(body: Mapping[str, Any], tokens: Tokens) -> Finding:
    """Whether an answer says something, or what is known of why it does not."""
    items = [mapping(one) for name in ("content", "output", "data") for one in _list(body.get(name))]
    why = text_of(mapping(body.get("incomplete_details")).get("reason")) or text_of(body.get("stop_reason"))
    thought = any(text_of(item.get("type")).endswith(_THINKING) for item in items)
    return judge_content(says=any(map(_says, items)), finish=_FINISHES.get(why, why), tokens=tokens, thought=thought)


def _says(item: Mapping[str, Any]) -> bool:
    """A call, a vector, words that are not blank; thinking is no answer yet."""
    kind = text_of(item.get("type"))
    if kind.endswith(_THINKING):
        return False
    if kind == "message":
        return any(map(_says, map(mapping, _list(item.get("content")))))
    words = [item[name] for name in ("text", "refusal") if name in item]
    return any(text_of(one).strip() for one in words) if words else True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _ending(reply: Reply, answer: Answer, *, ended: bool, now: float) -> Finding:
    if reply.status is not None and reply.status >= 400:
        return classify(reply, None, now=now)
    if reply.fate is not Fate.ANSWERED and not ended:
        return by_fate(reply)
    if not ended:
        return Finding(reason=Reason.CUT, detail="the stream ended without its last event")
    if answer.first_token is None and answer.tokens.completion == 0:
        return Finding(reason=Reason.EMPTY, detail="a stream without content")
    return Finding(reason=Reason.NONE)


def described(answer: Answer, body: Mapping[str, Any]) -> Answer:
    usage = mapping(body.get("usage"))
    return replace(
        answer,
        model=answer.model or clean(text_of(body.get("model")), 200) or None,
        provider=answer.provider or clean(text_of(body.get("provider")), 100) or None,
        generation=answer.generation or clean(text_of(body.get("id")), 100) or None,
        tokens=_tokens(usage, answer.tokens) if usage else answer.tokens,
        cost=number(usage.get("cost")) if usage.get("cost") is not None else answer.cost,
    )


def _tokens(usage: Mapping[str, Any], before: Tokens) -> Tokens:
    """Messages counts the prompt in the first event and the answer in a later one, so what is not said stays."""
    details = mapping(usage.get("output_tokens_details"))
    return Tokens(
        prompt=_count(usage, "input_tokens", "prompt_tokens") or before.prompt,
        completion=_count(usage, "output_tokens", "completion_tokens") or before.completion,
        reasoning=_count(details, "reasoning_tokens") or before.reasoning,
    )


def _count(usage: Mapping[str, Any], *names: str) -> int:
    found = next((value for name in names if (value := number(usage.get(name))) is not None), 0.0)
    return int(min(max(found, 0.0), 1e9))
