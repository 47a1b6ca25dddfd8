"""How the answer of a model that can do something is changed into that of one that cannot. Pure.

A change takes and gives the ``message`` of an answer, or one ``delta`` of a stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaos.apis import Api, changes

SAYINGS = {"blind": "There is no picture that I could see. ", "forgetful": "The text does not tell of it. "}
_OF_CALLS = frozenset({"tool_call_as_text", "broken_tool_arguments"})
LONG = 8000
"""Characters: who is forgetful loses what stands in a prompt of more than this."""


def concerns(rewrite: str | None, body: Any, api: Api = Api.CHAT) -> bool:
    """Whether a change has to do with a request: one without picture says nothing about who is blind, one without tools
    gets no call that could be broken, and who asks for vectors is told nothing."""
    if rewrite is None:
        return True
    if not changes(rewrite, api):
        return False
    if rewrite in _OF_CALLS:
        return isinstance(body, Mapping) and bool(body.get("tools"))
    if rewrite not in ("blind", "forgetful"):
        return True
    texts, pictures = _content(body)
    return pictures > 0 if rewrite == "blind" else texts > LONG


def _content(body: Any) -> tuple[int, int]:
    """(characters of text, number of pictures) of a request."""
    texts = pictures = 0
    for part in _parts(body):
        if part.get("type") in ("image_url", "image", "input_image"):
            pictures += 1
        elif isinstance(part.get("text"), str):
            texts += len(part["text"])
    return texts, pictures


def _parts(body: Any) -> Iterator[Mapping[str, Any]]:
    asked = (body.get("messages") or body.get("input")) if isinstance(body, Mapping) else None
    if isinstance(asked, str):  # the short form of Responses
        yield {"text": asked}
    for message in asked if isinstance(asked, list) else ():
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str):
            yield {"text": content}
        elif isinstance(content, list):
            yield from (part for part in content if isinstance(part, Mapping))


def _functions(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    calls = part.get("tool_calls")
    found = [call.get("function") for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []
    return [one for one in found if isinstance(one, Mapping)]


def _as_text(part: Mapping[str, Any]) -> dict[str, Any]:
    if not (functions := _functions(part)):
        return dict(part)
    rest = {name: value for name, value in part.items() if name != "tool_calls"}
    return {**rest, "content": "".join(map(_written, functions))}


def _written(function: Mapping[str, Any]) -> str:
    """The name comes once, at the start of a call; later pieces of a stream hold arguments alone."""
    name, arguments = function.get("name"), function.get("arguments") or ""
    return f'<tool_call>{{"name": {json.dumps(name)}, "arguments": {arguments}' if name else str(arguments)


def _broken_arguments(part: Mapping[str, Any]) -> dict[str, Any]:
    if not _functions(part):
        return dict(part)
    return {**part, "tool_calls": [_never_closed(call) for call in part["tool_calls"]]}


def _never_closed(call: Any) -> Any:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return call
    return {**call, "function": {**function, "arguments": str(function.get("arguments") or "").replace("}", "")}}


def _broken_json(part: Mapping[str, Any]) -> dict[str, Any]:
    content = part.get("content")
    return {**part, "content": content.replace("}", "")} if isinstance(content, str) else dict(part)


def _says(text: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def change(part: Mapping[str, Any]) -> dict[str, Any]:
        return {**part, "content": text} if part.get("content") else dict(part)

    return change


UNFIT: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "tool_call_as_text": _as_text,
    "broken_tool_arguments": _broken_arguments,
    "broken_json": _broken_json,
    **{name: _says(text) for name, text in SAYINGS.items()},
}
WHOLE = frozenset(SAYINGS)
"""Those that say something else altogether: in a stream, once."""
