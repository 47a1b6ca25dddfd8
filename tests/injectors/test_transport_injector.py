"""A fault on the way to a target: what the caller sees, on which requests, and for how long."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import httpx
import pytest

from chaos.faults import FAULTS, resolve
from chaos.faults.unfit import UNFIT
from chaos.injectors.sayings import NONSENSE, STRANGER
from chaos.injectors.transport import TransportInjector
from chaos.model import Connect, Effect, ErrorReply, Fault, Injection, RawReply, Strike
from monitor.exchange import Ask, Fate, Reply
from monitor.wire import exchange

pytestmark = pytest.mark.anyio

ANSWER = {
    "model": "openai/gpt-5-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "PONG now"}, "finish_reason": "stop"}],
    "usage": {"completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 0}},
}
DELTAS: list[dict[str, Any]] = [
    {"model": "openai/gpt-5-mini", "choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
    {"model": "openai/gpt-5-mini", "choices": [{"delta": {"content": "PO"}, "finish_reason": None}]},
    {"model": "openai/gpt-5-mini", "choices": [{"delta": {"content": "NG"}, "finish_reason": None}]},
    {"model": "openai/gpt-5-mini", "choices": [{"delta": {"content": " now"}, "finish_reason": "stop"}]},
    {"model": "openai/gpt-5-mini", "choices": [], "usage": {"completion_tokens": 7}},
]
STREAM = (
    b": OPENROUTER PROCESSING\r\n\r\n"
    + b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in DELTAS)
    + b"data: [DONE]\n\n"
)


class JumpClock:
    """Time that passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Pieces(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), 50):
            yield self._body[at : at + 50]


class Endpoint(httpx.AsyncBaseTransport):
    """Answers rightly, plain or streamed as asked, in pieces that respect no event."""

    def __init__(self) -> None:
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if json.loads(await request.aread())["stream"]:
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(STREAM))
        body = gzip.compress(json.dumps(ANSWER).encode())
        headers = {"content-type": "application/json", "content-encoding": "gzip", "content-length": str(len(body))}
        return httpx.Response(200, headers=headers, stream=Pieces(body))


def fault(effect: Effect | Callable[[Random], Effect]) -> Fault:
    return Fault(name="f", meaning="", effect=lambda _options, rng: effect(rng) if callable(effect) else effect)


def injection(**changes: Any) -> Injection:
    usual: dict[str, Any] = {
        "chain": "chat",
        "drill": "primary-gone",
        "run": "r",
        "strikes": (Strike(positions=changes.pop("positions", (0,)), fault="f"),),
        "injector": "transport",
        "until": 1100.0,
        "max_count": 5,
    }
    return Injection(**{**usual, **changes})


def ask(*, stream: bool = False, **marks: Any) -> Ask:
    return Ask(
        method="POST",
        url="http://endpoint.test/chat/completions",
        headers={},
        body={"stream": stream},
        stream=stream,
        deadline=30.0,
        first_token=10.0 if stream else None,
        marks={"chain": "chat", "drill": "primary-gone", "position": 0, **marks},
    )


async def perform(effect: Effect, *, stream: bool) -> tuple[Reply, Endpoint]:
    endpoint, clock = Endpoint(), JumpClock()
    injector = TransportInjector(injection(), clock, Random(1), {"f": fault(effect)})
    reply = await exchange(injector.wrap(endpoint), ask(stream=stream), clock)
    assert injector.count == 1
    return reply, endpoint


METADATA = {"error_type": "rate_limit_exceeded", "retry_after_seconds": 29.5}
NO_TOKEN = Fate.FIRST_TOKEN_TIMEOUT
PAGE = RawReply(status=200, content_type="text/html", body=b"<p>")
LIMITED = ErrorReply(status=429, error_type="rate_limit_exceeded", message="Slow down", retry_after=29.5)

