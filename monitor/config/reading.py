"""From bytes to a Document: strict YAML whose every value keeps its line.

Scalars mean what YAML 1.2 says: ``on``, ``no``, ``12:30``, ``010`` and dates are text. Refused are repeated keys,
keys that are no text, tags, merge keys, several documents, and whatever is too large or too deep to be a config.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from monitor.config.document import Document, Steps
from monitor.config.showing import place, quote
from monitor.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_VALUES = 100_000

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def read(path: Path) -> tuple[Document, tuple[Problem, ...]]:
    """The file's values and what is wrong with its form. A file that cannot be read has no values (root None)."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return _refused(file, None, f"cannot be read: {why}")
    return parse(data, file)


def parse(data: bytes, file: str) -> tuple[Document, tuple[Problem, ...]]:
    """As ``read``, from bytes."""
    if len(data) > MAX_BYTES:
        return _refused(file, None, "is larger than 1 MB; that is no file of settings")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _refused(file, line, f"is not UTF-8 text (byte 0x{data[error.start]:02x}); save it as UTF-8")
    try:
        node = _Composer(text).get_single_node()
    except _RefusedError as error:
        return _refused(file, error.line, error.message)
    except yaml.YAMLError as error:
        return _refused(file, *_syntax(error, text))
    if node is None:
        return _refused(file, None, "is empty")
    reader = _Values(file)
    try:
        root = reader.value(node, ())
    except _RefusedError as error:
        return _refused(file, error.line, error.message)
    if root is None:
        return _refused(file, None, "is empty")
    if not isinstance(root, dict):
        return _refused(file, node.start_mark.line + 1, f"holds {quote(root)} where settings (key: value) belong")
    document = Document(file=file, root=root, lines=reader.lines, digest=hashlib.sha256(data).digest())
    return document, tuple(reader.problems)


def _refused(file: str, line: int | None, message: str) -> tuple[Document, tuple[Problem, ...]]:
    return Document(file=file, root=None), (Problem(file, line, "", message),)


class _RefusedError(Exception):
    """The file as a whole cannot be used."""

    def __init__(self, mark: yaml.Mark, message: str) -> None:
        self.line = mark.line + 1
        self.message = message
        super().__init__(message)


class _Composer(yaml.BaseLoader):
    """PyYAML's composer without tags and with a limit on depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _RefusedError(event.start_mark, f"the tag {quote(tag)} is not supported; leave it out")
        if self._depth >= MAX_DEPTH:
            raise _RefusedError(event.start_mark, f"nested more than {MAX_DEPTH} deep")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Values:
    """Turns nodes into plain values and notes their lines. An alias is expanded where it stands, so that a mistake
    in it has a path; the number of values bounds what a chain of aliases can grow into."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Steps, int] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._count = 0

    def value(self, node: yaml.Node, path: Steps) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _RefusedError(node.start_mark, f"holds more than {MAX_VALUES} values, its aliases written out")
        if len(path) > MAX_DEPTH:
            raise _RefusedError(node.start_mark, "an alias (*) leads back into itself")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*path, index)] = item.start_mark.line + 1
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, path: Steps) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            line = key_node.start_mark.line + 1
            if key in found:
                self._note(line, (*path, key), f"is set twice; line {self.lines[(*path, key)]} sets it first")
                continue
            self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        return found

    def _key(self, node: yaml.Node, path: Steps) -> str | None:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode):
            self._note(line, path, "a key must be text, not a list or a mapping")
            return None
        if node.value == "<<" and node.style is None:
            self._note(line, path, "merge keys (<<) are not supported; write the settings out")
            return None
        if not isinstance(self._scalar(node, path), str):
            self._note(line, path, f"the key {node.value or 'null'} is not text; write it in quotes")
            return None
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, path: Steps) -> Any:
        text: str = node.value
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self._note(node.start_mark.line + 1, path, "holds half of a surrogate pair (\\ud800 to \\udfff)")
            return "?"
        if node.style is not None:
            return text
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if _INT.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _note(self, line: int, path: Steps, message: str) -> None:
        self.problems.append(Problem(self._file, line, place(path), message))


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """Line and sentence for what is no YAML at all."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before) - before.rfind("\n")
        shown = f"U+{ord(text[error.position]):04X}"
        return before.count("\n") + 1, f"column {column}: the character {shown} cannot stand in YAML; remove it"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return None, "this is not YAML"
    mark, begun = error.problem_mark, error.context_mark
    sentence = _explain(error.problem or "")
    if begun is not None and begun.line != mark.line and "bracket" in sentence:
        sentence += f" (begun in line {begun.line + 1})"
    return mark.line + 1, f"column {mark.column + 1}: {sentence}"


_CAUSES = (
    (r"'\\t' that cannot start", "a tab; YAML is indented with spaces"),
    (r"but found another document", "a second document begins here (---); write one document only"),
    (r"undefined alias", "an alias (*name) without its anchor (&name) before it"),
    (r"duplicate anchor", "the anchor (&name) is set twice"),
    (r"mapping values are not allowed", 'a ":" where none can stand; a text that holds ": " goes in quotes'),
    (r"could not find expected ':'", 'a line without ":"; a setting is written as key: value'),
    (r"that cannot start any token", "a character that no value can begin with; put the text in quotes"),
    (r"end of stream|unexpected end", "the file ends inside a quoted text or a bracket"),
    (r"expected <block end>", "indented differently from the lines above it, or a bracket too many"),
    (r"expected ',' or '[\]}]'", "a bracket is not closed, or a comma is missing"),
    (r"escape", "an unknown \\ escape in a \"…\" text; use '…' to take it literally"),
)


def _explain(problem: str) -> str:
    for pattern, sentence in _CAUSES:
        if re.search(pattern, problem):
            return sentence
    return f"this is not YAML ({problem})" if problem else "this is not YAML"
