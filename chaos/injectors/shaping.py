"""How an answer is bent: pure changes of its JSON and of its event stream, in the shapes that OpenRouter documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaos.faults.unfit import UNFIT, WHOLE
from chaos.injectors import messages
from chaos.injectors.messages import NONSENSE, STRANGER
from chaos.model import ErrorReply

REFUSAL = "I'm sorry, but I can't help with that."
UPSTREAM_ERROR = ErrorReply(status=502, error_type="provider_unavailable", message="Provider returned error")

_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_SPOKEN = ("content", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls")


def halve(data: bytes) -> bytes:
    """JSON that cannot be read."""
    return data[: len(data) // 2] or b"{"


def halve_event(block: bytes) -> bytes:
    """An event, complete as such, whose JSON cannot be read."""
    return halve(_EVENT_END.sub(b"", block)) + b"\n\n"


class EventSplitter:
    """Feed it bytes; it yields whole events as they were written, comments too, each with its blank line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._rest += chunk
        start = 0
        for end in _EVENT_END.finditer(self._rest):
            yield self._rest[start : end.end()]
            start = end.end()
        self._rest = self._rest[start:]

    @property
    def rest(self) -> bytes:
        return self._rest


class Rewrite:
    """A change of the true answer by name, for the events of one answer in their order or for a plain one.

    Whatever is no answer passes unchanged. Raises KeyError for a name that does not exist.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._change = _CHANGES[name]
        self._messages = messages.Stream(name)
        self._spoken = self._lost = False

    def body(self, body: bytes) -> bytes:
        answer = _parsed(body)
        if answer is None:
            return body
        if answer.get("type") == "message":
            return json.dumps(messages.whole(self._name, answer)).encode()
        return json.dumps(self._changed(answer)).encode() if isinstance(answer.get("choices"), list) else body

    def event(self, block: bytes, data: str) -> bytes:
        answer = _parsed(data)
        if answer is None:
            return block
        if answer.get("type") in messages.EVENTS:
            changed = self._messages.event(answer)
            return b"" if changed is None else b"event: " + answer["type"].encode() + b"\n" + _event(changed)
        return _event(self._changed(answer)) if isinstance(answer.get("choices"), list) else block

    def _changed(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        first = not self._spoken
        self._spoken = self._spoken or any(part.get("content") for part in _parts(answer))
        changed = self._change(answer, first)
        self._lost = self._lost or (_calls(answer) and not _calls(changed))
        # Without a call left there is none to have ended for.
        return _with_parts(changed, dict, finish_reason="stop") if self._lost and _ends_for_calls(changed) else changed


def _calls(answer: Mapping[str, Any]) -> bool:
    return any(part.get("tool_calls") for part in _parts(answer))


def _ends_for_calls(answer: Mapping[str, Any]) -> bool:
    choices = answer.get("choices")
    return any(isinstance(choice, dict) and choice.get("finish_reason") == "tool_calls" for choice in choices or ())


def _parsed(data: bytes | str) -> dict[str, Any] | None:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _event(content: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def _parts(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for choice in answer["choices"]:
        for name in ("message", "delta"):
            if isinstance(choice, dict) and isinstance(choice.get(name), dict):
                yield choice[name]


_Speak = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _with_parts(answer: Mapping[str, Any], speak: _Speak, **fields: Any) -> Mapping[str, Any]:
    """The answer with each message or delta changed; ``fields`` are set in choices that have ended."""

    def changed(choice: Any) -> Any:
        if not isinstance(choice, dict):
            return choice
        parts = {name: speak(choice[name]) for name in ("message", "delta") if isinstance(choice.get(name), dict)}
        return {**choice, **parts, **(fields if choice.get("finish_reason") else {})}

    return {**answer, "choices": [changed(choice) for choice in answer["choices"]]}


def _mute(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in part.items() if name not in _SPOKEN}, "content": ""}


def _empty_content(answer: Mapping[str, Any], _first: bool) -> Mapping[str, Any]:
    return _with_parts(answer, _mute)


def _wrong_model(answer: Mapping[str, Any], _first: bool) -> Mapping[str, Any]:
    return {**answer, "model": STRANGER}


def _wrong_answer(answer: Mapping[str, Any], first: bool) -> Mapping[str, Any]:
    def speak(part: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**_mute(part), "content": NONSENSE} if first and part.get("content") else _mute(part)

    return _with_parts(answer, speak)


def _refusal(answer: Mapping[str, Any], first: bool) -> Mapping[str, Any]:
    def refuse(part: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**_mute(part), "content": None, "refusal": REFUSAL} if first and part.get("content") else _mute(part)

    return _with_parts(answer, refuse)


def _starved(answer: Mapping[str, Any], _first: bool) -> Mapping[str, Any]:
    def think(part: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**_mute(part), "reasoning": part["content"]} if part.get("content") else _mute(part)

    starved = _with_parts(answer, think, finish_reason="length", native_finish_reason="length")
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return starved
    details = {**(usage.get("completion_tokens_details") or {}), "reasoning_tokens": usage.get("completion_tokens", 0)}
    return {**starved, "usage": {**usage, "completion_tokens_details": details}}


def _unfit(name: str) -> Callable[[Mapping[str, Any], bool], Mapping[str, Any]]:
    speak = UNFIT[name]

    def change(answer: Mapping[str, Any], first: bool) -> Mapping[str, Any]:
        return _with_parts(answer, speak if first or name not in WHOLE else _mute)

    return change


_CHANGES: Mapping[str, Callable[[Mapping[str, Any], bool], Mapping[str, Any]]] = {
    "empty_content": _empty_content,
    "wrong_model": _wrong_model,
    "wrong_answer": _wrong_answer,
    "refusal": _refusal,
    "starved": _starved,
    **{name: _unfit(name) for name in UNFIT},
}
