"""Requests for a chain that its endpoint walks, as it sees them: changed where they may be, else untouched."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chaos.edits import Edit
from chaos.gateway import Rule
from chaos.gateway.watches import Watch
from chaos.model import Strike
from chaos.passing import Passed
from monitor.clock import SystemClock
from tests.gateway.conftest import KEY, MINI, SONNET, Endpoint, Passing, Start, chain, read_message

pytestmark = pytest.mark.anyio

ANSWER = json.dumps(
    {
        "id": "gen-1", "model": MINI, "provider": "OpenAI", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "pong"}}],
    }
).encode()  # fmt: skip
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER
CHAIN = (
    f'{{ "models":["{SONNET}","{MINI}"],"n":1.50, "messages":[{{"role":"user","content":"\\u00e4 \xc3\xa4"}}]}}'.encode(
        "latin-1"
    )
)
EDITS = (Edit(kind="ignore", values=("anthropic",)),)


def request(body: bytes = CHAIN, *more: str, path: str = "/v1/chat/completions") -> bytes:
    fields = ("host: gw", f"AUTHORIZATION: Bearer {KEY}", "Accept-Encoding: gzip", *more)
    return (
        f"POST {path} HTTP/1.1\r\n".encode()
        + "\r\n".join((*fields, f"content-LENGTH: {len(body)}")).encode()
        + (b"\r\n\r\n" + body)
    )


def seen_at(endpoint: Endpoint, sent: bytes) -> bytes:
    """What the endpoint must see of a request that nobody changes."""
    host = endpoint.url.removeprefix("http://").partition("/")[0].encode()
    return sent.replace(b"host: gw", b"host: " + host).replace(b"POST /v1", b"POST /api/v1")


async def ask(passing: Passing, *requests: bytes) -> list[bytes]:
    """The answers to requests on one connection."""
    address, port = passing.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    answers = []
    async with asyncio.timeout(20):
        for one in requests:
            writer.write(one)
            answers.append(await read_message(reader))
    writer.close()
    return answers


async def walked(start: Start, endpoint: Endpoint, **rule: Any) -> Passing:
    """A gateway before an endpoint that walks the chain, all of whose live traffic may be broken, and is watched."""
    endpoint.answer = [REPLY]
    passing = await start(endpoint.url, chain("chat", "server"), live={"chat": {"percent": "100%"}})
    until = SystemClock().now() + 60
    passing.gateway.watches.begin(Watch(run="r", chain="chat", until=until))
    given = {"live": True, "edits": EDITS, **rule}
    strikes = (Strike(positions=(0,), fault="ignore"),)
    passing.gateway.rules.arm(
        Rule(id="r", chain="chat", drill="gone", run="r", strikes=strikes, until=until, max_count=100, **given)
    )
    return passing


async def passed(passing: Passing, count: int) -> tuple[Passed, ...]:
    """What the drill gets to know, once it is so much."""
    async with asyncio.timeout(20):
        while (found := passing.gateway.watches.passed("r", 0)) is None or found[0] < count:
            await asyncio.sleep(0.01)
    return found[1]


async def test_the_request_of_the_application_is_changed_and_its_answer_is_not(
    start: Start, endpoint: Endpoint
) -> None:
    passing = await walked(start, endpoint)
    sent = request()
    assert await ask(passing, sent) == [REPLY]
    head, _, body = endpoint.requests[0].partition(b"\r\n\r\n")
    changed = CHAIN.replace(b"{ ", b'{"provider": {"ignore": ["anthropic"]},  ', 1)
    assert body == changed
    wanted, _, _ = seen_at(endpoint, sent).partition(b"\r\n\r\n")
    assert head == wanted.replace(b"LENGTH: %d" % len(CHAIN), b"LENGTH: %d" % len(changed))
    (one,) = await passed(passing, 1)
    assert (one.met, one.gone, one.served, one.ok, one.position) == (True, (0,), 1, True, None)
    (outcome,) = await passing.told()
    assert (outcome.drill, outcome.served_by) == ("gone", "secondary")  # so that it counts for no rate
    assert KEY not in repr(one) + repr(outcome)


ALONE = f'{{"model":"{SONNET}","messages":[]}}'.encode()
DOUBTFUL = {
    "one model of the chain": (request(ALONE), "does not ask for the chain as it is configured"),
    "another order": (
        request(f'{{"models":["{MINI}","{SONNET}"]}}'.encode(), "X-Fallbackd-Chain: chat"),
        "does not ask",
    ),
    "no JSON": (request(CHAIN[:-1] + b"!", "X-Fallbackd-Chain: chat"), "does not ask"),
    "said twice": (request(CHAIN[:-1] + b',"n":2}'), "is no JSON object"),
    "signed": (request(CHAIN, "Content-Digest: sha-256=:x:"), "is bound to its bytes by the field content-digest"),
    "another route": (request(path="/v1/embeddings"), "is no question to a model"),
    "a provider of another form": (request(CHAIN[:-1] + b',"provider":"x"}'), 'has a "provider" of a form that'),
}


@pytest.mark.parametrize("case", DOUBTFUL)
async def test_whatever_is_doubtful_passes_to_the_byte_and_the_drill_is_told_why(
    start: Start, endpoint: Endpoint, case: str
) -> None:
    sent, why = DOUBTFUL[case]
    passing = await walked(start, endpoint)
    assert await ask(passing, sent) == [REPLY]
    assert endpoint.requests == [seen_at(endpoint, sent.replace(b"X-Fallbackd-Chain: chat\r\n", b""))]
    (one,) = await passed(passing, 1)
    assert not one.met
    assert one.spared.startswith(why)
    assert passing.gateway.rules.listed()[0][1] == 0


async def test_others_pass_to_the_byte_beside_what_is_changed(start: Start, endpoint: Endpoint) -> None:
    passing = await walked(start, endpoint, live=False)
    other = request(b'{"models":["a/b","c/d"], "n" : 1.0}')
    sent = [request(), other, request(CHAIN, "X-Fallbackd-Drill: somebody-else")]
    assert await ask(passing, *sent, request(CHAIN, "X-Fallbackd-Drill: r")) == [REPLY] * 4
    unmarked = [one.replace(b"X-Fallbackd-Drill: somebody-else\r\n", b"") for one in sent]
    assert endpoint.requests[:3] == [seen_at(endpoint, one) for one in unmarked]
    assert b'"ignore": ["anthropic"]' in endpoint.requests[3]


async def test_a_large_or_streamed_upload_passes_unread(start: Start, endpoint: Endpoint) -> None:
    passing = await walked(start, endpoint)
    large = request(CHAIN[:-1] + b" " * 300_000 + b"}")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CHAIN), CHAIN)
    head = request(b"").replace(b"content-LENGTH: 0", b"Transfer-Encoding: chunked")
    assert await ask(passing, large, head + chunks) == [REPLY] * 2
    assert endpoint.requests[0].endswith(large.partition(b"\r\n\r\n")[2])
    assert b'anthropic"]' not in b"".join(endpoint.requests)
    assert passing.gateway.rules.listed()[0][1] == 0


async def test_the_drills_own_request_for_the_whole_chain_is_no_applications(start: Start, endpoint: Endpoint) -> None:
    passing = await walked(start, endpoint)
    own = ("X-Fallbackd-Drill: r", "X-Fallbackd-Chain: chat", "X-Fallbackd-Position: chain")
    await ask(passing, request(CHAIN, *own), request())
    assert len(await passed(passing, 1)) == 1
    assert [b"ignore" in one for one in endpoint.requests] == [True, True]
    assert b"allbackd" not in b"".join(endpoint.requests)
