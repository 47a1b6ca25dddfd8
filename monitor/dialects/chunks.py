"""Reads a chat completion that came as a stream of chunks. Pure; never raises.

Facts: OpenRouter docs "API Streaming": the error after the first token, the usage chunk, ``[DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import sub
from typing import Any

from monitor.classify import by_fate, classify, find_error, from_error
from monitor.dialects.completion import Report, Said, judge_content, thinking, written
from monitor.dialects.repeats import Mould
from monitor.exchange import Answer, Event, Fate, Finding, Reply
from monitor.model import Reason
from monitor.reading import choices, clean, mapping, parse, text_of


def read_stream(reply: Reply, report: Report, *, now: float, strict: bool = True) -> Answer:
    """``strict``: a whole stream has both a finish reason and ``[DONE]``; else one of them is enough."""
    stream = _Stream(reply, report, now, strict=strict)
    stream.take(reply.events)
    return stream.answer()


class _Stream:
    """What the chunks have said so far."""

    def __init__(self, reply: Reply, report: Report, now: float, *, strict: bool) -> None:
        self._reply = reply
        self._report = report
        self._now = now
        self._strict = strict
        self._said = Said()
        self._text: list[str] = []
        self._calls: dict[Any, dict[str, str]] = {}
        self._arrivals: list[float] = []
        self._thought = False
        self._finish: str | None = None
        self._trouble: Finding | None = None
        self._mould: Mould | None = None

    def take(self, events: Iterable[Event]) -> None:
        for number, event in enumerate(events, 1):
            text = None if self._mould is None else self._mould.text(event.data)
            if text is None:
                self._take_chunk(event, number)
            elif text:
                self._arrivals.append(event.at)
                self._text.append(text)

    def _take_chunk(self, event: Event, number: int) -> None:
        chunk = parse(event.data)
        if type(chunk) is not dict:
            start = clean(event.data, 60) or "nothing"
            self._blame(Finding(reason=Reason.MALFORMED, detail=f"chunk {number} of the stream is not JSON: {start}"))
            return
        self._said.take(chunk, self._reply, self._report)
        came = choices(chunk)
        alone = self._take_choice(came[0], event.at) if came else ""
        data = event.data
        error = find_error(chunk) if "error" in data or "\\u" in data else None  # nearly all chunks have no such word
        if error is not None:
            found = from_error(error, status=self._reply.status, headers=self._reply.headers or {}, now=self._now)
            self._blame(replace(found, detail=f"{found.detail} ({self._progress()})"))
        elif alone and not chunk.get("usage") and self._report(chunk) is None:
            self._mould = Mould.of(data, alone)

    def answer(self) -> Answer:
        tokens, arrivals, text = self._said.tokens, self._arrivals, "".join(self._text)
        return self._said.answer(
            text=text,
            tool_calls=tuple(_as_sent(call) for call in self._calls.values()),
            finish=self._finish,
            first_token=arrivals[0] if arrivals else None,
            last_token=arrivals[-1] if arrivals else None,
            longest_gap=max(map(sub, arrivals[1:], arrivals), default=None),
            streamed_tokens=max(0, tokens.completion - (0 if self._thought else tokens.reasoning)),
            finding=self._finding(says=bool(text.strip() or self._calls)),
        )

    def _take_choice(self, choice: Mapping[str, Any], at: float) -> str:
        """Gives back its text where it says nothing else."""
        delta = mapping(choice.get("delta")) or mapping(choice.get("message"))
        text, thought = written(delta), bool(thinking(delta) or delta.get("reasoning_details"))
        calls, finish = delta.get("tool_calls"), choice.get("finish_reason")
        if isinstance(calls, list):
            for call in calls:
                self._take_call(mapping(call))
        if text or thought or calls:
            self._arrivals.append(at)
        self._text.append(text)
        self._thought = self._thought or thought
        if finish:
            self._finish = clean(text_of(finish), 40) or self._finish
        more = thought or calls or finish or delta.get("refusal")
        return "" if more or type(delta.get("content")) is not str else text

    def _take_call(self, piece: Mapping[str, Any]) -> None:
        """A tool call comes in pieces, told apart by their index."""
        function = mapping(piece.get("function"))
        call = self._calls.setdefault(repr(piece.get("index")), {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or text_of(piece.get("id"))
        call["name"] = call["name"] or text_of(function.get("name"))
        call["arguments"] += text_of(function.get("arguments"))

    def _blame(self, finding: Finding) -> None:
        self._trouble = self._trouble or finding

    def _progress(self) -> str:
        return progress(len(self._arrivals))

    def _finding(self, *, says: bool) -> Finding:
        reply = self._reply
        broken = self._trouble or broken_off(reply, len(self._arrivals), done=reply.done, now=self._now)
        if broken is not None:
            return broken
        if not reply.events:
            return Finding(reason=Reason.EMPTY, detail="a stream without a single chunk")
        if not reply.done and (self._strict or self._finish is None):
            return Finding(reason=Reason.CUT, detail=f"the stream ended without [DONE] ({self._progress()})")
        if self._strict and self._finish is None:
            return Finding(reason=Reason.CUT, detail=f"the stream ended without a finish reason ({self._progress()})")
        return judge_content(says=says, finish=self._finish, tokens=self._said.tokens, thought=self._thought)


def broken_off(reply: Reply, pieces: int, *, done: bool, now: float) -> Finding | None:
    """Why a stream was none, or ended before it was ``done``, by what became of the exchange; None where it did not.
    ``pieces``: of text that came."""
    if reply.status is not None and reply.status >= 400:
        return classify(reply, None, now=now)
    if reply.fate is Fate.ANSWERED or done:
        return None
    found = by_fate(reply)
    return replace(found, detail=f"{found.detail} ({progress(pieces)})") if pieces else found


def progress(pieces: int) -> str:
    """How far a stream had come."""
    if not pieces:
        return "before any of the answer"
    return f"after {pieces} piece{'' if pieces == 1 else 's'} of the answer"


def _as_sent(call: Mapping[str, str]) -> dict[str, Any]:
    """A gathered tool call in the form in which a whole answer holds it."""
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}
