"""What a model of the sandbox says: cheap, repeatable from a seed and the request, good enough to be judged. Pure."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from chaos.sandbox.catalogue import Model
from chaos.sandbox.wanted import Wanted, images_of, text_of, tokens_of

REASONING_TOKENS = 24
DEFAULT_LIMIT = 1024
_EXACTLY = re.compile(r"(?:reply|answer|respond)\s+with\s+exactly[^:\n]*:\s*[\"'`]?([^\s\"'`]+)", re.IGNORECASE)
_SECRET = re.compile(r"secret (?:code|word|number) is[:\s]+[\"'`]?([\w-]+)", re.IGNORECASE)
_WORDS = (
    "amber", "river", "stone", "quiet", "harbor", "lantern", "willow", "copper", "meadow", "signal", "orchard",
    "velvet", "canyon", "thunder", "maple", "silver", "garden", "marble", "compass", "ember", "forest", "violet",
)  # fmt: skip
_COLOURS = {"red": (220, 40, 40), "green": (40, 160, 60), "blue": (40, 80, 220), "yellow": (240, 220, 40),
            "black": (0, 0, 0), "white": (255, 255, 255)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer. ``finish`` as OpenRouter names it; token counts are those of the answer."""

    content: str
    finish: str
    completion_tokens: int
    reasoning_tokens: int = 0
    tool_calls: tuple[Mapping[str, Any], ...] = ()


def say(wanted: Wanted, model: Model, seed: int) -> Said:
    """Reasoning models think first, so a small ``max_tokens`` leaves them nothing to answer with."""
    limit = wanted.max_tokens or DEFAULT_LIMIT
    thought = min(REASONING_TOKENS, limit) if model.reasoning else 0
    if call := _tool_call(wanted, model, seed):
        used = tokens_of(json.dumps(call))
        return Said(
            content="",
            finish="tool_calls",
            completion_tokens=thought + used,
            reasoning_tokens=thought,
            tool_calls=(call,),
        )
    text = _text(wanted, Random(f"{seed}:{model.id}:{text_of(wanted.messages[-1])}"))
    room = (limit - thought) * 4
    cut = text[:room]
    return Said(
        content=cut,
        finish="length" if len(cut) < len(text) or room <= 0 else "stop",
        completion_tokens=thought + tokens_of(cut),
        reasoning_tokens=thought,
    )


def _text(wanted: Wanted, rng: Random) -> str:
    schema = _schema(wanted.body.get("response_format"))
    if schema is not None:
        return json.dumps(instance_of(schema, _prompt(wanted), rng))
    last = wanted.messages[-1]
    if last.get("role") == "tool":
        return f"The result is {text_of(last)}"
    prompt = _prompt(wanted)
    if found := list(_EXACTLY.finditer(prompt)):
        return found[-1][1].rstrip(".")
    if "secret" in text_of(last).lower() and (secret := _SECRET.search(prompt)):
        return secret[1]
    if images := images_of(last):
        return f"The image is {_colour(images[0])}."
    return " ".join(rng.choices(_WORDS, k=24)).capitalize() + "."


def _prompt(wanted: Wanted) -> str:
    return "\n".join(text_of(message) for message in wanted.messages)


def _schema(response_format: Any) -> Mapping[str, Any] | None:
    if not isinstance(response_format, dict):
        return None
    if response_format.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    if response_format.get("type") != "json_schema":
        return None
    schema = (response_format.get("json_schema") or {}).get("schema")
    return schema if isinstance(schema, dict) else {"type": "object"}


def _tool_call(wanted: Wanted, model: Model, seed: int) -> Mapping[str, Any] | None:
    """Called when it must be, or when the prompt names a tool; never after a tool's result."""
    tools = [tool["function"] for tool in wanted.body.get("tools") or () if _is_function(tool)]
    choice = wanted.body.get("tool_choice")
    if not tools or choice == "none" or "tools" not in model.parameters or wanted.messages[-1].get("role") == "tool":
        return None
    forced = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    prompt = _prompt(wanted)
    named = next(
        (tool for tool in tools if tool["name"] == forced or (forced is None and tool["name"] in prompt)), None
    )
    tool = named or (tools[0] if choice == "required" else None)
    if tool is None:
        return None
    rng = Random(f"{seed}:{prompt}")
    arguments = instance_of(tool.get("parameters") or {"type": "object"}, prompt, rng)
    call = {"name": tool["name"], "arguments": json.dumps(arguments)}
    return {"index": 0, "id": f"call_{rng.getrandbits(48):012x}", "type": "function", "function": call}


def _is_function(tool: Any) -> bool:
    return isinstance(tool, dict) and isinstance(tool.get("function"), dict) and "name" in tool["function"]


def instance_of(schema: Mapping[str, Any], prompt: str, rng: Random) -> Any:
    """A value that fits a JSON Schema, with values out of the prompt where they are obvious."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return next((one for one in schema["enum"] if str(one) in prompt), schema["enum"][0])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        return {name: instance_of(part, prompt, rng) for name, part in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [
            instance_of(schema.get("items") or {"type": "string"}, prompt, rng)
            for _ in range(schema.get("minItems", 1))
        ]
    if kind in ("integer", "number"):
        found = re.search(r"-?\d+(?:\.\d+)?", prompt)
        number = float(found[0]) if found else float(schema.get("minimum", rng.randint(1, 9)))
        return int(number) if kind == "integer" else number
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    return _string(schema, prompt, rng)


def _string(schema: Mapping[str, Any], prompt: str, rng: Random) -> str:
    quoted = re.search(r"[\"'`]([^\"'`\n]{1,80})[\"'`]", prompt)
    found = _EXACTLY.search(prompt) or quoted
    text = found[1] if found else rng.choice(_WORDS)
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 200)]


def _colour(url: str) -> str:
    """The plain colour of a small PNG given as a data URL; of anything else only that it is there."""
    try:
        pixel = _first_pixel(base64.b64decode(url.partition("base64,")[2], validate=True))
    except (ValueError, zlib.error, struct.error, IndexError):
        return "there"
    return min(_COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], pixel, strict=True)))


def _first_pixel(png: bytes) -> tuple[int, int, int]:
    """Only what a generated test image is: 8-bit RGB or RGBA, not interlaced (PNG specification)."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[24] != 8 or png[25] not in (2, 6):
        raise ValueError("not a plain RGB image")
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    line = zlib.decompressobj().decompress(data, 4)
    return line[1], line[2], line[3]
