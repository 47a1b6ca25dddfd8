"""Reads a message of Anthropic's API that came as a stream of events. Pure; never raises.

Facts: Anthropic docs "Streaming messages": message_start, content_block_delta, message_delta, message_stop, error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from monitor.classify import from_error
from monitor.dialects.anthropic_message import called, described, finish_of
from monitor.dialects.chunks import broken_off, progress
from monitor.dialects.completion import judge_content
from monitor.exchange import Answer, Event, Finding, Reply
from monitor.model import Reason
from monitor.reading import clean, mapping, number, parse, text_of


def read_stream(reply: Reply, *, now: float) -> Answer:
    stream = _Stream(reply, now)
    for place, event in enumerate(reply.events, 1):
        stream.take(event, place)
    return stream.answer()


class _Stream:
    """What the events have said so far. A block is known by its index."""

    def __init__(self, reply: Reply, now: float) -> None:
        self._reply = reply
        self._now = now
        self._answer = Answer()
        self._text: list[str] = []
        self._blocks: dict[float | None, dict[str, str]] = {}
        self._arrivals: list[float] = []
        self._thought = False
        self._stopped = False
        self._trouble: Finding | None = None

    def take(self, event: Event, place: int) -> None:
        found = parse(event.data)
        if not isinstance(found, Mapping):
            start = clean(event.data, 60) or "nothing"
            self._blame(Finding(reason=Reason.MALFORMED, detail=f"event {place} of the stream is not JSON: {start}"))
            return
        match found.get("type"):
            case "message_start":
                self._answer = described(self._answer, mapping(found.get("message")))
            case "content_block_start":
                self._begin(number(found.get("index")), mapping(found.get("content_block")))
            case "content_block_delta":
                self._add(number(found.get("index")), mapping(found.get("delta")), event.at)
            case "message_delta":
                finish = finish_of(mapping(found.get("delta")).get("stop_reason"))
                self._answer = replace(described(self._answer, found), finish=finish or self._answer.finish)
            case "message_stop":
                self._stopped = True
            case _ if found.get("error"):
                self._take_error(mapping(found.get("error")))

    def answer(self) -> Answer:
        arrivals = self._arrivals
        answer = replace(
            self._answer,
            text="".join(self._text),
            tool_calls=tuple(called(block["id"], block["name"], block["input"]) for block in self._blocks.values()),
            first_token=arrivals[0] if arrivals else None,
            last_token=arrivals[-1] if arrivals else None,
            longest_gap=max((later - at for at, later in pairwise(arrivals)), default=None),
            streamed_tokens=self._answer.tokens.completion if arrivals else 0,
        )
        return replace(answer, finding=self._finding(answer))

    def _begin(self, index: float | None, block: Mapping[str, Any]) -> None:
        self._thought = self._thought or block.get("type") in ("thinking", "redacted_thinking")
        if block.get("type") == "tool_use":
            self._blocks[index] = {"id": text_of(block.get("id")), "name": text_of(block.get("name")), "input": ""}

    def _add(self, index: float | None, delta: Mapping[str, Any], at: float) -> None:
        text, thought = text_of(delta.get("text")), text_of(delta.get("thinking"))
        arguments = text_of(delta.get("partial_json"))
        self._text.append(text)
        self._thought = self._thought or bool(thought)
        if index in self._blocks:
            self._blocks[index]["input"] += arguments
        if text or thought or arguments:
            self._arrivals.append(at)

    def _take_error(self, error: Mapping[str, Any]) -> None:
        found = from_error(error, status=self._reply.status, headers=self._reply.headers or {}, now=self._now)
        self._blame(replace(found, detail=f"{found.detail} ({progress(len(self._arrivals))})"))

    def _blame(self, finding: Finding) -> None:
        self._trouble = self._trouble or finding

    def _finding(self, answer: Answer) -> Finding:
        reply, so_far = self._reply, progress(len(self._arrivals))
        broken = self._trouble or broken_off(reply, len(self._arrivals), done=self._stopped, now=self._now)
        if broken is not None:
            return broken
        if not reply.events:
            return Finding(reason=Reason.EMPTY, detail="a stream without a single event")
        if not self._stopped:
            return Finding(reason=Reason.CUT, detail=f"the stream ended without message_stop ({so_far})")
        says = bool(answer.text.strip() or answer.tool_calls)
        return judge_content(says=says, finish=answer.finish, tokens=answer.tokens, thought=self._thought)
