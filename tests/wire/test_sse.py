"""Server-sent events, whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sse import EventReader, bears_content


def read(*pieces: bytes) -> list[str]:
    reader = EventReader()
    return [data for piece in pieces for data in reader.feed(piece)]


STREAMS = {
    "lf": (b"data: a\n\ndata: b\n\n", ["a", "b"]),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    "cr": (b"data: a\r\rdata: b\r\r", ["a", "b"]),
    "mixed ends": (b"data: a\r\ndata: b\n\rdata: c\r\n\n", ["a\nb", "c"]),
    "several lines": (b"data: a\ndata:b\ndata:\n\n", ["a\nb\n"]),
    "one space goes, two stay": (b"data:  a\n\n", [" a"]),
    "no colon": (b"data\n\n", [""]),
    "comments": (b": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: x\n\n", ["a"]),
    "other fields": (b"event: error\nid: 1\nretry: 5\ndata: a\nwhat ever\n\n", ["a"]),
    "blank lines alone": (b"\n\n\n", []),
    "bom": (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    "a bom later is text": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", ["a"]),
    "characters": ("data: Grüße, 世界 🎉\n\n".encode(), ["Grüße, 世界 🎉"]),
    "other line separators of unicode end no line": ("data: a\u2028b\x0bc\x85\n\n".encode(), ["a\u2028b\x0bc\x85"]),
    "no utf-8": (b"data: \xff\xfe\n\n", ["\ufffd\ufffd"]),
    "an unfinished event": (b"data: a\n\ndata: b\n", ["a"]),
}


@pytest.mark.parametrize(("stream", "events"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_its_events_however_it_is_cut(stream: bytes, events: list[str]) -> None:
    assert read(stream) == events
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == events
    for at in range(len(stream)):
        assert read(stream[:at], stream[at:]) == events


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_how_bytes_are_cut_makes_no_difference(pieces: list[bytes]) -> None:
    assert read(*pieces) == read(b"".join(pieces))


SCRAPS = (
    b"data: ",
    b"data:",
    b"data: a",
    b"\n\n",
    b"\n",
    b"\r",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xa9",
    b": x",
    b"event: y",
    b"a",
)


@given(st.lists(st.lists(st.sampled_from(SCRAPS), max_size=6).map(b"".join), max_size=8))
def test_what_comes_as_whole_events_is_read_as_if_it_came_byte_by_byte(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assert read(*pieces) == read(*(stream[at : at + 1] for at in range(len(stream))))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), min_size=1, max_size=5))
def test_what_was_written_is_read(lines: list[str]) -> None:
    assert read("".join(f"data: {line}\n" for line in lines).encode() + b"\n") == ["\n".join(lines)]


def test_an_event_is_given_at_once_when_its_line_ends_with_cr() -> None:
    assert read(b"data: a\r\r") == ["a"]


def test_a_long_line_in_many_pieces_takes_no_time_to_speak_of() -> None:
    assert read(b"data: ", *[b"x" * 10] * 100_000, b"\n\n") == ["x" * 1_000_000]


def choice(**parts: Any) -> str:
    return json.dumps({"choices": [{"index": 0, **parts}]})


CONTENT = {
    "text": (choice(delta={"content": "a"}), True),
    "reasoning": (choice(delta={"content": "", "reasoning": "a"}), True),
    "reasoning of others": (choice(delta={"reasoning_content": "a"}), True),
    "reasoning details": (choice(delta={"reasoning_details": [{"text": "a"}]}), True),
    "a tool call": (choice(delta={"tool_calls": [{"index": 0}]}), True),
    "a legacy completion": (choice(text="a"), True),
    "a whole message": (choice(message={"content": "a"}), True),
    "text of Responses": ('{"type":"response.output_text.delta","delta":"a"}', True),
    "reasoning of Responses": ('{"type":"response.reasoning_summary_text.delta","delta":"a"}', True),
    "a refusal of Responses": ('{"type":"response.refusal.delta","delta":"a"}', True),
    "a call of Responses": ('{"type":"response.function_call_arguments.delta","delta":"{"}', True),
    "no text of Responses": ('{"type":"response.output_text.delta","delta":""}', False),
    "the whole text of Responses": ('{"type":"response.output_text.done","text":"a"}', False),
    "audio of Responses": ('{"type":"response.audio.delta","delta":"a"}', False),
    "a role": (choice(delta={"role": "assistant", "content": ""}), False),
    "nulls": (choice(delta={"content": None, "tool_calls": None}), False),
    "an end": (choice(delta={}, finish_reason="stop"), False),
    "usage": ('{"choices":[],"usage":{"completion_tokens":5}}', False),
    "an error": ('{"error":{"code":502},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}', False),
    "no json": ("{", False),
    "no object": ("[1]", False),
    "choices of another shape": ('{"choices":{"delta":1}}', False),
    "a choice of another shape": ('{"choices":[1,{"delta":"x"}]}', False),
    "json too deep": ("[" * 100_000, False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("data", "bears"), CONTENT.values(), ids=CONTENT)
def test_what_counts_as_a_token(data: str, bears: bool) -> None:
    assert bears_content(data) is bears
