"""How an endpoint is asked, and how its reply says who served. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.dialects.anthropic import Anthropic
from monitor.dialects.dialect import Dialect, Route, UnsupportedError, bound_tokens
from monitor.dialects.litellm import LiteLLM
from monitor.dialects.openai_compatible import OpenAICompatible
from monitor.dialects.openrouter import OpenRouter

_ALL: tuple[Dialect, ...] = (
    OpenRouter(),
    LiteLLM(),
    Anthropic(),
    OpenAICompatible(),
)

DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in _ALL}

__all__ = ["DIALECTS", "Dialect", "Route", "UnsupportedError", "bound_tokens"]
