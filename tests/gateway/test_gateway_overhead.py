"""What the gateway itself adds: its parts of an exchange, and how late it turns."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from chaos.gateway.observer import EACH
from chaos.gateway.overhead import EVERY, added, watch_turns
from chaos.gateway.record import Record
from chaos.gateway.relay import SMALL
from monitor.model import Overhead
from tests.fakes.clock import FakeClock
from tests.gateway.conftest import SONNET, Endpoint, Start, chain

pytestmark = pytest.mark.anyio

ANSWER = json.dumps({"model": SONNET, "choices": [{"message": {"content": "pong"}, "finish_reason": "stop"}]}).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)


def record(**times: float | bool) -> Record:
    made = Record(at=1.0, started=1.0, path="/v1/chat/completions")
    for name, value in times.items():
        setattr(made, name, value)
    return made


WHOLE = {"whole": 1.0, "sent": 1.25, "first_byte": 3.0, "passed": 3.5}
RECORDS = [
    (WHOLE, {Overhead.REQUEST: 0.25, Overhead.ANSWER: 0.5}),
    ({"whole": 1.0, "sent": 1.25}, {Overhead.REQUEST: 0.25}),
    ({"whole": 1.0}, {}),
    ({"sent": 1.25, "first_byte": 3.0}, {}),
    ({**WHOLE, "met": True}, {}),
    ({**WHOLE, "injected": True}, {}),
]


@pytest.mark.parametrize(("times", "parts"), RECORDS)
def test_what_an_exchange_shows_of_it(times: dict[str, float | bool], parts: dict[Overhead, float]) -> None:
    assert dict(added(record(**times))) == parts


async def ask(base: str, size: int = 0) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        asked = {"model": SONNET, "messages": [{"role": "user", "content": "x" * size}]}
        assert (await client.post(f"{base}/chat/completions", json=asked)).status_code == 200


async def test_time_at_the_endpoint_is_none_of_it(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer, endpoint.hold = [REPLY[:20], REPLY[20:] + ANSWER], asyncio.Event()
    passing = await start(endpoint.url, chain())
    asking = asyncio.create_task(ask(passing.base))
    while not endpoint.requests:
        await asyncio.sleep(0)
    endpoint.hold.set()
    await asking
    (outcome,) = await passing.told()
    parts = dict(passing.added)
    assert set(parts) - {Overhead.TURN} == {Overhead.REQUEST, Overhead.ANSWER}
    assert parts[Overhead.REQUEST] >= 0
    assert 0 <= parts[Overhead.ANSWER] <= outcome.duration
    assert parts[Overhead.REQUEST] + parts[Overhead.ANSWER] <= outcome.duration


async def test_the_careful_way_shows_its_part_but_for_what_a_client_takes_to_send(
    start: Start, endpoint: Endpoint
) -> None:
    endpoint.answer = [REPLY + ANSWER]
    passing = await start(endpoint.url, chain())
    passing.arm("delay")  # for the drill's own requests; all traffic takes the careful way meanwhile
    await ask(passing.base)
    await passing.told(1)
    assert {part for part, _ in passing.added} - {Overhead.TURN} == {Overhead.REQUEST}
    passing.added.clear()
    for _ in range(EACH):
        await ask(passing.base, SMALL + 1)
    await passing.told(1 + EACH)
    assert {part for part, _ in passing.added} <= {Overhead.TURN}


async def test_one_exchange_in_eight_is_looked_at(start: Start, endpoint: Endpoint) -> None:
    endpoint.answer = [REPLY + ANSWER]
    passing = await start(endpoint.url, chain())
    for _ in range(2 * EACH):
        await ask(passing.base)
    await passing.told(2 * EACH)
    assert [part for part, _ in passing.added if part is Overhead.REQUEST] == [Overhead.REQUEST] * 2


async def test_how_late_it_turns_is_told_four_times_a_second() -> None:
    clock, told = FakeClock(), list[tuple[Overhead, float]]()
    watching = asyncio.create_task(watch_turns(clock, lambda part, seconds: told.append((part, seconds))))
    for late in (0.0, 0.125):
        while clock.next_wake is None:
            await asyncio.sleep(0)
        clock.advance(EVERY + late)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    watching.cancel()
    assert told == [(Overhead.TURN, 0.0), (Overhead.TURN, 0.125)]
