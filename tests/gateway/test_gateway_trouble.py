"""When something is wrong on either side, or with us: what each side sees, and that traffic goes on."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any

import aiohttp
import pytest

from chaos.sandbox import Sandbox
from monitor.errors import StartError
from monitor.model import Outcome, Path, Reason, Status
from tests.fakes.ports import free_port
from tests.gateway.conftest import KEY, MINI, SONNET, Endpoint, Start, chain

pytestmark = pytest.mark.anyio

ASKED = json.dumps({"model": SONNET, "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"model":"%s","choices":[{"delta":{"content":"a"}}]}\n\n' % SONNET.encode()
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


def post(body: bytes) -> bytes:
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def test_an_endpoint_that_is_down_is_told_as_502_in_a_shape_that_clients_read(start: Start) -> None:
    passing = await start(f"http://127.0.0.1:{free_port()}/v1")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{passing.base}/chat/completions", data=ASKED) as answer,
    ):
        body = await answer.json()
    assert (answer.status, answer.headers["X-Fallbackd-Gateway"]) == (502, "endpoint_unreachable")
    assert body["error"]["type"] == "endpoint_unreachable"
    (outcome,) = await passing.told()
    assert (outcome.status, outcome.reason, outcome.target) == (Status.FAILED, Reason.CONNECT, "primary")


async def test_the_first_chunk_leaves_before_the_second_arrives(start: Start, endpoint: Endpoint) -> None:
    endpoint.hold = asyncio.Event()
    endpoint.answer = [HEAD + CHUNK, CHUNK + b"0\r\n\r\n"]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.url)
    writer.write(post(ASKED))
    async with asyncio.timeout(5):
        await reader.readuntil(CHUNK)
    endpoint.hold.set()
    async with asyncio.timeout(5):
        assert await reader.readuntil(b"0\r\n\r\n") == CHUNK + b"0\r\n\r\n"
    writer.close()


async def test_a_stream_that_breaks_off_breaks_off_for_the_client_too(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [HEAD + CHUNK, None]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.url)
    writer.write(post(ASKED))
    async with asyncio.timeout(5):
        seen = await reader.read()
    writer.close()
    assert seen.endswith(CHUNK)
    assert b"0\r\n\r\n" not in seen
    (outcome,) = await passing.told()
    assert (outcome.reason, outcome.path) == (Reason.CUT, None)


async def test_a_client_that_leaves_ends_the_exchange_with_the_endpoint(start: Start, endpoint: Endpoint) -> None:
    endpoint.hold = asyncio.Event()
    endpoint.answer = [HEAD + CHUNK, CHUNK]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.url)
    writer.write(post(ASKED))
    await reader.readuntil(CHUNK)
    writer.close()
    async with asyncio.timeout(5):
        (outcome,) = await passing.told()
    assert (outcome.status, outcome.path) == (Status.ERROR, None)
    endpoint.hold.set()
    async with asyncio.timeout(5):
        await endpoint.closed.wait()


async def test_an_endpoint_that_closes_a_connection_without_an_answer_is_told_as_502(
    start: Start, endpoint: Endpoint
) -> None:
    endpoint.answer = [None]
    passing = await start(endpoint.url)
    async with aiohttp.ClientSession() as session, session.post(f"{passing.base}/chat/completions", data=ASKED) as got:
        assert got.status == 502


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_request_that_is_too_large_gets_413_and_does_not_arrive(
    start: Start, endpoint: Endpoint, framing: str
) -> None:
    passing = await start(endpoint.url, max_body_mib=1)
    body = b"x" * (1024 * 1024 + 1)

    async def stream() -> Any:
        for begin in range(0, len(body), 65536):
            yield body[begin : begin + 65536]

    async with aiohttp.ClientSession() as session:
        data = io.BytesIO(body) if framing == "length" else stream()
        async with session.post(f"{passing.base}/chat/completions", data=data) as answer:
            assert answer.status == 413
            assert (await answer.json())["error"]["type"] == "request_too_large"
    assert endpoint.requests == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\x00", b'{"model": 3}', b'{"model":"' + b"x" * 5000])
async def test_a_request_that_makes_no_sense_is_passed_on_untouched(
    start: Start, endpoint: Endpoint, body: bytes
) -> None:
    endpoint.answer = [b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"]
    passing = await start(endpoint.url)
    async with aiohttp.ClientSession() as session, session.post(f"{passing.base}/chat/completions", data=body) as got:
        assert got.status == 400
    assert endpoint.requests[0].partition(b"\r\n\r\n")[2] == body


async def test_whoever_is_told_may_fail_and_traffic_goes_on(start: Start, endpoint: Endpoint) -> None:
    def fail(_: Outcome) -> None:
        raise RuntimeError("the store is gone")

    endpoint.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
    passing = await start(endpoint.url, told=fail)
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(f"{passing.base}/chat/completions", data=ASKED) as got:
                assert got.status == 200


async def test_a_table_of_faults_that_fails_lets_traffic_pass(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
    passing = await start(endpoint.url)
    passing.arm("unavailable")

    def fail(_: Any) -> None:
        raise RuntimeError("a bug")

    passing.gateway.rules.strike = fail  # type: ignore[method-assign]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{passing.base}/chat/completions", data=ASKED, headers={"X-Fallbackd-Drill": "r"}) as got,
    ):
        assert got.status == 200


async def test_a_fault_that_fails_itself_lets_traffic_pass(
    start: Start, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr("chaos.gateway.breaking.error_body", fail)
    endpoint.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]
    passing = await start(endpoint.url, live={"chat": {"percent": "100%", "max_in_flight": 1}})
    passing.arm("unavailable", live=True)
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.post(f"{passing.base}/chat/completions", data=ASKED) as got:
                assert got.status == 200
    assert [count for _, count in passing.gateway.rules.listed()] == [2]  # the first one has ended, in flight is none


async def test_keys_stand_in_no_outcome_and_in_no_log(
    start: Start, sandbox: tuple[Sandbox, str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    passing = await start(sandbox[1], chain("chat", "server"))
    sandbox[0].break_(MINI, None, "unauthorized")
    headers = {"Authorization": f"Bearer {KEY}", "x-api-key": KEY, "Cookie": KEY}
    async with aiohttp.ClientSession() as session:
        for model in (SONNET, MINI, KEY):
            body = json.dumps(
                {"models": [SONNET, MINI], "model": model, "messages": [{"role": "user", "content": "hi"}]}
            )
            async with session.post(f"{passing.base}/chat/completions", data=body, headers=headers) as answer:
                await answer.read()
        async with session.post(f"{passing.base}/chat/completions?key={KEY}", data=ASKED, headers=headers) as answer:
            await answer.read()
    told = await passing.told(3)
    seen = repr(told) + caplog.text + "".join(capfd.readouterr())
    assert KEY not in seen
    assert repr(passing.gateway.observer.seen)


async def test_a_failed_primary_and_its_fallback_are_seen_by_who_answered(
    start: Start, sandbox: tuple[Sandbox, str]
) -> None:
    passing = await start(sandbox[1], chain("chat", "server"))
    sandbox[0].break_(SONNET, None, "unavailable")
    body = json.dumps({"models": [SONNET, MINI], "messages": [{"role": "user", "content": "hi"}]})
    headers = {"Authorization": f"Bearer {KEY}", "X-OpenRouter-Metadata": "enabled"}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{passing.base}/chat/completions", data=body, headers=headers) as answer:
            assert answer.status == 200
        (outcome,) = await passing.told()
        sandbox[0].mend()
        async with session.post(f"{passing.base}/chat/completions", data=body, headers=headers) as answer:
            assert answer.status == 200
    assert (outcome.served_by, outcome.path, outcome.position) == ("secondary", Path.FAILED_OVER, 1)
    assert outcome.cost
    assert outcome.tokens.completion
    assert [one.path for one in await passing.told(2)] == [Path.FAILED_OVER, Path.PRIMARY]


async def test_an_address_that_is_taken_is_said(start: Start, endpoint: Endpoint) -> None:
    first = await start(endpoint.url)
    with pytest.raises(StartError, match=r"the gateway cannot listen on .* change gateway\.listen"):
        await start(endpoint.url, listen=first.url.removeprefix("http://"))


async def test_an_exchange_in_flight_is_finished_at_a_stop(start: Start, endpoint: Endpoint) -> None:
    endpoint.hold = asyncio.Event()
    endpoint.answer = [HEAD + CHUNK, CHUNK + b"0\r\n\r\n"]
    passing = await start(endpoint.url)
    reader, writer = await connect(passing.url)
    writer.write(post(ASKED))
    await reader.readuntil(CHUNK)
    stopping = asyncio.create_task(passing.gateway.stop())
    await asyncio.sleep(0)
    endpoint.hold.set()
    async with asyncio.timeout(8):
        assert await reader.readuntil(b"0\r\n\r\n") == CHUNK + b"0\r\n\r\n"
        await stopping
    assert len(passing.outcomes) == 1
    writer.close()