BROKEN: dict[str, tuple[Effect, Fate, int | None, Fate, int | None]] = {
    "refuse": (Effect(connect=Connect.REFUSE), Fate.REFUSED, None, Fate.REFUSED, None),
    "dns": (Effect(connect=Connect.DNS), Fate.DNS, None, Fate.DNS, None),
    "tls": (Effect(connect=Connect.TLS), Fate.TLS, None, Fate.TLS, None),
    "reset": (Effect(reset=True), Fate.RESET, None, Fate.RESET, None),
    "a delay within the deadline": (Effect(delay=5.0), Fate.ANSWERED, 200, Fate.ANSWERED, 200),
    "a delay beyond it": (Effect(delay=60.0), Fate.TIMEOUT, None, NO_TOKEN, None),
    "an error": (Effect(error=LIMITED), Fate.ANSWERED, 429, Fate.ANSWERED, 429),
    "raw bytes": (Effect(raw=PAGE), Fate.ANSWERED, 200, Fate.ANSWERED, 200),
    "a slow first token": (Effect(first_token_delay=20.0), Fate.ANSWERED, 200, NO_TOKEN, 200),
    "slow chunks": (Effect(chunk_delay=20.0), Fate.ANSWERED, 200, Fate.STALLED, 200),
    "a stall before the first token": (Effect(stall_after=0), Fate.TIMEOUT, 200, NO_TOKEN, 200),
    "a stall later": (Effect(stall_after=2), Fate.STALLED, 200, Fate.STALLED, 200),
    "a stall after more events than there are": (Effect(stall_after=9), Fate.STALLED, 200, Fate.STALLED, 200),
    "a cut": (Effect(cut_after=1), Fate.CUT, 200, Fate.CUT, 200),
    "a cut after more events than there are": (Effect(cut_after=9), Fate.CUT, 200, Fate.CUT, 200),
    "an error in a 200": (Effect(error_after=1), Fate.ANSWERED, 200, Fate.ANSWERED, 200),
    "malformed": (Effect(malformed_after=1), Fate.ANSWERED, 200, Fate.ANSWERED, 200),
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("effect", "plain_fate", "plain_status", "stream_fate", "stream_status"), BROKEN.values(), ids=BROKEN
)
async def test_each_part_of_an_effect_is_seen_by_the_caller(
    effect, plain_fate, plain_status, stream_fate, stream_status, stream
) -> None:
    reply, _ = await perform(effect, stream=stream)
    expected = (stream_fate, stream_status) if stream else (plain_fate, plain_status)
    assert (reply.fate, reply.status) == expected, reply
    if effect.connect or effect.reset or effect.cut_after:
        assert "broken on purpose" in reply.detail


@pytest.mark.parametrize(
    "effect", [Effect(connect=Connect.REFUSE), Effect(reset=True), Effect(error=LIMITED), Effect(raw=RawReply())]
)
async def test_what_happens_instead_of_an_answer_never_reaches_the_endpoint(effect: Effect) -> None:
    _, endpoint = await perform(effect, stream=False)
    assert endpoint.requests == 0


async def test_an_error_comes_in_the_envelope_and_says_when_to_come_back() -> None:
    reply, _ = await perform(Effect(error=LIMITED), stream=True)
    assert json.loads(reply.body) == {"error": {"code": 429, "message": "Slow down", "metadata": METADATA}}
    assert reply.headers is not None
    assert reply.headers["retry-after"] == "30"


async def test_a_500_is_masked() -> None:
    reply, _ = await perform(Effect(error=ErrorReply(status=500, error_type="server", message="x")), stream=False)
    assert json.loads(reply.body) == {"error": {"code": 500, "message": "Internal Server Error"}}


async def test_raw_bytes_come_as_they_are() -> None:
    reply, _ = await perform(Effect(raw=PAGE), stream=True)
    assert (reply.body, reply.events) == (b"<p>", ())
    assert reply.headers is not None
    assert reply.headers["content-type"] == "text/html"


def texts(reply: Reply) -> list[str | None]:
    return [choice["delta"].get("content") for event in reply.events for choice in json.loads(event.data)["choices"]]


async def test_an_unbent_answer_passes_as_it_was() -> None:
    reply, _ = await perform(Effect(first_token_delay=1.0, chunk_delay=1.0), stream=True)
    assert [json.loads(event.data) for event in reply.events] == DELTAS
    assert reply.done
    assert [event.at for event in reply.events] == [0.0, 1.0, 2.0, 3.0, 3.0]
    plain, _ = await perform(Effect(chunk_delay=1.0), stream=False)
    assert json.loads(plain.body) == ANSWER


async def test_a_stream_is_cut_after_so_many_tokens() -> None:
    reply, _ = await perform(Effect(cut_after=2), stream=True)
    assert texts(reply) == ["", "PO", "NG"]
    assert not reply.done


