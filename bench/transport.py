"""What a probe's way of asking costs: httpx's own transport, AioTransport and bare aiohttp against one local stub.

Fifty requests in flight, plain answers and paced streams, all in the same run; medians over a few rounds, and ratios to
bare aiohttp. Run: .venv/bin/python bench/transport.py (under a minute). The stub has a process of its own, so that
CPU time is the client's alone.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import aiohttp
import httpx
from aiohttp import web

from monitor.clock import SystemClock
from monitor.exchange import Ask, Fate
from monitor.transport import AioTransport
from monitor.wire import exchange

IN_FLIGHT = 50
PLAIN_REQUESTS = 600
STREAM_REQUESTS = 200
ROUNDS = 3
EVENTS = 12
PACE = 0.005
STREAM_SECONDS = EVENTS * PACE
ANSWER = {"model": "m", "choices": [{"message": {"content": "pong"}, "finish_reason": "stop"}]}
TOKEN = b'data: {"choices":[{"delta":{"content":"pong"}}]}\n\n'
BODY = {"model": "m", "messages": [{"role": "user", "content": "ping"}]}

One = Callable[[str], Awaitable[None]]
"""Ask once and read the answer to its end."""


@dataclass(frozen=True)
class Round:
    """``cpu``: microseconds of ours for a request. ``latency``: seconds, 50th and 99th percentile."""

    cpu: float
    p50: float
    p99: float


def serve(ready: Connection) -> None:
    async def plain(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(ANSWER)

    async def stream(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(EVENTS):
            await asyncio.sleep(PACE)
            await response.write(TOKEN)
        await response.write(b"data: [DONE]\n\n")
        return response

    async def main() -> None:
        app = web.Application()
        app.add_routes([web.post("/plain", plain), web.post("/stream", stream)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


async def measure(ask: One, url: str, requests: int) -> Round:
    left, seconds = iter(range(requests)), []

    async def worker() -> None:
        for _ in left:
            started = time.perf_counter()
            await ask(url)
            seconds.append(time.perf_counter() - started)

    cpu = time.process_time()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    cpu = time.process_time() - cpu
    cuts = statistics.quantiles(seconds, n=100)
    return Round(cpu=cpu / requests * 1e6, p50=cuts[49], p99=cuts[98])


def with_httpx(client: httpx.AsyncClient) -> One:
    async def ask(url: str) -> None:
        async with client.stream("POST", url, json=BODY) as response:
            async for _ in response.aiter_bytes():
                pass

    return ask


def with_aiohttp(session: aiohttp.ClientSession) -> One:
    async def ask(url: str) -> None:
        async with session.post(url, data=json.dumps(BODY), headers={"Content-Type": "application/json"}) as response:
            async for _ in response.content.iter_any():
                pass

    return ask


def with_exchange(transport: httpx.AsyncBaseTransport) -> One:
    async def ask(url: str) -> None:
        stream = url.endswith("/stream")
        question = Ask(method="POST", url=url, headers={}, body=BODY, stream=stream, deadline=30.0, first_token=15.0)
        reply = await exchange(transport, question, SystemClock())
        assert reply.fate is Fate.ANSWERED, reply

    return ask


async def compare(base: str) -> None:
    limits = httpx.Limits(max_connections=IN_FLIGHT * 2, max_keepalive_connections=IN_FLIGHT * 2)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT * 2)) as session,
        httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as plain_httpx,
        AioTransport() as transport,
        httpx.AsyncClient(trust_env=False, timeout=30, transport=transport) as over_aiohttp,
    ):
        ways = {
            "bare aiohttp": with_aiohttp(session),
            "httpx over AioTransport": with_httpx(over_aiohttp),
            "exchange over AioTransport": with_exchange(transport),
            "httpx's own transport": with_httpx(plain_httpx),
        }
        for path, requests in (("plain", PLAIN_REQUESTS), ("stream", STREAM_REQUESTS)):
            rounds: dict[str, list[Round]] = {name: [] for name in ways}
            for _ in range(ROUNDS):  # taking turns, so that a busy machine is busy for all of them
                for name, ask in ways.items():
                    rounds[name].append(await measure(ask, f"{base}/{path}", requests))
            report(path, rounds)


def report(path: str, rounds: dict[str, list[Round]]) -> None:
    paced = f", a stream takes {STREAM_SECONDS * 1000:.0f} ms" if path == "stream" else ""
    print(f"\n{path}: {IN_FLIGHT} in flight, medians of {ROUNDS} rounds{paced}")
    print(f"  {'':28}{'CPU/request':>14}{'ratio':>8}{'p50':>10}{'p99':>10}")
    base = statistics.median(one.cpu for one in rounds["bare aiohttp"])
    for name, found in rounds.items():
        cpu, p50, p99 = (statistics.median(getattr(one, part) for one in found) for part in ("cpu", "p50", "p99"))
        print(f"  {name:28}{cpu:>11.0f} us{cpu / base:>8.1f}{p50 * 1000:>7.1f} ms{p99 * 1000:>7.1f} ms")


def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        asyncio.run(compare(f"http://127.0.0.1:{ours.recv()}"))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
