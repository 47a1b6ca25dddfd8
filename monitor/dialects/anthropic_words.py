"""A question in the words of Anthropic's Messages API: roles, content blocks, tools, schemas. Pure.

Facts: Anthropic docs "Messages", "Tool use", "Vision", "Structured outputs".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitor.reading import mapping, parse, text_of

Block = dict[str, Any]


def system_of(messages: Iterable[Mapping[str, Any]]) -> str:
    """What stands in a field of its own here: the system messages, in order."""
    return "\n\n".join(text_of(message.get("content")) for message in messages if message.get("role") == "system")


def messages_of(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The others. Results of tools are a user's blocks, and those that follow one another are one message."""
    written: list[dict[str, Any]] = []
    for message in messages:
        if message.get("role") == "system":
            continue
        role = "assistant" if message.get("role") == "assistant" else "user"
        blocks = list(_blocks(message))
        if written and message.get("role") == "tool" and written[-1]["role"] == "user":
            written[-1]["content"].extend(blocks)
        else:
            written.append({"role": role, "content": blocks})
    return written


def extra_of(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What a kind of question adds. Thinking is left to the model: how it is asked for differs from model to model."""
    written: dict[str, Any] = {}
    for name, value in extra.items():
        match name:
            case "reasoning":
                continue
            case "tools" if isinstance(value, list):
                written["tools"] = [_tool(mapping(mapping(tool).get("function"))) for tool in value]
            case "tool_choice":
                written["tool_choice"] = _choice(value)
            case "response_format":
                schema = mapping(mapping(value).get("json_schema")).get("schema")
                written["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
            case _:
                written[name] = value
    return written


def _blocks(message: Mapping[str, Any]) -> Iterator[Block]:
    if message.get("role") == "tool":
        result = {"tool_use_id": text_of(message.get("tool_call_id")), "content": text_of(message.get("content"))}
        yield {"type": "tool_result", **result}
        return
    details = message.get("reasoning_details")
    yield from (dict(mapping(block)) for block in (details if isinstance(details, list) else ()))
    content = message.get("content")
    if isinstance(content, list):
        yield from (_part(mapping(part)) for part in content)
    elif text_of(content):
        yield {"type": "text", "text": content}
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = mapping(mapping(call).get("function"))
        arguments = mapping(parse(text_of(function.get("arguments"))))
        called = {"id": text_of(mapping(call).get("id")), "name": text_of(function.get("name"))}
        yield {"type": "tool_use", **called, "input": dict(arguments)}


def _part(part: Mapping[str, Any]) -> Block:
    url = text_of(mapping(part.get("image_url")).get("url"))
    if not url:
        return {"type": "text", "text": text_of(part.get("text"))}
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _tool(function: Mapping[str, Any]) -> Block:
    schema = function.get("parameters") or {"type": "object"}
    named = {name: function[name] for name in ("name", "description") if name in function}
    return {**named, "input_schema": schema}


def _choice(value: Any) -> Block:
    named = text_of(mapping(mapping(value).get("function")).get("name"))
    if named:
        return {"type": "tool", "name": named}
    return {"type": {"required": "any", "none": "none"}.get(text_of(value), "auto")}
