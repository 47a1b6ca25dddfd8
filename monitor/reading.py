"""Reads whatever an upstream sent: each reader takes any value and answers with a usable one. Pure; never raises."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import from_json

_SECRET = re.compile(r"\b(?:sk|pk|key)-[\w-]{6,}|\bbearer\s+\S+", re.IGNORECASE)


def parse(text: str | bytes) -> Any:
    """JSON as it comes, None where it is none (or too deep, or absurd)."""
    try:
        return from_json(text, cache_strings="keys")
    except (ValueError, TypeError):
        pass  # no JSON, or what this reader does not take and the standard library does: much depth, half characters
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    if type(value) is dict:  # what JSON gives: a look at the abstract class costs ten times as much
        return value
    return value if isinstance(value, Mapping) else {}


def choices(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = body.get("choices")
    return tuple([mapping(one) for one in found]) if type(found) is list else ()


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def header(headers: Mapping[str, str] | None, name: str) -> str:
    """The value of a header by its name in lower case, as a Reply has them; empty where it was not sent."""
    return headers.get(name, "") if headers else ""


def number(value: Any) -> float | None:
    """A finite number, also where it was sent as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def clean(text: str, limit: int = 240) -> str:
    """One printable line, encodable, without anything that looks like a key."""
    if len(text) <= limit and text.isascii() and text.isprintable():  # nearly all are: the rest is for the others
        return _one_line(text)
    printable = text[: limit * 8].encode("utf-8", "replace").decode("utf-8")
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in printable).split())
    line = _SECRET.sub("[masked]", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


@lru_cache(maxsize=4096)
def _one_line(text: str) -> str:
    """Of the same names again and again: models, providers, finish reasons."""
    return _SECRET.sub("[masked]", " ".join(text.split()))
