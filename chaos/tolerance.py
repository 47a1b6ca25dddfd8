"""Tolerances of Chaos Toolkit's http probes, held against an answer. Pure.

A status, a list of statuses, or a mapping of the type regex, jsonpath or range over the body or the status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from monitor.config.json_path import find
from monitor.reading import clean

SHOWN = 80
"""Letters of an answer in a sentence."""


def outside(tolerance: Any, status: int, body: str) -> str | None:
    """What is not tolerated, as the rest of a sentence about the answer; None for nothing, and without a tolerance."""
    if tolerance is None:
        return None
    if isinstance(tolerance, int):
        return None if status == tolerance else f"was HTTP {status}, not {tolerance}"
    if isinstance(tolerance, list):
        return None if status in tolerance else f"was HTTP {status}, none of {', '.join(map(str, tolerance))}"
    text = str(status) if tolerance.get("target") == "status" else body
    if tolerance["type"] == "regex":
        found = re.search(tolerance["pattern"], text)
        return None if found else f"does not match {tolerance['pattern']}: {clean(text, SHOWN)}"
    if tolerance["type"] == "range":
        return _out_of_range(tolerance["range"], text)
    return _off_path(tolerance, text)


def _out_of_range(bounds: list[float], text: str) -> str | None:
    try:
        value = float(text)
    except ValueError:
        return f"is no number: {clean(text, SHOWN)}"
    return None if bounds[0] <= value <= bounds[1] else f"is {value:g}, not between {bounds[0]:g} and {bounds[1]:g}"


def _off_path(tolerance: Mapping[str, Any], text: str) -> str | None:
    path = tolerance["path"]
    try:
        found = find(json.loads(text), path)
    except (ValueError, RecursionError):
        return f"is no JSON: {clean(text, SHOWN)}"
    if "expect" in tolerance:
        wanted = tolerance["expect"] if isinstance(tolerance["expect"], list) else [tolerance["expect"]]
        same = found in (wanted, [wanted])
        return None if same else f"has {_shown(found)} at {path}, not {_shown(wanted)}"
    if "count" in tolerance:
        right = len(found) == tolerance["count"]
        return None if right else f"has {len(found)} values at {path}, not {tolerance['count']}"
    return None if found else f"has nothing at {path}"


def _shown(values: list[Any]) -> str:
    return clean(json.dumps(values[0] if len(values) == 1 else values), SHOWN)
