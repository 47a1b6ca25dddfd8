"""How an answer of OpenAI's Responses API is bent: pure changes of its JSON and of the events of its stream.

Facts: OpenAI's API reference (Responses, Streaming events), and the types of its SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chaos.injectors.sayings import REFUSAL, SAYS, STRANGER, Answer, called, unclosed

_TEXT, _CALL = "response.output_text.", "response.function_call_arguments."
_KEPT = frozenset({"reasoning"})
"""Items that tell how an answer came about, and are none."""


class Response:
    """One answer, plain or in its events one after the other. Raises KeyError for a change that does not exist.

    In a stream the last event repeats everything, so that both must come to the same.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._change = _ITEMS.get(name, _same) if name in SAYS else _ITEMS[name]
        self._sequence = 0
        self._said = False
        self._places: dict[Any, int | None] = {}
        self._begun: dict[Any, Any] = {}

    def whole(self, answer: Answer) -> Answer:
        name, items = self._name, [item for item in answer.get("output") or () if isinstance(item, Mapping)]
        if name == "wrong_model":
            return {**answer, "model": STRANGER}
        if name in SAYS:
            return {**answer, "output": _says(name, items)}
        made = {**answer, "output": [new for item in items if (new := self._change(item)) is not None]}
        return _spent(made) if name == "starved" and answer.get("status") == "completed" else made

    def event(self, event: Answer) -> list[Answer]:
        return [self._numbered(one) for one in self._events(event)]

    def _numbered(self, event: Answer) -> Answer:
        """Left out or put in, events are counted without a gap."""
        self._sequence += 1
        return {**event, "sequence_number": self._sequence - 1} if "sequence_number" in event else event

    def _events(self, event: Answer) -> Iterator[Answer]:
        response = event.get("response")
        if isinstance(response, Mapping):
            last = self._name == "starved" and event["type"] == "response.completed"
            yield {**event, "response": self.whole(response), **({"type": "response.incomplete"} if last else {})}
        elif self._name == "wrong_model" or "output_index" not in event:
            yield event
        elif self._name in SAYS:
            yield from self._say(event)
        else:
            yield from self._of_item(event, event["output_index"])

    def _say(self, event: Answer) -> Iterator[Answer]:
        """Of all items nothing is left; in place of the first that answers comes what is said."""
        item = event.get("item")
        if self._said or not isinstance(item, Mapping) or item.get("type") in _KEPT:
            return
        self._said = True
        for said in _says(self._name, [item]):
            yield from _spoken(said, "sequence_number" in event)

    def _of_item(self, event: Answer, old: Any) -> Iterator[Answer]:
        """Items that are left out leave no gap in the places of the others."""
        item = event.get("item")
        if old not in self._places and isinstance(item, Mapping):
            kept = sum(place is not None for place in self._places.values())
            self._places[old] = kept if self._change(item) is not None else None
        place = self._places.get(old, old)
        if place is None:
            return
        event = {**event, "output_index": place}
        if isinstance(item, Mapping):
            yield from self._item(event, item)
        else:
            yield from _PIECES.get(self._name, _as_it_is)(event, self._begun)

    def _item(self, event: Answer, item: Answer) -> Iterator[Answer]:
        changed = self._change(item) or item
        if event.get("type") != "response.output_item.added":
            yield {**event, "item": changed}
            return
        if changed.get("type") == item.get("type"):
            yield {**event, "item": changed}
            return
        yield {**event, "item": {**changed, "content": []}}
        if item.get("type") == "function_call":  # a call has no parts, what it becomes has one
            part = _part(event, str(item.get("id")), "response.content_part.added", "")
            yield part
            self._begun[event["output_index"]] = item.get("name")
            yield _delta_of(part, called(item.get("name"), ""))


def _says(name: str, items: list[Answer]) -> list[Answer]:
    """The one message that is said in place of an answer, if any is."""
    if name == "empty_content" or not any(item.get("type") not in _KEPT for item in items):
        return []
    part = {"type": "refusal", "refusal": REFUSAL} if name == "refusal" else _text(SAYS[name])
    return [{"id": "msg_fallbackd", "type": "message", "role": "assistant", "status": "completed", "content": [part]}]


