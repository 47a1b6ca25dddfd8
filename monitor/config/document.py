"""A config file as it was written: plain values, and the line on which each of them stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.config.showing import place
from monitor.errors import Problem

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One parsed file. ``lines`` maps the path of every key and every item to its line, counted from 1. ``root`` is
    None where the file could not be read. ``digest`` is of its bytes."""

    file: str
    root: Any
    digest: bytes = b""
    lines: Mapping[Steps, int] = field(default_factory=dict)

    def line(self, path: Steps) -> int | None:
        """The line of a path, or of the nearest section around it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def problem(self, path: Steps, message: str) -> Problem:
        return Problem(self.file, self.line(path), place(path), message)

    @property
    def top(self) -> Node:
        return Node(document=self, path=(), value=self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value with its place. What is absent or of another type than asked for reads as empty, never as an error."""

    document: Document
    path: Steps
    value: Any

    def __getitem__(self, key: str) -> Node:
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(document=self.document, path=(*self.path, key), value=value)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def items(self) -> tuple[Node, ...]:
        """The items of a list."""
        every = self.value if isinstance(self.value, list) else []
        return tuple(Node(document=self.document, path=(*self.path, i), value=v) for i, v in enumerate(every))

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The keys and values of a mapping."""
        for key in self.value if isinstance(self.value, dict) else ():
            yield key, self[key]

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of a list."""
        return tuple(item.value for item in self.items() if isinstance(item.value, str))

    @property
    def line(self) -> int | None:
        return self.document.line(self.path)

    def problem(self, message: str) -> Problem:
        return self.document.problem(self.path, message)
