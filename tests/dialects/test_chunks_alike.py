"""Chunks that differ in their text alone are read quickly: the quick way and the full one agree on any stream."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.dialects import DIALECTS, chunks
from monitor.dialects.repeats import Mould
from monitor.exchange import Answer, Event, Fate, Reply
from monitor.probes.kind import contains
from monitor.reading import parse

DATA = '{"id":"gen-1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"one"}}]}'
TEXTS = st.text(st.sampled_from('ab "\\{}:,\n\x00é☃\ud800') | st.characters(), max_size=6)
NOTES = st.sampled_from(
    [None, "", "content", "error", '"content":"x', "stop", 1, [], {"content": "y"}, [{"content": "z"}]]
)
CHANGES = st.dictionaries(
    st.sampled_from(["usage", "error", "id", "model", "provider", "content", "openrouter_metadata", "object"]),
    st.one_of(NOTES, st.just({"completion_tokens": 5}), st.just({"attempts": [{"model": "m", "status": 200}]})),
    max_size=2,
)
PARTS = st.dictionaries(
    st.sampled_from(["role", "refusal", "reasoning", "reasoning_details", "tool_calls", "content"]), NOTES, max_size=2
)
CHOICES = st.dictionaries(st.sampled_from(["finish_reason", "error", "text", "message", "logprobs"]), NOTES, max_size=2)


@st.composite
def streams(draw: st.DrawFn) -> list[str]:
    """Few shapes, each with many texts; some written with escapes or blanks, some with a key twice, some broken."""
    shapes = draw(st.lists(st.tuples(CHANGES, CHOICES, PARTS), min_size=1, max_size=3))
    events = []
    for _ in range(draw(st.integers(1, 10))):
        top, choice, part = draw(st.sampled_from(shapes))
        delta = {"content": draw(TEXTS), **part}
        body = {"id": "gen-1", "choices": [{"index": 0, "delta": delta, **choice}], **top}
        tight = draw(st.booleans())
        data = json.dumps(body, ensure_ascii=draw(st.booleans()), separators=(",", ":") if tight else None)
        if draw(st.integers(0, 4)) == 0:
            at = draw(st.integers(0, len(data)))
            piece = draw(st.sampled_from(['"', "\\", "\x01", '"content":"x",', '"choices":[],', ""]))
            data = data[:at] + piece + data[at + draw(st.integers(0, 2)) :]
        events.append(data)
    return events


def read(events: list[str], dialect: str = "openrouter") -> Answer:
    came = tuple(Event(at=float(number), data=data) for number, data in enumerate(events))
    return DIALECTS[dialect].read(Reply(fate=Fate.ANSWERED, status=200, events=came, done=True), now=0.0)


def said(text: str, **more: object) -> str:
    choice = {"index": 0, "delta": {"content": text}}
    return json.dumps({"choices": [choice], **more}, separators=(",", ":"))


def said_again(*notes: dict[str, object]) -> list[str]:
    """The first note, then the second without a text, then the first again: it holds once more."""
    first, second = notes
    return [said("a", **first), json.dumps({"choices": [], **second}), said("c", **first)]


SAID_AGAIN = said_again({"usage": {"completion_tokens": 5}}, {"usage": {"completion_tokens": 7}})
REPORTED_AGAIN = said_again(
    {"openrouter_metadata": {"attempts": [{"model": "m", "status": 200}]}},
    {"openrouter_metadata": {"attempts": [{"model": "n", "status": 200}]}},
)


@example(events=SAID_AGAIN, dialect="openrouter")
@example(events=REPORTED_AGAIN, dialect="openrouter")
@given(events=streams(), dialect=st.sampled_from(["openrouter", "openai_compatible", "litellm"]))
@settings(max_examples=400, deadline=None)
def test_both_ways_read_the_same(events: list[str], dialect: str) -> None:
    quick = read(events, dialect)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mould, "of", lambda *_: None)
        assert read(events, dialect) == quick


@given(text=TEXTS, tail=st.sampled_from(["", "", '"', "}", '"}]}', " "]), escaped=st.booleans())
def test_a_mould_gives_the_text_that_json_gives(text: str, tail: str, escaped: bool) -> None:
    mould = Mould.of(DATA, "one")
    assert mould is not None
    data = mould.before + (json.dumps(text)[1:-1] if escaped else text) + mould.after + tail
    found, whole = mould.text(data), parse(data)
    if escaped and not tail:
        assert found == text
    if found is not None:
        delta = {"role": "assistant", "content": found}
        assert whole == {**json.loads(DATA), "choices": [{"index": 0, "delta": delta}]}


@pytest.mark.parametrize(
    "data",
    [
        DATA.replace('"one"', '"on\\u0065"'),
        DATA.replace('"content":', '"content": '),
        DATA.replace('"gen-1"', '"content"'),
        DATA.replace('"role"', '"content":"two","role"'),
    ],
    ids=["an escape", "a blank", "the word as a value", "the key twice"],
)
def test_what_leaves_a_doubt_gives_no_mould(data: str) -> None:
    assert parse(data)["choices"][0]["delta"]["content"] == "one"
    assert Mould.of(data, "one") is None


def test_most_chunks_of_an_ordinary_stream_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counting(data: str) -> object:
        parsed.append(data)
        return parse(data)

    monkeypatch.setattr(chunks, "parse", counting)
    words = [f"word {number}, " for number in range(100)]
    answer = read([DATA.replace("one", word) for word in words])
    assert answer.text == "".join(words)
    assert (answer.first_token, answer.last_token, answer.longest_gap) == (0.0, 99.0, 1.0)
    assert len(parsed) == 1


@given(text=st.text(max_size=30), nonce=st.text(max_size=4))
def test_a_word_is_found_by_its_letters_and_digits_in_any_script(text: str, nonce: str) -> None:
    def letters(of: str) -> str:
        return "".join(mark for mark in of.casefold() if mark.isalnum())

    assert contains(Answer(text=text), nonce) == (letters(nonce) in letters(text))
