"""An endpoint that answers Responses (plain, streamed, with a call) and Embeddings in OpenAI's shapes, over a socket.

Facts: OpenAI's API reference (Responses, Streaming events, Embeddings).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import Any

from aiohttp import web

Json = dict[str, Any]

WORDS = ("Once upon a time ", *(f"word {number} " for number in range(20)))
JSON_WORDS = ('{"story": {', '"end": "good"', "}", "}")
ARGUMENTS = ('{"city": ', '{"name": ', '"Rome"', "}}")
USAGE = {
    "input_tokens": 7, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 16,
}  # fmt: skip
VECTOR = tuple(number / 256 for number in range(128))


@dataclass
class OpenAIEndpoint:
    """``asked``: (path, body) of every request. It thinks before it answers, as reasoning models do."""

    asked: list[tuple[str, Json]] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> str:
        app = web.Application()
        app.add_routes([web.post("/v1/responses", self._respond), web.post("/v1/embeddings", self._embed)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append((request.path, body))
        answer = response(body)
        if not body.get("stream"):
            return web.json_response(answer)
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        for number, event in enumerate(events(answer, lambda _: pieces(body))):
            data = json.dumps({**event, "sequence_number": number})
            await reply.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
        return reply

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append((request.path, body))
        packed = base64.b64encode(pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
        vector = packed if body.get("encoding_format") == "base64" else list(VECTOR)
        data = [{"object": "embedding", "index": 0, "embedding": vector}]
        usage = {"prompt_tokens": 4, "total_tokens": 4}
        return web.json_response({"object": "list", "model": body["model"], "data": data, "usage": usage})


def pieces(body: Json) -> tuple[str, ...]:
    """What is said, as it comes."""
    if body.get("tools"):
        return ARGUMENTS
    return JSON_WORDS if (body.get("text") or {}).get("format", {}).get("type") == "json_object" else WORDS


def response(body: Json) -> Json:
    thought = {"id": "rs_1", "type": "reasoning", "summary": [], "status": "completed"}
    text = "".join(pieces(body))
    said: Json = {
        "id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }  # fmt: skip
    call = {
        "id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": text,
        "status": "completed",
    }  # fmt: skip
    return {
        "id": "resp_1", "object": "response", "created_at": 1700000000, "status": "completed", "error": None,
        "incomplete_details": None, "model": body["model"], "output": [thought, call if body.get("tools") else said],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": USAGE,
    }  # fmt: skip


def events(answer: Json, cut: Callable[[str], Sequence[str]]) -> Iterator[Json]:
    """The stream of an answer; ``cut`` says in which pieces a text comes."""
    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    of_kind = {"message": _message, "function_call": _call}
    for place, item in enumerate(answer["output"]):
        at = {"output_index": place}
        begun = {**item, "status": "in_progress", **({"content": []} if "content" in item else {})}
        begun |= {"arguments": ""} if "arguments" in item else {}
        yield {"type": "response.output_item.added", **at, "item": begun}
        yield from of_kind.get(item["type"], _nothing)(item, {"item_id": item["id"], **at}, cut)
        yield {"type": "response.output_item.done", **at, "item": item}
    yield {"type": "response.completed", "response": answer}


def _nothing(*_: object) -> Iterator[Json]:
    yield from ()


def _message(item: Json, at: Json, cut: Callable[[str], Sequence[str]]) -> Iterator[Json]:
    for number, part in enumerate(item["content"]):
        here = {**at, "content_index": number}
        yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
        for piece in cut(part["text"]):
            yield {"type": "response.output_text.delta", **here, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **here, "part": part}


def _call(item: Json, at: Json, cut: Callable[[str], Sequence[str]]) -> Iterator[Json]:
    for piece in cut(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
    yield {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"], "name": item["name"]}
