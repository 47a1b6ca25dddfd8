"""How an answer is bent: takes it apart into its JSON and its events, and has those changed by what knows its API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from chaos.injectors.completions import Completion
from chaos.injectors.embeddings import Embeddings
from chaos.injectors.messages import EVENTS, Message
from chaos.injectors.responses import Response
from chaos.injectors.sayings import Answer
from chaos.model import ErrorReply

UPSTREAM_ERROR = ErrorReply(status=502, error_type="provider_unavailable", message="Provider returned error")

_STRANGE = (AttributeError, KeyError, TypeError, ValueError)
"""What an answer of a shape that nobody documents may lead to; it passes as it came, like whatever is no answer."""
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


def halve(data: bytes) -> bytes:
    """JSON that cannot be read."""
    return data[: len(data) // 2] or b"{"


def halve_event(block: bytes) -> bytes:
    """An event, complete as such, whose JSON cannot be read; the name of its type stays."""
    whole = _EVENT_END.sub(b"", block)
    name, field, data = whole.partition(b"data:")
    return (name + field + halve(data.rstrip()) if field else halve(whole)) + b"\n\n"


class EventSplitter:
    """Feed it bytes; it yields whole events as they were written, comments too, each with its blank line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._rest += chunk
        start = 0
        for end in _EVENT_END.finditer(self._rest):
            yield self._rest[start : end.end()]
            start = end.end()
        self._rest = self._rest[start:]

    @property
    def rest(self) -> bytes:
        return self._rest


class Shape(Protocol):
    """One change of one answer of an API: of all of it, or of its events in their order, each of which becomes none,
    one or more. What has no meaning in the API changes nothing."""

    def whole(self, answer: Answer, /) -> Answer: ...

    def event(self, event: Answer, /) -> Sequence[Answer]: ...


_SHAPES: tuple[tuple[Callable[[Answer], bool], Callable[[str], Shape]], ...] = (
    (lambda one: isinstance(one.get("choices"), list), Completion),
    (lambda one: one.get("type") == "message" or str(one.get("type")) in EVENTS, Message),
    (lambda one: one.get("object") == "response" or str(one.get("type")).startswith("response."), Response),
    (lambda one: one.get("object") == "list" and isinstance(one.get("data"), list), Embeddings),
)
"""By what an answer, or an event of one, says of itself. A new API is one more line."""


class Rewrite:
    """A change of the true answer by name, for the events of one answer in their order or for a plain one.

    Whatever is no answer passes unchanged. Raises KeyError for a name that does not exist.
    """

    def __init__(self, name: str) -> None:
        self._shapes = [(matches, make(name)) for matches, make in _SHAPES]

    def body(self, body: bytes) -> bytes:
        answer = _parsed(body)
        shape = self._shape(answer)
        if answer is None or shape is None:
            return body
        try:
            return json.dumps(shape.whole(answer)).encode()
        except _STRANGE:
            return body

    def event(self, block: bytes, data: str) -> bytes:
        event = _parsed(data)
        shape = self._shape(event)
        if event is None or shape is None:
            return block
        try:
            return b"".join(map(_event, shape.event(event)))
        except _STRANGE:
            return block

    def _shape(self, answer: Answer | None) -> Shape | None:
        return None if answer is None else next((shape for matches, shape in self._shapes if matches(answer)), None)


def _parsed(data: bytes | str) -> dict[str, Any] | None:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _event(content: Answer) -> bytes:
    """Events that say their type have it as their name too."""
    kind = content.get("type")
    name = b"event: " + kind.encode() + b"\n" if isinstance(kind, str) else b""
    return name + b"data: " + json.dumps(content).encode() + b"\n\n"
