"""The real OpenAI SDK as the application, on each way by which a fault can come, and what it sees in one line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import anyio.to_thread
import httpx
import openai
from openai import AsyncOpenAI, OpenAI

from chaos.faults import FAULTS, resolve
from chaos.gateway import Gateway, Rule
from chaos.injectors.transport import TransportInjector
from chaos.model import Injection, Strike
from chaos.sandbox import Sandbox
from monitor.clock import SystemClock
from monitor.offering import Catalogue
from tests.gateway.conftest import KEY, SONNET, config

FOR_EVER = 30.0
"""Seconds: whoever sleeps for longer does so until the test is over."""
PATIENCE = 2.0
"""Seconds that the application waits for whatever never comes."""
WAIT = 3.0
OPTIONS: dict[str, dict[str, float]] = {
    **{name: {"seconds": WAIT, "jitter": 0.0} for name in ("delay", "slow_connect", "slow_first_token")},
    "slow_chunks": {"seconds": 0.2, "jitter": 0.0},
    "bandwidth": {"rate": 150},
}
"""Waits that show, where the defaults would make no difference."""


class ShortClock(SystemClock):
    """Time goes on as ever, but sleeping is short; ``slept`` is what was asked for."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.002 if seconds < FOR_EVER else 3600)


@dataclass
class Way:
    """An application before an endpoint whose every answer meets one fault. ``met``: how many requests did."""

    application: AsyncOpenAI
    clock: ShortClock
    met: Callable[[], int]


class Marked(httpx.AsyncBaseTransport):
    """Requests as a drill sends them."""

    def __init__(self, inner: httpx.AsyncBaseTransport, **marks: Any) -> None:
        self._inner = inner
        self._marks = marks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["fallbackd"] = self._marks
        return await self._inner.handle_async_request(request)


class Impatient(AsyncOpenAI):
    """Retries as the SDK does, but without waiting; ``waits`` is how long it would have."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.waits: list[float] = []

    def _calculate_retry_timeout(self, *args: Any, **more: Any) -> float:
        self.waits.append(super()._calculate_retry_timeout(*args, **more))
        return 0.0


def application(url: str, *, retries: int, **settings: Any) -> Impatient:
    return Impatient(base_url=url, api_key=KEY, max_retries=retries, **settings)


def strike(fault: str) -> Strike:
    return Strike(
        positions=(0,),
        fault=fault,
        options=resolve(fault, OPTIONS.get(fault, {})),
        shape=FAULTS[fault].shape,
        shape_options=FAULTS[fault].shape_options,
    )


@asynccontextmanager
async def by_transport(fault: str, retries: int) -> AsyncIterator[Way]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_sandbox(Sandbox()))
        clock = ShortClock()
        injection = Injection(
            chain="chat", drill="gone", run="r", strikes=(strike(fault),), injector="transport",
            until=clock.now() + 600, max_count=100,
        )  # fmt: skip
        injector = TransportInjector(injection, clock, Random(1))
        inner = await stack.enter_async_context(httpx.AsyncHTTPTransport())
        transport = Marked(injector.wrap(inner), chain="chat", drill="gone", position=0)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
        yield Way(application(url, retries=retries, http_client=client), clock, lambda: injector.count)


@asynccontextmanager
async def by_gateway(fault: str, retries: int, *, seed: int = 0, most: int = 100) -> AsyncIterator[Way]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_sandbox(Sandbox()))
        clock = ShortClock()
        made = config(url)
        assert made.gateway is not None
        gateway = Gateway(made, made.gateway, told=lambda _: None, catalogue=lambda _: Catalogue(), clock=clock)
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        gateway.rules.arm(
            Rule(
                id="r", chain="chat", drill="gone", run="r", strikes=(strike(fault),), until=clock.now() + 600,
                max_count=most, seed=seed,
            )
        )  # fmt: skip
        headers = {"X-Fallbackd-Drill": "r"}
        asking = application(f"{gateway.url}/v1", retries=retries, default_headers=headers)
        await stack.enter_async_context(asking)
        yield Way(asking, clock, lambda: gateway.rules.listed()[0][1])


@asynccontextmanager
async def by_sandbox(fault: str, retries: int) -> AsyncIterator[Way]:
    clock = ShortClock()
    sandbox = Sandbox(clock=clock, router_timeout=20.0)
    async with _sandbox(sandbox) as url:
        one = strike(fault)
        sandbox.break_(SONNET, None, fault, one.options, shape=one.shape, shape_options=one.shape_options)
        asking = application(url, retries=retries)
        async with asking:
            yield Way(asking, clock, lambda: len(sandbox.requests))


@asynccontextmanager
async def _sandbox(sandbox: Sandbox) -> AsyncIterator[str]:
    url = await sandbox.start()
    try:
        yield url
    finally:
        await sandbox.stop()


WAYS = {"transport": by_transport, "gateway": by_gateway, "sandbox": by_sandbox}

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_TEXT = {"messages": [{"role": "user", "content": "Tell me something."}]}
_TOOLS = {**_TEXT, "tools": [TOOL], "tool_choice": "required"}
_SEEING = [
    {"type": "text", "text": "What do you see?"},
    {"type": "image_url", "image_url": {"url": PICTURE}},
]
HANGS = frozenset({"silent", "stall"})
QUESTIONS: dict[str, dict[str, Any]] = {
    "tool_call_as_text": _TOOLS,
    "broken_tool_arguments": _TOOLS,
    "broken_json": {**_TEXT, "response_format": {"type": "json_object"}},
    "blind": {"messages": [{"role": "user", "content": _SEEING}]},
    "forgetful": {"messages": [{"role": "user", "content": f"The secret code is 4711. {'x ' * 5000} Say the secret."}]},
}
"""What has to be asked for a fault to show; else a text."""


async def seen(way: Way, fault: str, *, stream: bool, tools: bool = False) -> str:
    """What the application gets, in one line."""
    question = _TOOLS if tools else QUESTIONS.get(fault, _TEXT)
    way.clock.slept.clear()
    asking = way.application.with_options(timeout=PATIENCE) if fault in HANGS else way.application
    told = await _asked(asking, question, stream=stream)
    return f"{told}, late" if fault not in HANGS and _late(way.clock.slept) else told


def _late(slept: list[float]) -> bool:
    return sum(one for one in slept if one < FOR_EVER) >= WAIT


async def seen_blocking(way: Way, fault: str) -> str:
    """The same of the SDK's client that blocks, in a thread of its own."""
    asking = OpenAI(
        base_url=way.application.base_url,
        api_key=KEY,
        max_retries=0,
        timeout=PATIENCE if fault in HANGS else 30,
        default_headers={"X-Fallbackd-Drill": "r"},
    )

    def ask() -> str:
        with asking:
            try:
                return _plain(asking.chat.completions.create(model=SONNET, **QUESTIONS.get(fault, _TEXT)))
            except TROUBLE as error:
                return named(error)

    told = await anyio.to_thread.run_sync(ask)
    return f"{told}, late" if fault not in HANGS and _late(way.clock.slept) else told


