"""What a chain may need of every target, as far as the catalogue tells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from monitor.model import Catalogue, ModelEntry
from monitor.naming import find_entry

_RULES: Mapping[str, Callable[[ModelEntry], bool]] = {
    "tools": lambda entry: "tools" in entry.parameters,
    "structured": lambda entry: not entry.parameters.isdisjoint({"structured_outputs", "response_format"}),
    "vision": lambda entry: "image" in entry.modalities,
    "reasoning": lambda entry: entry.reasoning or "reasoning" in entry.parameters,
}

CAPABILITIES = frozenset(_RULES)


def missing(needs: Iterable[str], model: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The needs that a model cannot meet. Nothing is held against a model whose abilities are not known."""
    entry = find_entry(model, catalogue)
    if entry is None or not (entry.parameters or entry.modalities):
        return ()
    return tuple(need for need in needs if need in _RULES and not _RULES[need](entry))
