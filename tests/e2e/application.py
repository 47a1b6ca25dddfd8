"""A small application behind a gateway, as a process: asks a chain through the openai SDK.

``python application.py BASE_URL PORT MANNER NAME ...``. Manners that walk the chain of models NAME themselves: ``good``
moves on to the next model, ``stuck`` never does, ``mad`` repeats the first at once, whatever the answer. Manners that
have the endpoint walk it, in one request: ``models`` lists the models NAME, ``order`` asks the first NAME at the
providers that follow; ``models-stream`` and ``order-stream`` stream. ``models-mad`` allows Anthropic alone, and asks
again and again. POST /chat takes {"text": ...}. The environment may name the key, as UPSTREAM_KEY.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from aiohttp import web
from openai import APIError, AsyncOpenAI

KEY = "sk-or-v1-application0123456789abc"
TRIES = {"good": 1, "stuck": 1, "mad": 12}


def asks(manner: str, names: list[str]) -> list[dict[str, Any]]:
    """What names the model of each try, until one is answered."""
    if manner == "models-mad":
        body = {"models": names, "provider": {"only": ["anthropic"]}}
        return [{"model": names[0], "extra_body": body}] * TRIES["mad"]
    if manner.startswith("models"):
        return [{"model": names[0], "extra_body": {"models": names}}]
    if manner.startswith("order"):
        return [{"model": names[0], "extra_body": {"provider": {"order": names[1:]}}}]
    return [{"model": name} for name in (names if manner == "good" else names[:1] * TRIES[manner])]


class Application:
    def __init__(self, base: str, manner: str, names: list[str]) -> None:
        retries, key = 0 if manner.endswith("mad") else 1, os.environ.get("UPSTREAM_KEY", KEY)
        self._client = AsyncOpenAI(base_url=base, api_key=key, max_retries=retries, timeout=10)
        self._asks = asks(manner, names)
        self._streams = manner.endswith("-stream")

    async def chat(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        if request.headers.get("Authorization") != "Bearer app-key":
            return web.json_response({"error": "who are you?"}, status=401)
        headers = {name: value for name, value in request.headers.items() if name == "X-Fallbackd-Drill"}
        for ask in self._asks:
            try:
                answer, model = await self._ask(text, {**ask, "extra_headers": headers})
            except APIError:
                continue
            return web.json_response({"answer": answer, "model": model, "ok": True})
        return web.json_response({"error": "no model answered"}, status=502)

    async def _ask(self, text: str, ask: dict[str, Any]) -> tuple[str | None, str]:
        messages: Any = [{"role": "user", "content": text}]
        if not self._streams:
            found = await self._client.chat.completions.create(messages=messages, **ask)
            return found.choices[0].message.content, found.model
        answer, model = "", ""
        async for chunk in await self._client.chat.completions.create(messages=messages, stream=True, **ask):
            model = chunk.model
            answer += "".join(choice.delta.content or "" for choice in chunk.choices)
        return answer, model


def main() -> None:
    base, port, manner, *names = sys.argv[1:]
    app = web.Application()
    app.add_routes([web.post("/chat", Application(base, manner, names).chat)])
    web.run_app(app, host="127.0.0.1", port=int(port), print=None)


if __name__ == "__main__":
    main()