TROUBLE = (openai.APIError, httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError, TimeoutError)


def named(error: Exception, tokens: int = 0) -> str:
    if isinstance(error, openai.APIStatusError):
        return f"{type(error).__name__} {error.status_code}"
    cause = f" ({type(error.__cause__).__name__})" if isinstance(error, openai.APIConnectionError) else ""
    return f"{type(error).__name__}{cause}{f' after {tokens} token' if tokens else ''}"


async def _asked(asking: AsyncOpenAI, question: dict[str, Any], *, stream: bool) -> str:
    tokens: list[str] = []
    try:
        async with asyncio.timeout(2 * PATIENCE * (1 + asking.max_retries) if asking.timeout == PATIENCE else 30):
            if stream:
                return await _streamed(asking, question, tokens)
            return _plain(await asking.chat.completions.create(model=SONNET, **question))
    except TROUBLE as error:
        return named(error, len(tokens))


def _plain(answer: Any) -> str:
    if isinstance(answer, str):
        return f"a text: {answer[:9]!r}"
    if not answer.choices:
        return f"no choices, error {answer.error['code']}" if getattr(answer, "error", None) else "no choices"
    choice = answer.choices[0]
    message = choice.message
    return told(
        answer.model, message.content or "", message.refusal,
        [call.function.arguments for call in message.tool_calls or ()], choice.finish_reason,
    )  # fmt: skip


async def _streamed(asking: AsyncOpenAI, question: dict[str, Any], tokens: list[str]) -> str:
    model, refusal, finish, arguments = "", "", None, ""
    stream = await asking.chat.completions.create(model=SONNET, stream=True, **question)
    async for event in stream:
        model = event.model or model
        for choice in event.choices or ():
            finish = choice.finish_reason or finish
            tokens += [choice.delta.content] if choice.delta.content else []
            refusal += choice.delta.refusal or ""
            arguments += "".join(call.function.arguments or "" for call in choice.delta.tool_calls or ())
    return told(model, "".join(tokens), refusal, [arguments] if arguments else [], finish)


def told(model: str, content: str, refusal: str | None, calls: list[str], finish: str | None) -> str:
    if refusal:
        what = "a refusal"
    elif calls:
        what = f"a tool call of {'good' if _is_json(calls[0]) else 'bad'} JSON"
    elif content.startswith("<tool_call>"):
        what = "a tool call as text"
    elif content.startswith("{"):
        what = f"{'good' if _is_json(content) else 'bad'} JSON"
    else:
        what = "a beginning" if content and finish is None else "words" if len(content) > 60 else repr(content)
    stranger = "" if "sonnet" in model or "claude" in model else f" by {model or 'nobody'}"
    return f"{what}{stranger}, {finish}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
