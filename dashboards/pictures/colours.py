"""Grafana's named colours as they are on a light page, and its ways from a value to a colour and a word."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

PAGE = "#f4f5f5"
PANEL = "#ffffff"
TEXT = "#24292e"
FAINT = "#6e7175"
RULE = "#e3e5e8"

HUES = {
    "green": "#56a64b",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "blue": "#3274d9",
    "purple": "#a352cc",
    "dark-purple": "#7c2ea3",
    "dark-blue": "#1250b0",
    "light-orange": "#ff9830",
    "text": TEXT,
}
SERIES = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300")


def threshold(value: float, thresholds: Mapping[str, Any]) -> str:
    """The colour of the last step that the value reaches."""
    reached = [step for step in thresholds["steps"] if step["value"] is None or value >= step["value"]]
    return HUES[reached[-1]["color"]]


def mapped(value: float | str, mappings: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The (text, colour) that stands for a value; None where no mapping fits."""
    for mapping in mappings:
        options = mapping["options"]
        if mapping["type"] == "value":
            found = options.get(value if isinstance(value, str) else f"{value:g}")
        else:
            found = options["result"] if isinstance(value, float) and math.isnan(value) else None
        if found is not None:
            return found["text"], HUES[found["color"]]
    return None


def of_series(name: str, index: int, overrides: list[dict[str, Any]]) -> str:
    """The fixed colour of a series by its name, or the next of the palette."""
    for override in overrides:
        if override["matcher"] == {"id": "byName", "options": name}:
            for change in override["properties"]:
                if change["id"] == "color":
                    return HUES[change["value"]["fixedColor"]]
    return SERIES[index % len(SERIES)]
