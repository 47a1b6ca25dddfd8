"""Server-sent events from bytes in pieces of any size, as the WHATWG standard reads them; what counts as a token."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.reading import parse

DONE = "[DONE]"
"""The data of the event that ends a stream of completions."""

_LINE_END = re.compile("\r\n|\r|\n")
_CONTENT = ("content", "reasoning", "reasoning_content", "reasoning_details", "refusal", "tool_calls", "function_call")
_DELTAS = ("text", "thinking", "partial_json")
_OF_RESPONSES = re.compile(r"response\.(output_text|refusal|reasoning\w*|function_call_arguments)\.delta")


class EventReader:
    """Feed it bytes; it gives the data of each event once it is complete.

    Comments, other fields and an unfinished last event are left out, as the standard says. CR, LF and CRLF end a line;
    a BOM is skipped; bytes that are no UTF-8 become U+FFFD.
    """

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._line: list[str] = []
        self._data: list[str] = []
        self._after_cr = False
        self._begun = False
        self._between = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """As nearly all come, each event is whole and of one line. Between two events nothing is held back, no line and
        no half of a character, so such bytes can be read by themselves."""
        if self._between and chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") and chunk.find(b"\r") < 0:
            text = str(chunk[6:-2], "utf-8", "replace")
            alone = text.find("\n") < 0
            events = [text] if alone else text.split("\n\ndata: ")
            if alone or text.count("\n") == 2 * (len(events) - 1):
                self._begun = True
                return iter(events)
        return self._any(chunk)

    def _any(self, chunk: bytes) -> Iterator[str]:
        if self._decoder is None:  # a BOM is one at the very beginning alone
            self._decoder = codecs.getincrementaldecoder("utf-8" if self._begun else "utf-8-sig")(errors="replace")
        found = list(self._events(self._decoder.decode(chunk)))
        self._between = chunk.endswith(b"\n") and not (self._line or self._data or self._after_cr)
        return iter(found)

    def _events(self, text: str) -> Iterator[str]:
        for line in self._lines(text):
            if line:
                self._take(line)
            elif self._data:
                data, self._data = "\n".join(self._data), []
                yield data

    @property
    def pending(self) -> str:
        """The data of an event whose closing blank line has not come."""
        return "\n".join(self._data)

    def _lines(self, text: str) -> Iterator[str]:
        if text and self._after_cr:
            text = text.removeprefix("\n")  # the second half of a CRLF that was cut in two
            self._after_cr = False
        start = 0
        for end in _LINE_END.finditer(text):
            self._line.append(text[start : end.start()])
            start = end.end()
            line, self._line = "".join(self._line), []
            yield line
        if start < len(text):
            self._line.append(text[start:])
        elif text:
            self._after_cr = text.endswith("\r")

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))


def bears_content(data: str) -> bool:
    """Whether an event of a chat completion holds part of an answer: text, reasoning or a tool call that is not empty.

    The first such event is the first token; role announcements, keep-alives, usage and errors are none. The deltas of
    Anthropic's Messages and of Responses are read as well.
    """
    event = parse(data)
    if type(event) is not dict:
        return False
    if event.get("type") == "content_block_delta":
        delta = event.get("delta")
        return isinstance(delta, dict) and any(delta.get(name) for name in _DELTAS)
    if "delta" in event and _OF_RESPONSES.fullmatch(str(event.get("type"))):
        return bool(event["delta"])
    choices = event.get("choices")
    return type(choices) is list and any(_has_token(choice) for choice in choices if type(choice) is dict)


def _has_token(choice: Mapping[str, Any]) -> bool:
    if choice.get("text"):
        return True
    for part in (choice.get("delta"), choice.get("message")):
        if type(part) is dict:
            for name in _CONTENT:
                if part.get(name):
                    return True
    return False
