"""How an answer of Anthropic's Messages API is bent: pure changes of its JSON and of the events of its stream.

Facts: Anthropic docs "Messages", "Streaming", "Handling stop reasons".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from chaos.injectors.sayings import SAYS, STRANGER, Answer, called, unclosed

EVENTS = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"}
)
_STOPS = {"refusal": "refusal", "starved": "max_tokens"}
"""The reason to have ended that a change leaves; without calls, any other is the end of a turn."""


def _replaced(name: str, blocks: list[Answer]) -> list[Answer]:
    return [{"type": "text", "text": SAYS[name]}] if SAYS[name] and blocks else []


def _stop(name: str, reason: Any) -> Any:
    if name in _STOPS:
        return _STOPS[name]
    return "end_turn" if reason == "tool_use" and (name in SAYS or name == "tool_call_as_text") else reason


def _think(block: Answer) -> Answer:
    return {"type": "thinking", "thinking": block["text"], "signature": ""} if block.get("type") == "text" else block


def _as_text(block: Answer) -> Answer:
    if block.get("type") != "tool_use":
        return block
    return {"type": "text", "text": called(block.get("name"), json.dumps(block.get("input")))}


def _never_closed(block: Answer) -> Answer:
    """The API has an object there: a text that would have been one is the nearest to JSON that cannot be read."""
    broken = unclosed(json.dumps(block.get("input")))
    return {**block, "input": broken} if block.get("type") == "tool_use" else block


def _unclosed_text(block: Answer) -> Answer:
    return {**block, "text": unclosed(block.get("text"))} if block.get("type") == "text" else block


_BLOCKS: Mapping[str, Callable[[Answer], Answer]] = {
    "starved": _think,
    "tool_call_as_text": _as_text,
    "broken_tool_arguments": _never_closed,
    "broken_json": _unclosed_text,
}


class Message:
    """One answer, plain or in its events one after the other. Raises KeyError for a change that does not exist."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = False
        self._begun = ""
        self._gone: set[Any] = set()

    def whole(self, answer: Answer) -> Answer:
        name = self._name
        if name == "wrong_model":
            return {**answer, "model": STRANGER}
        blocks = [block for block in answer.get("content") or () if isinstance(block, Mapping)]
        changed = _replaced(name, blocks) if name in SAYS else [_BLOCKS[name](block) for block in blocks]
        return {**answer, "content": changed, "stop_reason": _stop(name, answer.get("stop_reason"))}

    def event(self, event: Answer) -> list[Answer]:
        changed = self._event(event)
        return [] if changed is None else [changed]

    def _event(self, event: Answer) -> Answer | None:
        """The event, changed; None where it is left out."""
        match event.get("type"):
            case "message_start" if self._name == "wrong_model":
                return {**event, "message": {**event["message"], "model": STRANGER}}
            case "message_delta":
                delta = event.get("delta") or {}
                return {**event, "delta": {**delta, "stop_reason": _stop(self._name, delta.get("stop_reason"))}}
            case "content_block_start":
                return self._start(event, event.get("content_block") or {})
            case "content_block_delta":
                return None if event.get("index") in self._gone else self._delta(event, event.get("delta") or {})
            case "content_block_stop" if event.get("index") in self._gone:
                return None
        return event

    def _start(self, event: Answer, block: Answer) -> Answer | None:
        calls = block.get("type") == "tool_use"
        if self._name in SAYS and (calls or not SAYS[self._name]):
            self._gone.add(event.get("index"))
            return None
        if self._name == "tool_call_as_text" and calls:
            self._begun = called(block.get("name"), "")
            return {**event, "content_block": {"type": "text", "text": ""}}
        if self._name == "starved" and block.get("type") == "text":
            return {**event, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}
        return event

    def _delta(self, event: Answer, delta: Answer) -> Answer:
        kind, text, arguments = delta.get("type"), delta.get("text"), delta.get("partial_json")
        made: Answer = delta
        if kind == "text_delta" and self._name in SAYS:
            made = {**delta, "text": "" if self._said else SAYS[self._name]}
            self._said = True
        elif kind == "text_delta" and self._name == "starved":
            made = {"type": "thinking_delta", "thinking": text}
        elif kind == "text_delta" and self._name == "broken_json":
            made = {**delta, "text": unclosed(text)}
        elif kind == "input_json_delta" and self._name == "tool_call_as_text":
            made = {"type": "text_delta", "text": f"{self._begun}{arguments}"}
            self._begun = ""
        elif kind == "input_json_delta" and self._name == "broken_tool_arguments":
            made = {**delta, "partial_json": unclosed(arguments)}
        return {**event, "delta": made}
