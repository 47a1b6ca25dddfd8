"""What the sandbox's models say, as a pure function of the request and a seed."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.sandbox.answers import Said, say
from chaos.sandbox.catalogue import shipped
from chaos.sandbox.wanted import Rejected, Wanted, read

from .conftest import FLASH, LLAMA, MINI, SONNET

QWEN = "qwen/qwen-2.5-7b-instruct"


def answer(prompt: Any, *, model: str = SONNET, seed: int = 1, **body: Any) -> Said:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    wanted = read({"messages": messages, "model": model, **body}, shipped())
    assert isinstance(wanted, Wanted), wanted
    return say(wanted, shipped().endpoints[model][0], seed)


def png(colour: tuple[int, ...], kind: int = 2, palette: bytes = b"") -> str:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\x00" + bytes(colour) * 8 for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, kind, 0, 0, 0)
    plte = chunk(b"PLTE", palette) if palette else b""
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + plte + chunk(b"IDAT", zlib.compress(rows))
    return "data:image/png;base64," + base64.b64encode(whole + chunk(b"IEND", b"")).decode()


SAYS: dict[str, tuple[str, str]] = {
    "a word": ("Reply with exactly this word and nothing else: bakotemu", "bakotemu"),
    "a word in quotes": ('Reply with exactly: "PONG".', "PONG"),
    "the last of several": ("Reply with exactly: one\nReply with exactly: two", "two"),
    "a needle": ("The secret code is X7-Q9. " + "filler " * 500 + "What is the secret code?", "X7-Q9"),
}


@pytest.mark.parametrize(("prompt", "text"), SAYS.values(), ids=SAYS)
def test_probes_are_answered(prompt: str, text: str) -> None:
    assert answer(prompt).content == text


def test_anything_else_is_answered_at_length_and_repeats_from_its_seed() -> None:
    said = answer("Tell me a story")
    assert said.finish == "stop"
    assert len(said.content.split()) == 24
    assert answer("Tell me a story") == said
    assert answer("Tell me a story", seed=2) != said
    assert answer("Tell me another story") != said


def test_max_tokens_cuts_the_answer_at_four_characters_a_token() -> None:
    said = answer("Tell me a story", max_tokens=5)
    assert (len(said.content), said.finish, said.completion_tokens) == (20, "length", 5)
    exact = answer("Reply with exactly: abcdefgh", max_tokens=2)
    assert (exact.content, exact.finish) == ("abcdefgh", "stop")


def test_a_stop_sequence_ends_the_answer() -> None:
    assert answer("Reply with exactly: one,two", stop=[",", "!"]).content == "one"
    assert answer("Reply with exactly: one,two", stop=",").finish == "stop"


def test_a_reasoning_model_thinks_first_and_starves_on_too_few_tokens() -> None:
    fed = answer("Reply with exactly: PONG", model=MINI, max_tokens=64)
    assert (fed.content, fed.reasoning_tokens, fed.completion_tokens) == ("PONG", 24, 25)
    starved = answer("Reply with exactly: PONG", model=MINI, max_tokens=16)
    assert starved == Said(content="", finish="length", completion_tokens=16, reasoning_tokens=16)


@pytest.mark.parametrize(
    ("reasoning", "tokens"),
    [(None, 0), ({"enabled": True}, 24), ({"effort": "low"}, 24), ({"effort": "none"}, 0), ({"enabled": False}, 0)],
)
def test_optional_reasoning_has_to_be_asked_for(reasoning: Any, tokens: int) -> None:
    assert answer("Reply with exactly: PONG", model=FLASH, reasoning=reasoning).reasoning_tokens == tokens


def test_a_needle_in_the_middle_is_lost_to_compression() -> None:
    long = "filler " * 10_000
    middle = f"{long}The secret code is X7.{long} What is the secret code?"
    assert answer(middle, model=QWEN).content != "X7"
    assert answer(f"The secret code is X7. {long}{long} What is the secret code?", model=QWEN).content == "X7"


COLOURS: dict[str, tuple[str, str]] = {
    "RGB": (png((230, 30, 30)), "red"),
    "RGB with alpha": (png((30, 60, 230, 255), kind=6), "blue"),
    "gray": (png((255,), kind=0), "white"),
    "gray with alpha": (png((0, 255), kind=4), "black"),
    "palette": (png((1,), kind=3, palette=bytes((0, 0, 0, 40, 160, 60))), "green"),
}


@pytest.mark.parametrize(("url", "colour"), COLOURS.values(), ids=COLOURS)
def test_a_plain_image_is_seen(url: str, colour: str) -> None:
    image = {"type": "image_url", "image_url": {"url": url}}
    text = {"type": "text", "text": "What colour is this? Answer with one word."}
    assert answer([{"role": "user", "content": [text, image]}]).content == colour.capitalize()
    assert answer([{"role": "user", "content": [image]}]).content == f"The image is plain {colour}."


@pytest.mark.parametrize("url", ["https://example.com/cat.png", "data:image/png;base64,!!", "", png((1, 2, 3))[:60]])
def test_any_other_image_is_at_least_noticed(url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": url}}
    assert answer([{"role": "user", "content": [image]}]).content == "I see an image."


BOOK: Any = {
    "type": "function",
    "function": {
        "name": "book_table",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "guests": {"type": "integer", "minimum": 1, "maximum": 20},
                "when": {"type": "string", "format": "date"},
                "seats": {"type": "array", "items": {"enum": ["inside", "outside"]}, "minItems": 2},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["city", "guests"],
        },
    },
}


def called(said: Said) -> tuple[str, Any]:
    (call,) = said.tool_calls
    return call["function"]["name"], json.loads(call["function"]["arguments"])


def test_a_tool_is_called_with_values_out_of_the_prompt() -> None:
    said = answer("Call book_table for 4 guests in Oslo, outside.", tools=[BOOK])
    name, arguments = called(said)
    assert (name, said.finish, said.content) == ("book_table", "tool_calls", "")
    assert arguments["city"] == "Oslo"
    assert arguments["guests"] == 4
    assert arguments["when"] == "2026-01-31"
    assert arguments["seats"] == ["outside", "outside"]


OTHER: Any = {"type": "function", "function": {"name": "other"}}
CHOICES: dict[str, tuple[str, Any, str | None]] = {
    "not named": ("hello", "auto", None),
    "named": ("use the other one", "auto", "other"),
    "required": ("hello", "required", "book_table"),
    "forced": ("hello", {"type": "function", "function": {"name": "other"}}, "other"),
    "forced, unknown": ("hello", {"type": "function", "function": {"name": "third"}}, None),
    "none": ("book_table", "none", None),
}


@pytest.mark.parametrize(("prompt", "choice", "name"), CHOICES.values(), ids=CHOICES)
def test_a_tool_is_called_when_it_is_to_be(prompt: str, choice: Any, name: str | None) -> None:
    said = answer(prompt, tools=[BOOK, OTHER], tool_choice=choice)
    assert [call["function"]["name"] for call in said.tool_calls] == ([name] if name else [])


def test_a_model_without_tools_just_talks() -> None:
    assert answer("book_table", model=QWEN, tools=[BOOK], tool_choice="required").tool_calls == ()


def test_a_tool_result_is_told() -> None:
    turns = [{"role": "user", "content": "weather?"}, {"role": "tool", "content": "7 degrees", "tool_call_id": "x"}]
    assert answer(turns, tools=[BOOK], tool_choice="required").content == "The result is 7 degrees"


def test_a_schema_is_honoured_with_references_and_bounds() -> None:
    schema = {
        "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 3}}}},
        "type": "object",
        "properties": {
            "place": {"$ref": "#/$defs/place"},
            "mood": {"enum": ["good", "bad"]},
            "kind": {"const": "x"},
            "sure": {"type": "boolean"},
            "share": {"type": "number", "minimum": 0.5, "maximum": 0.9},
            "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]},
        },
        "required": ["place", "extra"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    found = json.loads(answer("It is bad in Oslo, city: Bergen", model=LLAMA, response_format=form).content)
    assert found == {
        "place": {"city": "Ber"},
        "mood": "bad",
        "kind": "x",
        "sure": True,
        "share": 0.5,
        "both": {"a": None},
        "extra": found["extra"],
    }


def test_json_object_holds_the_word_that_was_asked_for() -> None:
    said = answer('Reply with exactly: PONG, as {"answer": ...}', response_format={"type": "json_object"})
    assert json.loads(said.content) == {"answer": "PONG,"}


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    schema: Any = {"type": "object", "properties": {"next": {"$ref": "#"}, "loop": {"$ref": "#/properties/loop"}}}
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    assert json.loads(answer("hi", response_format=form, max_tokens=4000).content)


WORDS = ["type", "properties", "items", "enum", "$ref", "anyOf", "allOf", "required", "minimum", "minLength", "format"]
FIELDS = ["tools", "tool_choice", "response_format", "stop", "reasoning", "plugins"]
ROUTING = ["order", "only", "sort", "max_price", "zdr", "preferred_max_latency"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_request_that_is_let_in_breaks_the_answer(body: dict[str, Any]) -> None:
    wanted = read({"messages": [{"role": "user", "content": "x \ud800"}], "model": SONNET, **body}, shipped())
    if isinstance(wanted, Wanted):
        say(wanted, shipped().endpoints[SONNET][0], 1)


@given(schema=JSON)
def test_any_schema_gets_an_instance(schema: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    answer("x 5 'y'", response_format=form)
    answer("x 5 'y'", tools=[tool], tool_choice="required")


@given(body=JSON)
def test_any_body_is_read_or_rejected(body: Any) -> None:
    assert isinstance(read(body, shipped()), Wanted | Rejected)


@given(provider=st.dictionaries(st.sampled_from(ROUTING), JSON))
def test_any_provider_object_is_read_or_rejected(provider: Any) -> None:
    found = read({"messages": [{"role": "user"}], "provider": provider, "route": provider}, shipped())
    assert isinstance(found, Wanted | Rejected)
