"""How an error is worded for those who asked: the JSON of an error response, and the event of a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chaos.model import ErrorReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The shape of one dialect. ``in_stream``: the name of the event, None for a nameless one, and its data."""

    body: Callable[[ErrorReply], dict[str, Any]]
    in_stream: Callable[[ErrorReply], tuple[str | None, dict[str, Any]]]
