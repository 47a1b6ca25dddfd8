"""Answers of the Responses API, bent: a stream comes to the very answer that its last event, and a plain one, tell."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.faults.unfit import UNFIT
from chaos.injectors.responses import Response
from chaos.injectors.sayings import STRANGER
from chaos.injectors.shaping import Rewrite
from tests.fakes.openai_endpoint import events

CHANGES = ["empty_content", "refusal", "wrong_model", "wrong_answer", "starved", *UNFIT]
Json = dict[str, Any]
texts = st.text(max_size=12) | st.just('{"a": {"b": 1}}')


def numbered(items: list[Json]) -> list[Json]:
    return [{**item, "id": f"{item['type']}_{number}"} for number, item in enumerate(items)]


def part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


thoughts = st.just({"type": "reasoning", "summary": [], "status": "completed"})
messages = st.lists(texts.map(part), max_size=2).map(
    lambda parts: {"type": "message", "role": "assistant", "status": "completed", "content": parts}
)
calls = texts.map(
    lambda text: {"type": "function_call", "call_id": "c", "name": "f", "arguments": text, "status": "completed"}
)
others = st.just({"type": "web_search_call", "status": "completed"})
outputs = st.lists(thoughts | messages | calls | others, max_size=4).map(numbered)


def answer(output: list[Json]) -> Json:
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return {"id": "r", "object": "response", "model": "m", "status": "completed", "output": output, "usage": usage}


def halves(text: str) -> tuple[str, ...]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def streamed(name: str, whole: Json) -> list[Json]:
    one = Response(name)
    given = ({**event, "sequence_number": number} for number, event in enumerate(events(whole, halves)))
    return [dict(made) for event in given for made in one.event(event)]


@pytest.mark.parametrize("name", CHANGES)
@given(output=outputs)
def test_a_stream_comes_to_what_its_last_event_says_and_to_what_a_plain_answer_says(
    name: str, output: list[Json]
) -> None:
    whole = answer(output)
    said = streamed(name, whole)
    plain = Response(name).whole(whole)
    assert said[-1]["response"] == plain
    assert said[-1]["type"] == f"response.{plain['status']}"
    assert [one["item"] for one in said if one["type"] == "response.output_item.done"] == plain["output"]
    assert [one["sequence_number"] for one in said] == list(range(len(said)))
    assert added_up(said) == words_of(plain["output"])


def added_up(said: list[Json]) -> dict[int, str]:
    """By the place of its item, all that came in pieces."""
    found: dict[int, str] = defaultdict(str)
    for one in said:
        if one["type"].endswith(".delta") and one["delta"]:
            found[one["output_index"]] += one["delta"]
    return dict(found)


def words_of(output: list[Json]) -> dict[int, str]:
    found = {}
    for place, item in enumerate(output):
        parts = item.get("content") or ()
        text = item.get("arguments") or "".join(one.get("text") or one.get("refusal") or "" for one in parts)
        found |= {place: text} if text else {}
    return found


@given(output=outputs)
def test_each_item_begins_before_its_pieces_come_and_ends_after_them(output: list[Json]) -> None:
    for name in CHANGES:
        open_: set[int] = set()
        for one in streamed(name, answer(output)):
            if one["type"] == "response.output_item.added":
                open_.add(one["output_index"])
            elif "output_index" in one:
                assert one["output_index"] in open_
            if one["type"] == "response.output_item.done":
                open_.remove(one["output_index"])
        assert not open_


def test_every_event_of_another_models_answer_names_it() -> None:
    said = streamed("wrong_model", answer(numbered([{"type": "message", "content": [part("hi")]}])))
    assert {one["response"]["model"] for one in said if "response" in one} == {STRANGER}
    assert [one["type"] for one in said] == [
        one["type"] for one in events(answer(numbered([{"type": "message", "content": [part("hi")]}])), halves)
    ]


@pytest.mark.parametrize("event", [{"type": "response.queued"}, {"type": "error", "message": "no"}, {"type": "ping"}])
def test_what_says_nothing_of_the_answer_passes(event: Json) -> None:
    block = f"data: {json.dumps(event)}\n\n".encode()
    said = b"".join(Rewrite(name).event(block, json.dumps(event)) for name in ("refusal", "starved"))
    assert [json.loads(one.partition(b"data: ")[2]) for one in said.strip().split(b"\n\n")] == [event, event]
