"""What is read of passing traffic under too much of it, and of answers that are too large to be kept whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.gateway.answers import read_answer
from chaos.gateway.events import telling_events
from chaos.gateway.observer import LEAST, MOST_BYTES, MOST_WAITING, Observer, passes_over
from chaos.gateway.outcomes import Reading
from chaos.gateway.places import Places
from chaos.gateway.record import HEAD_LIMIT, Copy, Record
from chaos.gateway.watches import Watches
from monitor.dialects import DIALECTS
from monitor.exchange import Fate, Reply
from monitor.model import Outcome, Path, Reason
from monitor.offering import Catalogue
from monitor.sse import EventReader
from tests.fakes.clock import FakeClock
from tests.gateway.conftest import MINI, SONNET, chain

READING = Reading(dialect=DIALECTS["openai_compatible"], catalogue=Catalogue)


def exchange(model: str, size: int = 0) -> Record:
    record = Record(at=1.0, started=1.0, path="/v1/chat/completions")
    record.asked.take(json.dumps({"model": model, "messages": ["x" * size]}).encode(), 1.0)
    answer = {"model": model, "choices": [{"message": {"content": "pong"}, "finish_reason": "stop"}]}
    record.answer.take(json.dumps(answer).encode(), 1.2)
    record.status, record.ended = 200, 1.3
    return record


class Told:
    def __init__(self, clock: FakeClock | None = None) -> None:
        self.outcomes: list[Outcome] = []
        self.unobserved = 0
        clock, places = clock or FakeClock(), Places([chain()])
        watches = Watches(clock)
        self.observer = Observer(places, READING, self.outcomes.append, self.left_out, watches, clock, Random(7))

    def left_out(self) -> None:
        self.unobserved += 1

    def share(self) -> float:
        return sum(outcome.path is Path.FELL_BACK for outcome in self.outcomes) / len(self.outcomes)


@pytest.mark.parametrize(
    ("load", "draw", "expected"),
    [
        (0.0, 0.0, False),
        (0.5, 0.0, False),
        (0.75, 0.49, True),
        (0.75, 0.5, False),
        (1.0, 0.999, True),
        (3.0, 0.9, True),
    ],
)
def test_what_is_passed_over_grows_from_half_of_what_may_wait(load: float, draw: float, expected: bool) -> None:
    assert passes_over(load, draw) is expected


def test_below_half_of_what_may_wait_all_is_read() -> None:
    told = Told()
    for _ in range(MOST_WAITING // 2):
        told.observer.take(exchange(SONNET))
    told.observer.drain()
    assert (len(told.outcomes), told.unobserved, told.observer.missed) == (MOST_WAITING // 2, 0, 0)


def test_under_too_much_load_what_goes_unread_is_counted_and_the_share_of_fallbacks_stays() -> None:
    told = Told()
    for number in range(5 * MOST_WAITING):
        told.observer.take(exchange(MINI if number % 4 == 0 else SONNET))
    told.observer.drain()
    assert told.unobserved == told.observer.missed > MOST_WAITING
    assert len(told.outcomes) + told.unobserved == 5 * MOST_WAITING
    assert told.share() == pytest.approx(0.25, abs=0.03)


def test_of_a_drills_own_requests_none_goes_unread() -> None:
    told = Told()
    for _ in range(2 * MOST_WAITING):
        told.observer.take(exchange(SONNET))
    before = told.unobserved
    for _ in range(100):
        marked = exchange(SONNET)
        marked.marked = True
        told.observer.take(marked)
    assert told.unobserved == before


@pytest.mark.anyio
async def test_traffic_gets_its_turn_between_what_is_read_and_a_slow_machine_still_reads_a_share() -> None:
    """The clock jumps far with each look at it, as on a machine that is busy with other things."""

    class Jumping(FakeClock):
        def monotonic(self) -> float:
            self._now += 10.0
            return super().monotonic()

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)

    told = Told(Jumping())
    for _ in range(640):
        told.observer.take(exchange(SONNET))
    running = asyncio.create_task(told.observer.run())
    seen = [0]
    async with asyncio.timeout(30):
        while told.observer.waiting:
            await asyncio.sleep(0)
            seen.append(told.observer.seen)
    running.cancel()
    steps = [after - before for before, after in pairwise(seen)]
    assert max(steps) == 640 // LEAST + 1
    assert sum(steps) == 640


def test_large_exchanges_are_let_go_no_sooner_than_small_ones() -> None:
    """The answers of the fallback are large here: were they left out for that, the share would sink."""
    told = Told()
    for number in range(2000):
        told.observer.take(exchange(*((MINI, HEAD_LIMIT) if number % 4 == 0 else (SONNET, 0))))
        assert told.observer._bytes < MOST_BYTES + 2 * HEAD_LIMIT
    told.observer.drain()
    assert told.unobserved > 0
    assert told.share() == pytest.approx(0.25, abs=0.06)


def copied(raw: bytes, sizes: list[int]) -> Copy:
    copy, at, now = Copy(), 0, 10.0
    for size in [*sizes, len(raw)]:
        if raw[at : at + size]:
            copy.take(raw[at : at + size], now)
        at, now = at + size, now + 0.5
    return copy


def chunk(text: str | None, **more: Any) -> str:
    return json.dumps({"model": MINI, "choices": [{"delta": {"content": text}, "finish_reason": None}], **more})


KINDS = {
    "role": chunk(None),
    "text": chunk("pong"),
    "usage": chunk(None, usage={"prompt_tokens": 3}),
    "no usage": chunk("more", usage=None),
    "end": json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    "error": json.dumps({"error": {"code": 502, "message": "broke"}}),
    "typed": json.dumps({"type": "response.output_text.delta", "delta": "x"}),
    "done": "[DONE]",
}


@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=20),
    sizes=st.lists(st.integers(1, 200), max_size=20),
    end=st.sampled_from(["\n\n", "\r\n\r\n"]),
)
def test_of_a_stream_all_is_read_that_says_something_about_the_whole(
    kinds: list[str], sizes: list[int], end: str
) -> None:
    raw = "".join(f"data: {KINDS[kind]}{end}" for kind in kinds).encode()
    read = [event.data for event in telling_events(raw, copied(raw, sizes), 9.0)]
    every = list(EventReader().feed(raw))
    telling = [KINDS[kind] for kind in kinds if kind in ("usage", "end", "error")]
    assert is_within(read, every)
    assert is_within(telling, read)
    assert (read[0], read[-2:]) == (every[0], every[-2:])
    spoken = next((KINDS[kind] for kind in kinds if kind in ("text", "no usage", "typed")), None)
    assert spoken is None or spoken in read


def is_within(some: list[str], every: list[str]) -> bool:
    rest: Iterator[str] = iter(every)
    return all(one in rest for one in some)


def test_an_event_has_the_time_of_the_piece_that_it_ended_in() -> None:
    first, second = f"data: {KINDS['role']}\n\n".encode(), f"data: {KINDS['text']}\n\n".encode()
    copy = copied(first + second, [len(first), 10])
    assert [event.at for event in telling_events(first + second, copy, 9.0)] == [1.0, 2.0]


def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return f"data: {json.dumps({'model': MINI, 'choices': [{'delta': delta, 'finish_reason': finish}]})}\n\n"


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize(
    ("deltas", "reason"),
    [
        ([{"content": "", "reasoning": "Hm."}, {"content": "", "reasoning": '"content": "x"'}], Reason.EMPTY),
        ([{"content": "", "reasoning": "Hm."}, {"content": "pong"}, {"content": " again"}], Reason.NONE),
        ([{"content": "\n\n"}, {"content": " "}, {"content": "\u00e9"}, {"content": "!"}], Reason.NONE),
        ([{"content": "\n\n"}, {"content": '"'}, {"content": "pong"}], Reason.NONE),
        ([{"reasoning": "Hm."}, {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}, {"x": "y"}], Reason.NONE),
    ],
    ids=["reasoning alone", "reasoning first", "blanks first", "a quote first", "a call"],
)
def test_a_stream_is_empty_only_where_nothing_follows_its_reasoning(
    deltas: list[dict[str, Any]], reason: Reason, *, compact: bool
) -> None:
    text = "".join(chunk(delta) for delta in deltas) + chunk({"content": ""}) * 3 + chunk({}, "stop")
    text = text.replace('": ', '":') if compact else text
    raw = f"{text}data: {KINDS['usage']}\n\ndata: [DONE]\n\n".encode()
    reply = Reply(fate=Fate.ANSWERED, status=200, headers={"content-type": "text/event-stream"}, duration=1.0)
    answer = read_answer("/v1/chat/completions", reply, copied(raw, [50]), 9.0, READING.dialect, now=1.0)
    assert answer.finding.reason is reason


def test_the_hole_in_a_long_stream_is_nobodys_mistake() -> None:
    event = f"data: {KINDS['text']}\n\n".encode()
    raw = event * (2 * HEAD_LIMIT // len(event)) + f"data: {KINDS['end']}\n\ndata: [DONE]\n\n".encode()
    copy = copied(raw, [1000] * (len(raw) // 1000))
    assert not copy.whole
    reply = Reply(fate=Fate.ANSWERED, status=200, headers={"content-type": "text/event-stream"}, duration=1.0)
    answer = read_answer("/v1/chat/completions", reply, copy, 9.0, READING.dialect, now=1.0)
    assert (answer.finding.reason, answer.model) == (Reason.NONE, MINI)


@pytest.mark.parametrize(("status", "reason"), [(200, Reason.NONE), (503, Reason.SERVER_ERROR)])
def test_an_answer_too_large_to_keep_is_judged_by_what_can_be_seen(status: int, reason: Reason) -> None:
    body = {"object": "list", "data": [0.123456] * 100_000, "model": MINI, "usage": {"prompt_tokens": 12}}
    copy = copied(json.dumps(body).encode(), [60_000] * 20)
    assert not copy.whole
    reply = Reply(fate=Fate.ANSWERED, status=status, headers={"content-type": "application/json"}, duration=1.0)
    answer = read_answer("/v1/embeddings", reply, copy, 9.0, READING.dialect, now=1.0)
    assert (answer.finding.reason, answer.model, answer.tokens.prompt) == (reason, MINI, 12)
