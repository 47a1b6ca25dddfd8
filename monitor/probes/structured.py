"""Whether a JSON schema is obeyed: the answer is JSON and nothing else, fits the schema, and holds what was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import FINE, Kind, lacking, shown, word
from monitor.reading import clean, parse

_STATES = ("open", "closed", "waiting")
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "ticket": {"type": "string"},
        "priority": {"type": "integer"},
        "state": {"type": "string", "enum": list(_STATES)},
    },
    "required": ["ticket", "priority", "state"],
    "additionalProperties": False,
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {"string": str, "integer": int}
_FENCE = re.compile(r"^\s*```[\w-]*\s*\n?(.*?)\n?\s*```\s*$", re.DOTALL)


class Structured(Kind):
    name = "structured"
    max_tokens = 256

    def nonce(self, rng: Random) -> str:
        return f"{word(rng)} {rng.randint(2, 90)} {rng.choice(_STATES)}"

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        ticket, priority, state = nonce.split(" ")
        text = f"Return this record as JSON. ticket: {ticket}, priority: {priority}, state: {state}"
        named = {"name": "record", "strict": True, "schema": SCHEMA}
        return Question(
            messages=({"role": "user", "content": text},),
            max_tokens=spec.max_tokens,
            extra={"response_format": {"type": "json_schema", "json_schema": named}},
        )

    def judge(self, answer: Answer, nonce: str) -> Finding:
        record = parse(answer.text)
        if record is None:
            return lacking(_unreadable(answer))
        if broken := list(violations(record)):
            return lacking(f"the answer breaks the schema: {'; '.join(broken[:3])}")
        ticket, priority, state = nonce.split(" ")
        wanted = {"ticket": ticket, "priority": int(priority), "state": state}
        wrong = [name for name, value in wanted.items() if record[name] != value]
        if not wrong:
            return FINE
        told = ", ".join(f"{name} {clean(json.dumps(record[name]), 40)}" for name in wrong)
        asked = ", ".join(f"{name} {json.dumps(wanted[name])}" for name in wrong)
        return lacking(f"the answer fits the schema and holds other values: {told}; asked for {asked}")


def violations(record: Any) -> Iterator[str]:
    """How a value breaks ``SCHEMA``; each in a few words."""
    if not isinstance(record, dict):
        yield f"it is {_name(record)}, not an object"
        return
    properties: Mapping[str, Mapping[str, Any]] = SCHEMA["properties"]
    for name in SCHEMA["required"]:
        if name not in record:
            yield f"{name} is missing"
    for name, value in record.items():
        if name not in properties:
            yield f'"{clean(name, 40)}" is not in the schema'
        elif not _is_a(value, properties[name]["type"]):
            yield f"{name} is {_name(value)}, not {_article(properties[name]['type'])}"
        elif value not in properties[name].get("enum", [value]):
            yield f'{name} is "{clean(value, 40)}", which is none of {", ".join(properties[name]["enum"])}'


def _unreadable(answer: Answer) -> str:
    fenced = _FENCE.match(answer.text)
    if fenced and isinstance(parse(fenced[1]), dict):
        return f"the JSON came inside a code fence, which no parser takes: {shown(answer)}"
    inside = answer.text[answer.text.find("{") : answer.text.rfind("}") + 1]
    if isinstance(parse(inside), dict):
        return f"the JSON came with words around it: {shown(answer)}"
    return f"the answer is not JSON: {shown(answer)}"


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and not isinstance(value, bool)


def _name(value: Any) -> str:
    names = {"NoneType": "null", "bool": "a boolean", "str": "a string", "list": "a list", "dict": "an object"}
    return names.get(type(value).__name__, "a number")


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
