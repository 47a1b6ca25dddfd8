"""Makes a value that fits a JSON Schema, with values out of the prompt where they are obvious. Pure; never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from monitor.reading import number

WORDS = [
    "amber",
    "river",
    "stone",
    "quiet",
    "harbor",
    "lantern",
    "willow",
    "copper",
    "meadow",
    "signal",
    "orchard",
    "velvet",
    "canyon",
    "thunder",
    "maple",
    "silver",
    "garden",
    "marble",
    "compass",
    "ember",
    "forest",
    "violet",
    "island",
    "mirror",
    "falcon",
]
EXACTLY = re.compile(r"(?:reply|answer|respond)\s+with\s+exactly[^:\n]*:\s*[\"'`]?([^\s\"'`]+)", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'`]([^\"'`\n]{1,80})[\"'`]")
_NAMED = re.compile(r"\b(?:in|of|for|at|to|is|named|called)\s+([A-Z][\w-]*(?:\s[A-Z][\w-]*)*)")
_NUMBERS = re.compile(r"(?<![\w.])-?\d{1,9}(?:\.\d{1,6})?(?![\w])")
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 12
_LONGEST = 1000


def instance_of(schema: Any, prompt: str, rng: Random) -> Any:
    """Of what JSON Schema knows: types, properties, enum, const, bounds, formats, anyOf, allOf and local references."""
    return _Maker(schema if isinstance(schema, Mapping) else {}, prompt, rng).make(schema, "", 0)


class _Maker:
    def __init__(self, root: Mapping[str, Any], prompt: str, rng: Random) -> None:
        self._root = root
        self._prompt = prompt
        self._rng = rng

    def make(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(options := schema.get("enum"), list) and options:
            return next((one for one in options if isinstance(one, str) and one in self._prompt), options[0])
        if isinstance(choices := schema.get("anyOf") or schema.get("oneOf"), list) and choices:
            return self.make(choices[0], name, depth + 1)
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if kind == "object" or isinstance(schema.get("properties"), Mapping):
            return self._object(schema, depth)
        if kind == "array":
            least = _count(schema.get("minItems"), 1)
            return [self.make(schema.get("items") or {"type": "string"}, name, depth + 1) for _ in range(least)]
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind in ("boolean", "null"):
            return True if kind == "boolean" else None
        return self._string(schema, name)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        parts = schema.get("properties")
        parts = parts if isinstance(parts, Mapping) else {}
        required = schema.get("required")
        named = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        return {name: self.make(parts.get(name, {}), name, depth + 1) for name in dict.fromkeys([*parts, *named])}

    def _number(self, schema: Mapping[str, Any], *, whole: bool) -> float:
        low, high = number(schema.get("minimum")), number(schema.get("maximum"))
        for text in _NUMBERS.findall(self._prompt):
            found = float(text)
            if (low is None or found >= low) and (high is None or found <= high) and (not whole or found == int(found)):
                return int(found) if whole else found
        value = low if low is not None else min(1.0, high) if high is not None else 1.0
        return int(value) if whole else value

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        kind = schema.get("format")
        if isinstance(kind, str) and kind in _FORMATS:
            return _FORMATS[kind]
        text = self._stated(name) or self._rng.choice(WORDS)
        return text.ljust(_count(schema.get("minLength"), 0), "x")[: _count(schema.get("maxLength"), 200)]

    def _stated(self, name: str) -> str | None:
        """What the prompt says about it: ``name: value``, the word to repeat, something quoted, a proper name."""
        own = re.search(rf"\b{re.escape(name)}\b\s*[:=]\s*[\"'`]?([^\s\"'`,;]+)", self._prompt) if name else None
        found = own or EXACTLY.search(self._prompt) or _QUOTED.search(self._prompt) or _NAMED.search(self._prompt)
        return found[1].rstrip(".") if found else None

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            schema = self._target(reference)
        parts = schema.get("allOf")
        if not isinstance(parts, list):
            return schema
        merged: dict[str, Any] = {}
        for part in (*parts, schema):
            if isinstance(part, Mapping):
                properties = {**_mapping(merged.get("properties")), **_mapping(part.get("properties"))}
                merged |= {**part, **({"properties": properties} if properties else {})}
        return merged

    def _target(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = _mapping(found).get(step, found if not step else None)
        return _mapping(found)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any, otherwise: int) -> int:
    found = number(value)
    return otherwise if found is None else int(min(max(found, 0), _LONGEST))
