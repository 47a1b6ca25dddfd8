"""Reads whatever an upstream sent: each reader takes any value and answers with a usable one. Pure; never raises."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"\b(?:sk|pk|key)-[\w-]{6,}|\bbearer\s+\S+", re.IGNORECASE)


def parse(text: str | bytes) -> Any:
    """JSON as it comes, None where it is none (or too deep, or absurd)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def choices(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = body.get("choices")
    return tuple(map(mapping, found)) if isinstance(found, list) else ()


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def header(headers: Mapping[str, str] | None, name: str) -> str:
    """The value of a header, whatever the case of its name; empty where it was not sent."""
    return next((value for own, value in (headers or {}).items() if own.lower() == name), "")


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
        return _SECRET.sub("[masked]", " ".join(text.split()))
    printable = text[: limit * 8].encode("utf-8", "replace").decode("utf-8")
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in printable).split())
    line = _SECRET.sub("[masked]", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
