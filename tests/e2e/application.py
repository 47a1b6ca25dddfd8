"""A small application behind a gateway, as a process: asks a chain through the openai SDK, one model after another.

``python application.py BASE_URL PORT MANNER [MODEL ...]``; manners: ``good`` moves on to the next model, ``stuck``
never does, ``mad`` repeats the first at once, whatever the answer. POST /chat takes {"text": ...}.
"""

from __future__ import annotations

import sys

from aiohttp import web
from openai import APIError, AsyncOpenAI

KEY = "sk-or-v1-application0123456789abc"
TRIES = {"good": 1, "stuck": 1, "mad": 12}


class Application:
    def __init__(self, base: str, manner: str, models: list[str]) -> None:
        retries = 0 if manner == "mad" else 1
        self._client = AsyncOpenAI(base_url=base, api_key=KEY, max_retries=retries, timeout=10)
        self._models = models if manner == "good" else models[:1] * TRIES[manner]

    async def chat(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        if request.headers.get("Authorization") != "Bearer app-key":
            return web.json_response({"error": "who are you?"}, status=401)
        headers = {name: value for name, value in request.headers.items() if name == "X-Fallbackd-Drill"}
        ask = [{"role": "user", "content": text}]
        for model in self._models:
            try:
                found = await self._client.chat.completions.create(model=model, messages=ask, extra_headers=headers)  # type: ignore[arg-type]  # plain dicts are what applications write
            except APIError:
                continue
            return web.json_response({"answer": found.choices[0].message.content, "model": found.model, "ok": True})
        return web.json_response({"error": "no model answered"}, status=502)


def main() -> None:
    base, port, manner, *models = sys.argv[1:]
    app = web.Application()
    app.add_routes([web.post("/chat", Application(base, manner, models).chat)])
    web.run_app(app, host="127.0.0.1", port=int(port), print=None)


if __name__ == "__main__":
    main()
