"""How a chat completion is bent: pure changes of its JSON and of its chunks, as OpenRouter documents them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaos.faults.unfit import UNFIT, WHOLE
from chaos.injectors.sayings import NONSENSE, REFUSAL, STRANGER, Answer

_SPOKEN = ("content", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls")


class Completion:
    """One answer, plain or in its chunks one after the other. Raises KeyError for a change that does not exist."""

    def __init__(self, name: str) -> None:
        self._change = _CHANGES[name]
        self._spoken = self._lost = False

    def whole(self, answer: Answer) -> Answer:
        first = not self._spoken
        self._spoken = self._spoken or any(map(_speaks, _parts(answer)))
        changed = self._change(answer, first)
        self._lost = self._lost or (_calls(answer) and not _calls(changed))
        # Without a call left there is none to have ended for.
        return _with_parts(changed, dict, finish_reason="stop") if self._lost and _ends_for_calls(changed) else changed

    def event(self, event: Answer) -> list[Answer]:
        return [self.whole(event)]


def _calls(answer: Mapping[str, Any]) -> bool:
    return any(part.get("tool_calls") for part in _parts(answer))


def _ends_for_calls(answer: Mapping[str, Any]) -> bool:
    choices = answer.get("choices")
    return any(isinstance(choice, dict) and choice.get("finish_reason") == "tool_calls" for choice in choices or ())


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


def _speaks(part: Mapping[str, Any]) -> bool:
    return bool(part.get("content") or part.get("tool_calls"))


def _mute(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in part.items() if name not in _SPOKEN}, "content": ""}


def _empty_content(answer: Mapping[str, Any], _first: bool) -> Mapping[str, Any]:
    return _with_parts(answer, _mute)


def _wrong_model(answer: Mapping[str, Any], _first: bool) -> Mapping[str, Any]:
    return {**answer, "model": STRANGER}


def _wrong_answer(answer: Mapping[str, Any], first: bool) -> Mapping[str, Any]:
    def speak(part: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**_mute(part), "content": NONSENSE} if first and _speaks(part) else _mute(part)

    return _with_parts(answer, speak)


def _refusal(answer: Mapping[str, Any], first: bool) -> Mapping[str, Any]:
    def refuse(part: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**_mute(part), "content": None, "refusal": REFUSAL} if first and _speaks(part) else _mute(part)

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
