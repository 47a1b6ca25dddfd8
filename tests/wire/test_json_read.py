"""JSON of upstreams is read as Python's own reader reads it, whichever reader does it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.reading import parse

MARKS = '0123456789.eE+-[]{}",:\\u truefalsn NI\x00\ud800é'
TEXTS = (
    '{"a":[1,2.5e3,"x\\n",null,true]}',
    '[{"choices":[{"delta":{"content":"a\\u00e9"}}]}]',
    '"\\ud83d\\ude00 abc"',
    "-12.5E+10",
    "NaN",
)


def usual(text: str | bytes) -> str:
    try:
        return repr(json.loads(text))
    except (ValueError, RecursionError):
        return "None"


@given(text=st.sampled_from(TEXTS), data=st.data())
@settings(max_examples=300)
def test_whatever_came_is_read_in_the_usual_way(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(MARKS)) + text[at + data.draw(st.integers(0, 2)) :]
    assert repr(parse(text)) == usual(text)
    raw = text.encode("utf-8", "surrogatepass")
    assert repr(parse(raw)) == usual(raw)


@pytest.mark.parametrize(
    "text",
    [
        '"\\ud800"', "9" * 400, "9" * 5000, "1e999", "-0", '{"a":1,"a":2}', "[" * 250 + "]" * 250, "[" * 100_000, "",
        " 1\n", "\ufeff1", "1 2", '"\x01"', "'a'", "01", "[1,]", "Infinity", "-NaN",
    ],
    ids=lambda text: repr(text)[:16],
)  # fmt: skip
def test_what_readers_disagree_about_is_read_in_the_usual_way(text: str) -> None:
    assert repr(parse(text)) == usual(text)
    assert repr(parse(text.encode("utf-16"))) == usual(text.encode("utf-16"))
