"""Changes an application's request so that its router leaves targets out. Pure.

Only the members that an edit changes are written anew: every other byte of the body stays what it was. Whatever is
doubtful is not changed at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from chaos.edits import Edit, UneditableError
from chaos.gateway.record import Copy

ROUTES = ("/chat/completions", "/completions", "/responses", "/messages")
"""Where a request may name ``models`` and ``provider`` (fact sheet: request; formats)."""
BOUND = (
    "content-encoding",
    "content-md5",
    "content-digest",
    "digest",
    "repr-digest",
    "signature",
    "x-amz-content-sha256",
)
"""Fields that say something of the body's bytes, which would be wrong of others."""
_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an application has sent. ``header`` finds a field by its name in any case."""

    method: str
    path: str
    header: Callable[[str], str | None]
    body: Copy


def reshaped(request: Request, edits: Iterable[Edit]) -> bytes:
    """The body as the edits change it. Raises UneditableError where that is not surely the same request otherwise."""
    if request.method != "POST" or not request.path.partition("?")[0].rstrip("/").endswith(ROUTES):
        raise UneditableError("is no question to a model")
    bound = next((name for name in BOUND if request.header(name) is not None), None)
    if bound is not None:
        raise UneditableError(f"is bound to its bytes by the field {bound}")
    if not request.body.size or not request.body.whole:
        raise UneditableError("has no body, or one that is passed on piece by piece, as it comes")
    return edited(b"".join(request.body.head), edits)


def edited(raw: bytes, edits: Iterable[Edit]) -> bytes:
    """Raises UneditableError."""
    members = _Members(raw)
    before: Mapping[str, Any] = {name: value for name, (value, _, _) in members.found.items()}
    after = before
    for edit in edits:
        after = edit(after)
    changed = {name: value for name, value in after.items() if name not in before or value != before[name]}
    if not changed:
        raise UneditableError("holds nothing that the fault would change")
    try:
        return members.replaced({name: json.dumps(value, allow_nan=False) for name, value in changed.items()})
    except ValueError:
        raise UneditableError("has a number that JSON does not know") from None


class _Members:
    """The members of a JSON object, each with its value and where that stands in the text."""

    def __init__(self, raw: bytes) -> None:
        try:
            self._text = raw.decode("utf-8")
            self._begin, self.found = _members(self._text)
        except (ValueError, RecursionError):
            raise UneditableError("is no JSON object") from None

    def replaced(self, changed: Mapping[str, str]) -> bytes:
        """The text with these values, as JSON, in the place of theirs; what is new comes first."""
        text = self._text
        places = sorted((self.found[name][1:], value) for name, value in changed.items() if name in self.found)
        for (start, end), value in reversed(places):
            text = text[:start] + value + text[end:]
        new = [f"{json.dumps(name)}: {value}" for name, value in changed.items() if name not in self.found]
        added = ", ".join(new) + (", " if new and self.found else "")
        return (text[: self._begin] + added + text[self._begin :]).encode("utf-8")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _members(text: str) -> tuple[int, dict[str, tuple[Any, int, int]]]:
    """Where the first member may begin; and name -> (value, start, end). Raises ValueError for what is no JSON object,
    or one that says a thing twice."""
    at = _past(text, 0, "{")
    begin, found = at, dict[str, tuple[Any, int, int]]()
    at = _skip(text, at)
    while text[at : at + 1] != "}":
        if found:
            at = _skip(text, _past(text, at, ","))
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _past(text, at, ":"))
        value, end = _DECODER.raw_decode(text, start)
        if not isinstance(name, str) or name in found:
            raise ValueError(name)
        found[name] = (value, start, end)
        at = _skip(text, end)
    if _skip(text, at + 1) != len(text):
        raise ValueError(text[at : at + 10])
    return begin, found


def _skip(text: str, at: int) -> int:
    """Past white space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _past(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(text[at : at + 10])
    return at + 1
