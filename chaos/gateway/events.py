"""Picks the events of a stream that say something about the whole. Pure; never raises.

Reading every token of every stream would cost more than passing it on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from chaos.gateway.record import Copy
from monitor.exchange import Event
from monitor.sse import DONE, EventReader, bears_content

_END = b"\n\n"
_TELLING = (b'"error"', b'"usage"', b'_reason":"', b'_reason": "')
_NOTHING = (b":null", b": null")
_ANSWERS = re.compile(rb'"tool_calls":\s?\[\s?\{|"content":\s?"(?: |\\[nrt])*(?:[^"\\ ]|\\[^nrt])')
"""The first text that is not blank, or a call: reasoning and blanks before it are no answer yet. Quotes inside of texts
are escaped in JSON, so that it meets nothing but fields."""
DELTAS = (
    "content_block_delta",
    "response.output_text.delta",
    "response.reasoning",
    "response.function_call_arguments",
)


def telling_events(raw: bytes, body: Copy, started: float) -> Iterator[Event]:
    """The first event, the first token, the first that answers, errors, ends, counts, and the last two. ``raw``: the
    unpacked content of ``body``, whose times are the loop's; those of the events are seconds since ``started``."""
    if b"\r\n" in raw:
        raw = raw.replace(b"\r\n", _END[:1])
    close = raw.rfind(_END)
    if close < 0:
        yield from (Event(at=body.times[-1] - started, data=data) for data in EventReader().feed(raw))
        return
    hole = None if body.whole else body.kept
    ends = list(accumulate(map(len, body.head)))
    for start, end in _spans(raw, close):
        data = None if hole is not None and start < hole < end else _data(raw[start:end])
        if data is not None:
            when = body.times[min(bisect_right(ends, end + 1), len(ends) - 1)]
            yield Event(at=when - started, data=data)
    if raw[close:].strip() == b"data: [DONE]":
        yield Event(at=body.times[-1] - started, data=DONE)


def _spans(raw: bytes, close: int) -> Sequence[tuple[int, int]]:
    """Beginning and end of the events to read, in order; ``close`` is where the last whole one ends."""
    last = _span(raw, close - 1, close)
    chosen = {_span(raw, 0, close), last, _span(raw, max(last[0] - 3, 0), close)}
    for word in _TELLING:
        at = raw.find(word, 0, close)
        while at >= 0:
            behind = at + len(word)
            if not raw.startswith(_NOTHING, behind):
                chosen.add(_span(raw, at, close))
            at = raw.find(word, behind, close)
    spoken = _first_spoken(raw, close)
    if spoken is not None:
        chosen.add(spoken)
    answers = _ANSWERS.search(raw, 0, close)
    if answers is not None:
        chosen.add(_span(raw, answers.start(), close))
    return sorted(chosen)


def _span(raw: bytes, at: int, close: int) -> tuple[int, int]:
    """The event in which a place lies."""
    before, after = raw.rfind(_END, 0, max(at, 0) + 1), raw.find(_END, at, close)
    return (0 if before < 0 else before + 2), (close if after < 0 else after)


def _first_spoken(raw: bytes, close: int) -> tuple[int, int] | None:
    start = 0
    while start < close:
        end = raw.find(_END, start, close)
        end = close if end < 0 else end
        data = _data(raw[start:end])
        if data is not None and _speaks(data):
            return start, end
        start = end + 2
    return None


def _data(block: bytes) -> str | None:
    if block.startswith(b"data: ") and b"\n" not in block and b"\r" not in block:  # the usual event, read at once
        return block[6:].decode("utf-8", "replace")
    return next(EventReader().feed(block + _END), None)


def _speaks(data: str) -> bool:
    return bears_content(data) or any(f'"type":"{word}' in data or f'"type": "{word}' in data for word in DELTAS)
