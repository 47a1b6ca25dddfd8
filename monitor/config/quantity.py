"""Quantities as people write them: ``30s``, ``99.5%``."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from monitor.config.showing import quote

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_PART = rf"({_NUMBER})(ms|s|m|h|d)"
_DURATION = re.compile(rf"(?:{_PART})+", re.ASCII)
_PERCENT = re.compile(rf"({_NUMBER})\s*%", re.ASCII)
_LONGEST = 3650 * 86400.0


def parse_duration(value: Any) -> float:
    """``1m30s`` in seconds. Raises ValueError for a number without unit, since nobody can tell what it means."""
    text = str(value)
    if re.fullmatch(_NUMBER, text, re.ASCII) and not isinstance(value, bool):
        raise ValueError(f"{text} has no unit; write {text}s, {text}m or {text}h")
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError(
            f"{quote(value)} is not a duration; write a number and a unit (ms, s, m, h, d), as in 30s or 1m30s"
        )
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in re.findall(_PART, value))
    if seconds > _LONGEST:
        raise ValueError(f"{quote(value)} is longer than ten years")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text that ``parse_duration`` reads back: 90 -> ``1m30s``."""
    if 0 < seconds < 1:
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
        raise ValueError(f"{quote(value)} is not a percentage; write it with its sign, as in 99.5%")
    share = float(match[1]) / 100
    if share > 1:
        raise ValueError(f"{quote(value)} is more than 100%")
    return share


def format_percent(share: float) -> str:
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$", "examples": ["30s", "5m", "1m30s"]}
    ),
]
Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(format_percent, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$", "examples": ["99.5%"]}),
]
