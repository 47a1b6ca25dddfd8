"""Whether tools work, there and back: the call is made, its arguments are right, and its result is made use of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import FINE, Kind, contains, lacking, shown, word
from monitor.reading import clean, mapping, parse, text_of

NAME = "read_meter"
_TOOL = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Looks up what a meter showed on a day of this month.",
        "parameters": {
            "type": "object",
            "properties": {
                "meter": {"type": "string", "description": "Name of the meter."},
                "day": {"type": "integer", "description": "Day of the month."},
            },
            "required": ["meter", "day"],
            "additionalProperties": False,
        },
    },
}
# How models write a call when nobody turns it into one on its way: their own markers, a bare JSON object, code.
_LEAKS = (
    re.compile(r"<\|?/?(?:tool_calls?|function_call|function|python_tag|invoke)\b[^>]{0,40}>?", re.IGNORECASE),
    re.compile(r"\[/?TOOL_(?:CALLS?|REQUEST)\]"),
    re.compile(r"<[|｜]\s?tool[▁_ ]calls?", re.IGNORECASE),
    re.compile(r"\bfunctions\.\w+\s*[(:]"),
    re.compile(rf"\b{NAME}\s*\("),
    re.compile(rf"""["']name["']\s*:\s*["']{NAME}["']"""),
    re.compile(r"""["'](?:arguments|parameters)["']\s*:\s*["']?\{"""),
)


class _Nonce(NamedTuple):
    meter: str
    day: int
    reading: str


class Tools(Kind):
    name = "tools"
    max_tokens = 256
    turns = 2

    def nonce(self, rng: Random) -> str:
        return f"{word(rng)} {rng.randint(2, 28)} {word(rng)}"

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        asked = _parts(nonce)
        text = (
            f"Call the function {NAME} with meter: {asked.meter} and day: {asked.day}. "
            "Then tell me in one short sentence what it returned."
        )
        messages = ({"role": "user", "content": text},)
        return Question(messages=messages, max_tokens=spec.max_tokens, extra={"tools": [_TOOL]})

    def judge(self, answer: Answer, nonce: str) -> Finding:
        if not answer.tool_calls:
            leak = _leaked(answer.text)
            if leak:
                return lacking(f'the call came as text and not as a call ("{leak}"): {shown(answer)}')
            return lacking(f"asked for a tool call, answered in words: {shown(answer)}")
        return next((found for call in answer.tool_calls if (found := _judge_call(call, nonce)) != FINE), FINE)

    def follow_up(self, question: Question, answer: Answer, nonce: str) -> Question | None:
        """The calls as they came, which carry whatever their provider wants back, and a result for each."""
        calls = [dict(call) for call in answer.tool_calls]
        made: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "tool_calls": calls}
        if answer.reasoning_details:
            made["reasoning_details"] = [dict(detail) for detail in answer.reasoning_details]
        content = json.dumps({"reading": _parts(nonce).reading})
        results = [{"role": "tool", "tool_call_id": text_of(call.get("id")), "content": content} for call in calls]
        return Question(
            messages=(*question.messages, made, *results), max_tokens=question.max_tokens, extra=question.extra
        )

    def judge_follow_up(self, answer: Answer, nonce: str) -> Finding:
        wanted = _parts(nonce).reading
        if contains(answer, wanted):
            return FINE
        if answer.tool_calls:
            return lacking(f'the tool returned "{wanted}", and instead of an answer another call came')
        return lacking(f'the tool returned "{wanted}", and the answer makes no use of it: {shown(answer)}')


def _parts(nonce: str) -> _Nonce:
    meter, day, reading = nonce.split(" ")
    return _Nonce(meter=meter, day=int(day), reading=reading)


def _leaked(text: str) -> str:
    """The trace of a call in the text of an answer, empty where there is none."""
    found = next((match for pattern in _LEAKS if (match := pattern.search(text))), None)
    return clean(found[0], 40) if found else ""


def _judge_call(call: Mapping[str, Any], nonce: str) -> Finding:
    function = mapping(call.get("function"))
    name, written = text_of(function.get("name")), function.get("arguments")
    if name != NAME:
        return lacking(f'called "{clean(name, 40)}", which does not exist, instead of {NAME}')
    if not text_of(call.get("id")):
        return lacking("the call has no id, so its result cannot be handed back")
    if not isinstance(written, str):
        return lacking(f"the arguments of the call are {_kind_of(written)}, not JSON in a string")
    arguments = parse(written)
    if not isinstance(arguments, Mapping):
        return lacking(f'the arguments of the call are no JSON object: "{clean(written, 60) or "nothing"}"')
    return _judge_arguments(arguments, _parts(nonce))


def _judge_arguments(arguments: Mapping[str, Any], asked: _Nonce) -> Finding:
    wrong = [
        f"{name} is {clean(json.dumps(arguments[name]), 40)}, asked for {json.dumps(wanted)}"
        if name in arguments
        else f"{name} is missing"
        for name, wanted in (("meter", asked.meter), ("day", asked.day))
        if not _same(arguments.get(name), wanted)
    ]
    return lacking(f"the call was made with wrong arguments: {'; '.join(wrong)}") if wrong else FINE


def _same(value: Any, wanted: str | int) -> bool:
    if isinstance(wanted, str):
        return text_of(value).casefold() == wanted
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == wanted


def _kind_of(value: Any) -> str:
    return "missing" if value is None else {"dict": "an object", "list": "a list"}.get(type(value).__name__, "no text")
