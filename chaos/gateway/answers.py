"""Reads the answers that pass: chat completions by the endpoint's dialect, the other APIs here. Pure; never raises.

Facts: OpenAI's API reference (Responses, Embeddings), Anthropic's API reference (Messages, Streaming).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from chaos.gateway.events import DELTAS, telling_events
from chaos.gateway.record import TAIL_LIMIT, Copy
from monitor.classify import by_fate, classify, find_error, from_error
from monitor.dialects import Dialect
from monitor.exchange import Answer, Fate, Finding, Reply
from monitor.model import Reason, Tokens
from monitor.reading import clean, mapping, number, parse, text_of
from monitor.sse import DONE

_PLAIN_LIMIT = 4 * 1024 * 1024
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')
_LAST_EVENTS = frozenset({"message_stop", "response.completed", "response.incomplete", "response.failed"})


def read_answer(path: str, reply: Reply, body: Copy, started: float, dialect: Dialect, *, now: float) -> Answer:
    """``reply``: how the exchange ended, without its content, which is in ``body``."""
    streamed = _header(reply, "content-type").lower().startswith("text/event-stream")
    raw = unpacked(body, _header(reply, "content-encoding"))
    if raw is None:
        return Answer(finding=_unread(reply, now))
    if streamed:
        events = tuple(telling_events(raw, body, started))
        said = tuple(event for event in events if event.data != DONE)
        reply = replace(reply, events=said, done=len(said) < len(events))
    elif reply.fate is Fate.ANSWERED and not (body.whole and len(raw) < _PLAIN_LIMIT):
        return _glimpsed(raw, reply, now)
    else:
        reply = replace(reply, body=raw)
    route = path.partition("?")[0].rstrip("/")
    if route.endswith(("/messages", "/responses")):
        answer = _read_typed_stream(reply, now) if streamed else _read_typed(reply, now)
    elif route.endswith("/embeddings"):
        answer = _read_typed(reply, now)
    else:
        answer = dialect.read(reply, now=now)
    return _with_gaps(answer, body, started) if streamed else answer


def unpacked(body: Copy, encoding: str) -> bytes | None:
    """The body as it was before it was packed for the way; None where that cannot be had."""
    raw = b"".join(body.head)
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return raw + body.tail
    if coding not in ("gzip", "x-gzip", "deflate"):
        return None
    unpack = zlib.decompressobj(wbits=47 if "gzip" in coding else zlib.MAX_WBITS)
    try:
        return unpack.decompress(raw, _PLAIN_LIMIT)
    except zlib.error:
        return None


def _header(reply: Reply, name: str) -> str:
    return (reply.headers or {}).get(name, "")


def _unread(reply: Reply, now: float) -> Finding:
    """Of an answer that was packed in a way that is not read here, the status still speaks."""
    if reply.fate is Fate.ANSWERED and (reply.status or 500) < 400:
        return Finding(reason=Reason.NONE, detail="packed in a way that is not read")
    return classify(replace(reply, body=b"{}"), {}, now=now)


def _glimpsed(raw: bytes, reply: Reply, now: float) -> Answer:
    """Of an answer that was too large to be kept whole (embeddings are), what can be seen at its ends."""
    model, usage = _MODEL.search(raw), _USAGE.search(raw, max(len(raw) - TAIL_LIMIT, 0)) or _USAGE.search(raw)
    said = {"model": model[1].decode("utf-8", "replace") if model else "", "usage": parse(usage[1]) if usage else {}}
    finding = Finding(reason=Reason.NONE)
    if (reply.status or 500) >= 400:
        finding = classify(replace(reply, body=b"{}"), {}, now=now)
    return replace(_described(Answer(), said), finding=finding)


def _with_gaps(answer: Answer, body: Copy, started: float) -> Answer:
    """The longest wait between two pieces after the first token: what a reader of the stream waited."""
    if answer.first_token is None:
        return answer
    late = [at for at in body.times if at - started >= answer.first_token]
    gap = max((after - before for before, after in pairwise(late)), default=None)
    last = late[-1] - started if late else None
    return replace(answer, longest_gap=gap, last_token=last, streamed_tokens=answer.tokens.completion)


def _read_typed(reply: Reply, now: float) -> Answer:
    """An answer of Messages, Responses or Embeddings that came whole."""
    parsed = parse(reply.body)
    found = classify(reply, parsed, now=now)
    body = mapping(parsed)
    answer = _described(Answer(), body)
    if found.reason is not Reason.NONE:
        return replace(answer, finding=found)
    if not any(body.get(name) for name in ("content", "output", "data")):
        return replace(answer, finding=Finding(reason=Reason.EMPTY, detail="a 200 without content"))
    return answer


def _read_typed_stream(reply: Reply, now: float) -> Answer:
    """A stream of Messages or Responses: each event names its type, and there is no ``[DONE]``."""
    answer, ended, trouble = Answer(), False, None
    for event in reply.events:
        body = mapping(parse(event.data))
        kind = text_of(body.get("type"))
        answer = _described(answer, mapping(body.get("message")) or mapping(body.get("response")) or body)
        if kind.startswith(DELTAS) and answer.first_token is None:
            answer = replace(answer, first_token=event.at)
        ended = ended or kind in _LAST_EVENTS
        error = find_error(body) or find_error(mapping(body.get("response")))
        if error is not None and trouble is None:
            trouble = from_error(error, status=reply.status, headers=reply.headers or {}, now=now)
    return replace(answer, finding=trouble or _ending(reply, answer, ended=ended, now=now))


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


def _described(answer: Answer, body: Mapping[str, Any]) -> Answer:
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