async def test_an_error_in_a_stream_is_its_last_event() -> None:
    reply, _ = await perform(Effect(error_after=1, error=LIMITED), stream=True)
    last = json.loads(reply.events[-1].data)
    assert last["error"] == {"code": 429, "message": "Slow down", "metadata": METADATA}
    assert last["choices"] == [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
    assert texts(reply) == ["", "PO", ""]
    assert not reply.done


async def test_an_error_in_a_plain_answer_is_the_whole_of_it() -> None:
    reply, _ = await perform(Effect(error_after=0), stream=False)
    assert json.loads(reply.body)["error"]["code"] == 502


async def test_a_malformed_event_stands_among_good_ones() -> None:
    reply, _ = await perform(Effect(malformed_after=1), stream=True)
    assert reply.done
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.events[2].data)
    assert json.loads(reply.events[3].data) == DELTAS[3]


async def test_a_malformed_answer_is_no_json() -> None:
    reply, _ = await perform(Effect(malformed_after=0), stream=False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


async def rewritten(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    plain, _ = await perform(Effect(rewrite=name), stream=False)
    stream, _ = await perform(Effect(rewrite=name), stream=True)
    assert stream.done
    return json.loads(plain.body), [json.loads(event.data) for event in stream.events]


async def test_empty_content() -> None:
    plain, events = await rewritten("empty_content")
    assert plain["choices"][0]["message"] == {"role": "assistant", "content": ""}
    assert {choice["delta"]["content"] for event in events for choice in event["choices"]} == {""}


async def test_wrong_model() -> None:
    plain, events = await rewritten("wrong_model")
    assert {plain["model"], *(event["model"] for event in events)} == {STRANGER}
    assert plain["choices"] == ANSWER["choices"]


async def test_wrong_answer() -> None:
    plain, events = await rewritten("wrong_answer")
    assert plain["choices"][0]["message"]["content"] == NONSENSE
    assert [choice["delta"]["content"] for event in events for choice in event["choices"]] == ["", NONSENSE, "", ""]


async def test_starved() -> None:
    plain, events = await rewritten("starved")
    message = {"role": "assistant", "content": "", "reasoning": "PONG now"}
    assert plain["choices"][0]["message"] == message
    assert plain["choices"][0]["finish_reason"] == "length"
    assert plain["usage"]["completion_tokens_details"] == {"reasoning_tokens": 7}
    assert [choice["finish_reason"] for event in events for choice in event["choices"]] == [None, None, None, "length"]
    assert events[-1]["usage"]["completion_tokens_details"] == {"reasoning_tokens": 7}


FAULTED: dict[str, tuple[Fate, int | None]] = {
    "refused": (Fate.REFUSED, None),
    "dns": (Fate.DNS, None),
    "tls": (Fate.TLS, None),
    "reset": (Fate.RESET, None),
    "delay": (Fate.ANSWERED, 200),
    "slow_first_token": (Fate.ANSWERED, 200),
    "silent": (NO_TOKEN, None),
    "stall": (Fate.STALLED, 200),
    "cut": (Fate.CUT, 200),
    "malformed": (Fate.ANSWERED, 200),
    "html": (Fate.ANSWERED, 200),
    "empty": (Fate.ANSWERED, 200),
    "empty_content": (Fate.ANSWERED, 200),
    "error_in_200": (Fate.ANSWERED, 200),
    "wrong_model": (Fate.ANSWERED, 200),
    "wrong_answer": (Fate.ANSWERED, 200),
    "starved": (Fate.ANSWERED, 200),
    "status": (Fate.ANSWERED, 503),
    "rate_limited": (Fate.ANSWERED, 429),
    "unavailable": (Fate.ANSWERED, 503),
    "overloaded": (Fate.ANSWERED, 529),
    "server_error": (Fate.ANSWERED, 500),
    "bad_gateway": (Fate.ANSWERED, 502),
    "unauthorized": (Fate.ANSWERED, 401),
    "out_of_credit": (Fate.ANSWERED, 402),
    "moderated": (Fate.ANSWERED, 403),
    "model_gone": (Fate.ANSWERED, 404),
    "bad_request": (Fate.ANSWERED, 400),
    "context_length": (Fate.ANSWERED, 400),
    "slow_connect": (Fate.ANSWERED, 200),
    "slow_chunks": (Fate.ANSWERED, 200),
    "bandwidth": (Fate.ANSWERED, 200),
    "rate_limited_unsaid": (Fate.ANSWERED, 429),
    "rate_limited_absurd": (Fate.ANSWERED, 429),
    "rate_limited_burst": (Fate.ANSWERED, 429),
    "gateway_timeout": (Fate.ANSWERED, 504),
    "edge_timeout": (Fate.ANSWERED, 524),
    "request_timeout": (Fate.ANSWERED, 408),
    "forbidden": (Fate.ANSWERED, 403),
    "no_endpoint": (Fate.ANSWERED, 404),
    "too_large": (Fate.ANSWERED, 413),
    "unprocessable": (Fate.ANSWERED, 422),
    "reset_after_headers": (Fate.CUT, 200),
    "truncated": (Fate.ANSWERED, 200),
    "garbage": (Fate.ANSWERED, 200),
    "refusal": (Fate.ANSWERED, 200),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", [name for name in FAULTS if name not in UNFIT])
async def test_every_fault_there_is_can_be_done(name: str, stream: bool) -> None:
    endpoint, clock = Endpoint(), JumpClock()
    armed = injection(strikes=(Strike(positions=(0,), fault=name, options=resolve(name, {})),))
    injector = TransportInjector(armed, clock, Random(1))
    reply = await exchange(injector.wrap(endpoint), ask(stream=stream), clock)
    fate, status = FAULTED[name]
    if not stream and fate is NO_TOKEN:
        fate = Fate.TIMEOUT
    assert (reply.fate, reply.status, injector.count) == (fate, status, 1)
    true = await exchange(endpoint, ask(stream=stream), clock)
    assert (reply.body, reply.events, reply.duration) != (true.body, true.events, true.duration)


OTHERS = {
    "another chain": {"chain": "other"},
    "another drill": {"drill": "other"},
    "no drill": {"drill": None},
    "another position": {"position": 1},
    "no position": {"position": None},
}


@pytest.mark.parametrize("marks", OTHERS.values(), ids=OTHERS)
async def test_other_requests_pass(marks: dict[str, Any]) -> None:
    endpoint, clock = Endpoint(), JumpClock()
    injector = TransportInjector(injection(), clock, Random(1), {"f": fault(Effect(reset=True))})
    reply = await exchange(injector.wrap(endpoint), ask(**marks), clock)
    assert (reply.fate, reply.status, injector.count) == (Fate.ANSWERED, 200, 0)


async def test_a_request_without_marks_passes() -> None:
    endpoint = Endpoint()
    injector = TransportInjector(injection(), JumpClock(), Random(1), {"f": fault(Effect(reset=True))})
    async with httpx.AsyncClient(transport=injector.wrap(endpoint)) as client:
        assert (await client.post("http://x/", json={"stream": False})).status_code == 200
    assert injector.count == 0


async def test_it_ends_at_its_count() -> None:
    endpoint, clock = Endpoint(), JumpClock()
    transport = TransportInjector(injection(max_count=2), clock, Random(1), {"f": fault(Effect(reset=True))}).wrap(
        endpoint
    )
    fates = [(await exchange(transport, ask(), clock)).fate for _ in range(4)]
    assert fates == [Fate.RESET, Fate.RESET, Fate.ANSWERED, Fate.ANSWERED]


async def test_it_ends_at_its_time() -> None:
    endpoint, clock = Endpoint(), JumpClock()
    transport = TransportInjector(injection(until=1010.0), clock, Random(1), {"f": fault(Effect(reset=True))}).wrap(
        endpoint
    )
    assert (await exchange(transport, ask(), clock)).fate is Fate.RESET
    clock.time = 1010.0
    assert (await exchange(transport, ask(), clock)).fate is Fate.ANSWERED


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("effect", [Effect(stall_after=1), Effect(delay=3600.0), Effect(first_token_delay=3600.0)])
async def test_what_is_held_back_is_let_go_at_the_end_of_the_injection(effect: Effect, stream: bool) -> None:
    endpoint, clock = Endpoint(), JumpClock()
    transport = TransportInjector(injection(until=1008.0), clock, Random(1), {"f": fault(effect)}).wrap(endpoint)
    reply = await exchange(transport, ask(stream=stream), clock)
    assert (reply.fate, reply.done, reply.duration) == (Fate.ANSWERED, stream, 8.0)
    assert stream or json.loads(reply.body) == ANSWER


async def test_a_run_can_be_repeated_from_its_seed() -> None:
    async def durations(seed: int) -> list[float]:
        endpoint, clock = Endpoint(), JumpClock()
        shaky = fault(lambda rng: Effect(delay=rng.uniform(1, 2)))
        transport = TransportInjector(injection(), clock, Random(seed), {"f": shaky}).wrap(endpoint)
        return [(await exchange(transport, ask(), clock)).duration for _ in range(3)]

    assert await durations(7) == await durations(7)
    assert await durations(7) != await durations(8)
