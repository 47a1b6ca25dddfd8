"""Simple JSON paths: ``$.answer.choices[0]['text']``, and ``[*]`` for every item. Pure."""

from __future__ import annotations

import re
from typing import Any

Step = str | int | None
"""A key, a place in a list, or (None) every item."""

_STEP = re.compile(
    r"\.(?P<key>[A-Za-z_][\w-]*)|\[(?P<at>\d{1,6})\]|\[(?P<any>\*)\]|\.(?P<star>\*)|\[(['\"])(?P<quoted>[^'\"]+)\5\]"
)


def parse_path(path: Any) -> tuple[Step, ...]:
    """Raises ValueError with a sentence for what is no simple path."""
    if not isinstance(path, str) or not path.startswith("$"):
        raise ValueError(f"{path!r} is no JSON path; write one that begins with $, as in $.answer.ok")
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise ValueError(
                f"{path!r} cannot be carried over from {path[at:]!r} on; write a plain path, as in $.a.b[0]"
            )
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def find(body: Any, path: str) -> list[Any]:
    """Every value at the path; none where there is nothing. Raises ValueError as ``parse_path``."""
    found = [body]
    for step in parse_path(path):
        found = [inner for value in found for inner in _below(value, step)]
    return found


def _step(found: re.Match[str]) -> Step:
    if found["at"] is not None:
        return int(found["at"])
    return found["key"] or found["quoted"]


def _below(value: Any, step: Step) -> list[Any]:
    if step is None:
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
