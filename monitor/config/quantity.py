"""Quantities as people write them: ``30s``, ``99.5%``."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"
_DURATION = re.compile(rf"(?:{_PART})+")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_duration(value: Any) -> float:
    """``1m30s`` in seconds. Raises ValueError for a number without unit, since nobody can tell what it means."""
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return sum(float(amount) * _UNITS[unit] for amount, unit in re.findall(_PART, value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"a duration needs a unit: write {value}s, {value}m or {value}h")
    raise ValueError("not a duration; write a number and a unit (ms, s, m, h, d), as in 30s or 1m30s")


def format_duration(seconds: float) -> str:
    """The shortest text that ``parse_duration`` reads back: 90 -> ``1m30s``."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    rest, parts = round(seconds, 3), []
    for unit in ("d", "h", "m"):
        amount, rest = divmod(rest, _UNITS[unit])
        if amount:
            parts.append(f"{int(amount)}{unit}")
    if rest or not parts:
        parts.append(f"{rest:.3f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)


def parse_percent(value: Any) -> float:
    """``99.5%`` as a share between 0 and 1. Raises ValueError where the sign is missing."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a percentage; write it with its sign, as in 99.5%")
    share = float(match[1]) / 100
    if share > 1:
        raise ValueError("a percentage lies between 0% and 100%")
    return share


def format_percent(share: float) -> str:
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^({_PART})+$", "examples": ["30s", "5m", "1m30s"]}),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(format_percent, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$", "examples": ["99.5%"]}),
]
