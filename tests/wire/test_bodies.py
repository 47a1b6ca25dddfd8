"""How the body of a question is written."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.carrier import send
from monitor.exchange import Ask

pytestmark = pytest.mark.anyio

SIMPLE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.sampled_from(["NaN", "Infinity", "\x00\x7f", "\u2028", "世界 🎉", '"\\'])
BODIES = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        SIMPLE | TEXTS | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


async def written(body: dict[str, Any]) -> bytes:
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(200)

    ask = Ask(method="POST", url="http://there/v1", headers={}, body=body, stream=False, deadline=30.0)
    incoming = await send(ask, httpx.MockTransport(answer), 30.0)
    await incoming.close(whole=True)
    return sent[0]


@given(body=BODIES)
async def test_a_body_is_read_as_it_was_meant(body: dict[str, Any]) -> None:
    assert json.loads(await written(body)) == body


async def test_a_body_is_written_without_blanks_and_escapes() -> None:
    assert await written({"a": [1, "ü"], "b": None}) == '{"a":[1,"ü"],"b":null}'.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_what_json_has_no_word_for_is_not_sent(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        await written({"temperature": number})