def _text(text: str) -> Answer:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _spoken(message: Answer, numbered: bool) -> Iterator[Answer]:
    """All events of a message with one part."""
    (part,) = message["content"]
    kind, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
    more = {"sequence_number": 0} if numbered else {}
    logs: Answer = {"logprobs": []} if field == "text" else {}
    item = {"output_index": 0, **more}
    inner = {"item_id": message["id"], "content_index": 0, **item}
    begun = {**message, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", **item, "item": begun}
    yield {"type": "response.content_part.added", **inner, "part": {**part, field: ""}}
    yield {"type": f"response.{kind}.delta", **inner, "delta": part[field], **logs}
    yield {"type": f"response.{kind}.done", **inner, field: part[field], **logs}
    yield {"type": "response.content_part.done", **inner, "part": part}
    yield {"type": "response.output_item.done", **item, "item": message}


def _spent(answer: Answer) -> Answer:
    """As one ends whose tokens went into reasoning."""
    made = {**answer, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    usage = answer.get("usage")
    if not isinstance(usage, Mapping):
        return made
    details = {**(usage.get("output_tokens_details") or {}), "reasoning_tokens": usage.get("output_tokens", 0)}
    return {**made, "usage": {**usage, "output_tokens_details": details}}


# Changes of one item of an answer: None leaves it out.


def _same(item: Answer) -> Answer:
    return item


def _think(item: Answer) -> Answer | None:
    if item.get("type") != "message":
        return item if item.get("type") in _KEPT else None
    texts = [{"type": "reasoning_text", "text": part.get("text", "")} for part in _parts(item)]
    return {"id": item.get("id"), "type": "reasoning", "summary": [], "content": texts, "status": item.get("status")}


def _as_text(item: Answer) -> Answer:
    if item.get("type") != "function_call":
        return item
    text = called(item.get("name"), str(item.get("arguments") or ""))
    own = {"id": item.get("id"), "type": "message", "role": "assistant", "status": item.get("status")}
    return {**own, "content": [_text(text)]}


def _never_closed(item: Answer) -> Answer:
    broken = {**item, "arguments": unclosed(item.get("arguments") or "")}
    return broken if item.get("type") == "function_call" else item


def _unclosed_text(item: Answer) -> Answer:
    return {**item, "content": [_broken(part) for part in _parts(item)]} if item.get("type") == "message" else item


def _broken(part: Answer) -> Answer:
    return {**part, "text": unclosed(part["text"])} if "text" in part else part


def _parts(item: Answer) -> list[Answer]:
    return [part for part in item.get("content") or () if isinstance(part, Mapping)]


_ITEMS: Mapping[str, Callable[[Answer], Answer | None]] = {
    "wrong_model": _same,
    "starved": _think,
    "tool_call_as_text": _as_text,
    "broken_tool_arguments": _never_closed,
    "broken_json": _unclosed_text,
}

# Changes of the events between the beginning and the end of an item. ``begun``: the names of calls that come
# as text, by place.


def _as_it_is(event: Answer, begun: Mapping[Any, Any]) -> Iterator[Answer]:  # noqa: ARG001 - one interface for all
    yield event


def _thinking(event: Answer, begun: Mapping[Any, Any]) -> Iterator[Answer]:  # noqa: ARG001 - as above
    kind, part = str(event.get("type")), event.get("part")
    if isinstance(part, Mapping):
        yield {**event, "part": {"type": "reasoning_text", "text": part.get("text", "")}}
    elif kind in (_TEXT + "delta", _TEXT + "done"):
        left = {name: value for name, value in event.items() if name != "logprobs"}
        yield {**left, "type": kind.replace("output_text", "reasoning_text")}
    elif kind.startswith("response.reasoning"):
        yield event


def _written(event: Answer, begun: Mapping[Any, Any]) -> Iterator[Answer]:
    kind, place = event.get("type"), event.get("output_index")
    if place not in begun or not str(kind).startswith(_CALL):
        yield event
    elif kind == _CALL + "delta":
        yield _delta_of(event, str(event.get("delta")))
    elif kind == _CALL + "done":
        text = called(begun[place], str(event.get("arguments")))
        left = {name: value for name, value in event.items() if name not in ("arguments", "name")}
        yield {**left, "type": _TEXT + "done", "content_index": 0, "text": text, "logprobs": []}
        yield _part(event, str(event.get("item_id")), "response.content_part.done", text)


def _unclosed_call(event: Answer, begun: Mapping[Any, Any]) -> Iterator[Answer]:  # noqa: ARG001 - as above
    ours = str(event.get("type")).startswith(_CALL)
    yield {**event, **{name: unclosed(event[name]) for name in ("delta", "arguments") if ours and name in event}}


def _unclosed_words(event: Answer, begun: Mapping[Any, Any]) -> Iterator[Answer]:  # noqa: ARG001 - as above
    ours, part = str(event.get("type")).startswith(_TEXT), event.get("part")
    made = {name: unclosed(event[name]) for name in ("delta", "text") if ours and name in event}
    yield {**event, **made, **({"part": _broken(part)} if isinstance(part, Mapping) else {})}


_PIECES: Mapping[str, Callable[[Answer, Mapping[Any, Any]], Iterator[Answer]]] = {
    "starved": _thinking,
    "tool_call_as_text": _written,
    "broken_tool_arguments": _unclosed_call,
    "broken_json": _unclosed_words,
}


def _delta_of(event: Answer, text: str) -> Answer:
    left = {name: value for name, value in event.items() if name != "part"}
    return {**left, "type": _TEXT + "delta", "content_index": 0, "delta": text, "logprobs": []}


def _part(event: Answer, item: str, kind: str, text: str) -> Answer:
    numbered = {"sequence_number": 0} if "sequence_number" in event else {}
    place = {"item_id": item, "output_index": event["output_index"], "content_index": 0}
    return {"type": kind, **place, **numbered, "part": _text(text)}
