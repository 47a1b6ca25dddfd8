"""Several faults on one exchange at once, as one effect. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from chaos.model import Effect

_WHOLE = Effect()
_WAITS = frozenset({"delay", "first_token_delay", "chunk_delay"})


def together(effects: Iterable[Effect]) -> Effect:
    """Waits add up; where two say something else about the same, the first one counts."""
    made = _WHOLE
    for effect in effects:
        made = replace(made, **{one.name: _both(one.name, made, effect) for one in fields(Effect)})
    return made


def _both(name: str, first: Effect, second: Effect) -> Any:
    own, added = getattr(first, name), getattr(second, name)
    if name in _WAITS:
        return own + added
    return added if own == getattr(_WHOLE, name) else own
