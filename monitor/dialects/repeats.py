"""Reads what is the same in chunk after chunk of a stream only once: nearly all differ in their text alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # what json itself reads texts with; typeshed leaves it out
from typing import Self

_KEY = '"content"'
_OPENING = f'{_KEY}:"'


@dataclass(frozen=True, slots=True)
class Mould:
    """What stands around the text of a chunk, in a chunk that says nothing but its text."""

    before: str
    after: str

    @classmethod
    def of(cls, data: str, text: str) -> Self | None:
        """``text``: what the whole of ``data``, which is JSON, was found to hold as the content of its first delta.

        None where another text in its place could change more than that content. It cannot where no backslash makes
        a quote doubtful and the word stands there once: then what it opens is that content, and nothing else is.
        """
        if "\\" in data or data.count(_KEY) != 1 or (at := data.find(_OPENING)) < 0:
            return None
        start = at + len(_OPENING)
        end = start + len(text)
        return cls(data[:start], data[end:]) if data.startswith(text + '"', start) else None

    def text(self, data: str) -> str | None:
        """The text of another chunk of this mould, as a full reading of its JSON has it; None where it is of none."""
        if not data.startswith(self.before):
            return None
        try:
            text, end = scanstring(data, len(self.before))
        except ValueError:
            return None
        found: str = text
        return found if data[end - 1 :] == self.after else None
