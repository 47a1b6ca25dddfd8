"""Turns the settings of other programs into a commented ``chains.yaml``. Pure: a document in, a text out.

A new source is a new file and one line in this list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.config.document import Document
from monitor.imports import litellm, openrouter, portkey
from monitor.imports.draft import Draft, Wish
from monitor.imports.writing import write

Convert = Callable[[Document, Wish], Draft]
"""Raises ConfigError with every problem of the document."""

SOURCES: Mapping[str, Convert] = {
    "litellm": litellm.convert,
    "openrouter": openrouter.convert,
    "portkey": portkey.convert,
}

__all__ = ["SOURCES", "Convert", "Draft", "Wish", "write"]
