"""Reads the answers that pass: chat completions by the endpoint's dialect, others by themselves. Pure; never raises."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from itertools import pairwise

from chaos.apis import Api, api_of
from chaos.gateway.events import telling_events
from chaos.gateway.record import TAIL_LIMIT, Copy
from chaos.gateway.typed import described, read_typed, read_typed_stream
from monitor.classify import classify
from monitor.dialects import Dialect
from monitor.exchange import Answer, Fate, Finding, Reply
from monitor.model import Reason
from monitor.reading import parse
from monitor.sse import DONE

_PLAIN_LIMIT = 4 * 1024 * 1024
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


def read_answer(path: str, reply: Reply, body: Copy, started: float, dialect: Dialect, *, now: float) -> Answer:
    """``reply``: how the exchange ended, without its content, which is in ``body``."""
    streamed = _header(reply, "content-type").lower().startswith("text/event-stream")
    raw = unpacked(body, _header(reply, "content-encoding"))
    if raw is None:
        return dialect.headed(Answer(finding=_unread(reply, now)), reply)
    if streamed:
        events = tuple(telling_events(raw, body, started))
        said = tuple(event for event in events if event.data != DONE)
        reply = replace(reply, events=said, done=len(said) < len(events))
    elif reply.fate is Fate.ANSWERED and not (body.whole and len(raw) < _PLAIN_LIMIT):
        return dialect.headed(_glimpsed(raw, reply, now), reply)
    else:
        reply = replace(reply, body=raw)
    api = api_of(path)
    if api is Api.CHAT:
        answer = dialect.read(reply, now=now)
    elif streamed and api is not Api.EMBEDDINGS:
        answer = dialect.headed(read_typed_stream(reply, now), reply)
    else:
        answer = dialect.headed(read_typed(reply, now), reply)
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
    return replace(described(Answer(), said), finding=finding)


def _with_gaps(answer: Answer, body: Copy, started: float) -> Answer:
    """The longest wait between two pieces after the first token: what a reader of the stream waited."""
    if answer.first_token is None:
        return answer
    late = [at for at in body.times if at - started >= answer.first_token]
    gap = max((after - before for before, after in pairwise(late)), default=None)
    last = late[-1] - started if late else None
    return replace(answer, longest_gap=gap, last_token=last, streamed_tokens=answer.tokens.completion)
