"""From a spec to an Outcome: single targets, chains that the router walks, walks of our own, our own mistakes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import Origin, Path, Reason, Status, Tokens
from monitor.offering import Catalogue, ModelEntry, Price
from monitor.probes import expand

pytestmark = pytest.mark.anyio

URL = "http://upstream/api/v1"
SONNET, MINI, FLASH = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "google/gemini-2.5-flash"
TARGETS = [
    {"label": "primary", "model": SONNET, "providers": ["anthropic", "amazon-bedrock"], "timeout": "30s"},
    {"label": "secondary", "model": MINI, "timeout": "25s"},
    {"label": "last", "model": FLASH, "timeout": "15s"},
]
SERVER = {"mode": "server", "targets": TARGETS}
CLIENT = {"mode": "client", "targets": TARGETS}
PROVIDER = {
    "mode": "provider", "model": "m/llama",
    "targets": [{"label": "g", "provider": "groq"}, {"label": "t", "provider": "together"}],
}  # fmt: skip
DOWN = {"error": {"code": 503, "message": "Provider returned error", "metadata": {"provider_name": "Anthropic"}}}


def question(request: httpx.Request) -> str:
    return json.loads(request.content)["messages"][0]["content"].rpartition(": ")[2]


def asked_model(request: httpx.Request) -> str:
    body = json.loads(request.content)
    return body.get("model") or body["models"][0]


def says(
    request: httpx.Request, *, model: str | None = None, provider: str = "Anthropic", text: str | None = None, **more
):
    content = question(request) if text is None else text
    body = {
        "id": "gen-1", "model": model or asked_model(request), "provider": provider,
        "choices": [{"message": {"content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "cost": 0.001}, **more,
    }  # fmt: skip
    return httpx.Response(200, json=body)


def tried(*attempts: tuple[str, str, int]) -> dict[str, Any]:
    rows = [{"model": model, "provider": provider, "status": status} for model, provider, status in attempts]
    return {"openrouter_metadata": {"attempts": rows}}


@pytest.fixture
def upstream():
    with respx.mock(using="httpx") as router:
        yield router.post(f"{URL}/chat/completions")


@pytest.fixture
def ask(config, prober):
    """Runs the probe of that key on a config of one chain."""

    async def run(chain: dict[str, Any], key: str, *, catalogue=None, transport=None, **more):
        built = config(chain, **({"dialect": more.pop("dialect")} if "dialect" in more else {}))
        spec = next(spec for spec in expand(built) if spec.key == key)
        return await prober(built, catalogue=catalogue, transport=transport).probe(spec, **more)

    return run


async def test_a_target_on_its_own(upstream, ask, clock):
    upstream.side_effect = lambda request: says(request, model=f"{SONNET}-20250929")
    outcome = await ask(SERVER, "chat/primary:completion")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.OK, Reason.NONE, None)
    assert (outcome.target, outcome.provider, outcome.served_by, outcome.position) == ("primary", None, "primary", 0)
    assert (outcome.model, outcome.served_provider, outcome.generation) == (f"{SONNET}-20250929", "Anthropic", "gen-1")
    assert (outcome.tokens, outcome.cost, outcome.status_code) == (Tokens(prompt=20, completion=5), 0.001, 200)
    assert (outcome.at, outcome.origin, outcome.kind) == (clock.now(), Origin.SCHEDULED, "completion")
    assert (outcome.chain, outcome.probe) == ("chat", "chat/primary:completion")
    assert outcome.detail == f"answered by {SONNET}-20250929 at Anthropic"
    request = upstream.calls.last.request
    assert request.headers["authorization"] == "Bearer very-secret-key"
    assert json.loads(request.content)["session_id"] == outcome.id
    told = {"chain": "chat", "target": "primary", "position": 0, "drill": None, "dialect": "openrouter"}
    assert request.extensions["fallbackd"] == told


async def test_a_pinned_provider_must_answer_itself(upstream, ask):
    upstream.side_effect = says
    outcome = await ask(SERVER, "chat/primary@amazon-bedrock:completion")
    assert (outcome.status, outcome.reason, outcome.provider) == (Status.FAILED, Reason.WRONG_MODEL, "amazon-bedrock")
    assert outcome.detail == f"pinned to amazon-bedrock, answered by {SONNET} at Anthropic"
    assert json.loads(upstream.calls.last.request.content)["provider"]["only"] == ["amazon-bedrock"]


async def test_another_model_answering_for_a_target_is_a_failure(upstream, ask):
    upstream.side_effect = lambda request: says(request, model=MINI, provider="OpenAI")
    outcome = await ask(SERVER, "chat/primary:completion")
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.FAILED, Reason.WRONG_MODEL, None)


async def test_a_broken_target_fails_with_its_cause(upstream, ask):
    upstream.respond(429, json={"error": {"code": 429, "message": "slow down"}}, headers={"Retry-After": "30"})
    outcome = await ask(SERVER, "chat/secondary:completion")
    assert (outcome.status, outcome.reason, outcome.retry_after) == (Status.FAILED, Reason.RATE_LIMITED, 30.0)
    assert (outcome.status_code, outcome.served_by, outcome.detail) == (429, None, "429: slow down")


async def test_a_wrong_answer_is_a_failure(upstream, ask):
    upstream.side_effect = lambda request: says(request, text="bananas")
    outcome = await ask(SERVER, "chat/primary:completion")
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.WRONG_ANSWER)


async def test_a_late_answer_is_degraded(upstream, ask, clock):
    def late(request):
        clock.time += 9.0
        return says(request)

    upstream.side_effect = late
    chain = {**SERVER, "objective": {"latency": "8s"}}
    outcome = await ask(chain, "chat/primary:completion")
    assert (outcome.status, outcome.reason, outcome.duration) == (Status.DEGRADED, Reason.TOO_SLOW, 9.0)
    assert outcome.detail == f"answered in 9.0 s, promised within 8 s; it came from {SONNET} at Anthropic"
    assert (await ask(chain, "chat:completion")).reason is Reason.TOO_SLOW


async def test_without_a_cost_in_the_answer_the_catalogue_tells_it(upstream, ask):
    upstream.side_effect = lambda request: says(request, usage={"prompt_tokens": 10, "completion_tokens": 100})
    entry = ModelEntry(id=SONNET, canonical=SONNET, price=Price(prompt=1e-6, completion=1e-5))
    outcome = await ask(SERVER, "chat/primary:completion", catalogue=Catalogue(at=1.0, models={SONNET: entry}))
    assert outcome.cost == pytest.approx(10e-6 + 100e-5)
    assert (await ask(SERVER, "chat/primary:completion")).cost is None


PATHS = [
    (f"{SONNET}-20250929", "Anthropic", tried((SONNET, "Anthropic", 200)), "primary", Path.PRIMARY),
    (MINI, "OpenAI", tried((SONNET, "Anthropic", 503), (MINI, "OpenAI", 200)), "secondary", Path.FAILED_OVER),
    (MINI, "OpenAI", tried((MINI, "OpenAI", 200)), "secondary", Path.FILTERED),
    (FLASH, "Google", {}, "last", Path.FELL_BACK),
    ("x/other", "X", {}, None, Path.WRONG_MODEL),
]


@pytest.mark.parametrize(("model", "provider", "metadata", "label", "path"), PATHS)
async def test_who_answered_a_chain_of_the_router(upstream, ask, model, provider, metadata, label, path):
    upstream.side_effect = lambda request: says(request, model=model, provider=provider, **metadata)
    outcome = await ask(SERVER, "chat:completion")
    assert (outcome.served_by, outcome.path, outcome.target) == (label, path, None)
    wrong = path is Path.WRONG_MODEL
    assert outcome.status is (Status.FAILED if wrong else Status.OK)
    assert outcome.reason is (Reason.WRONG_MODEL if wrong else Reason.NONE)


async def test_a_failed_over_chain_tells_its_story(upstream, ask):
    metadata = tried((SONNET, "Anthropic", 503), (MINI, "OpenAI", 200))
    upstream.side_effect = lambda request: says(request, model=MINI, provider="OpenAI", **metadata)
    outcome = await ask(SERVER, "chat:completion")
    assert outcome.detail == f"503 from Anthropic; moved on to {MINI} at OpenAI (200)"
    assert [(attempt.position, attempt.reason) for attempt in outcome.attempts] == [
        (0, Reason.SERVER_ERROR), (1, Reason.NONE),
    ]  # fmt: skip


async def test_a_chain_of_providers_is_matched_by_provider(upstream, ask):
    metadata = tried(("m/llama", "Groq", 502), ("m/llama", "Together", 200))
    upstream.side_effect = lambda request: says(request, provider="Together", **metadata)
    outcome = await ask(PROVIDER, "chat:completion")
    assert (outcome.status, outcome.served_by, outcome.path) == (Status.OK, "t", Path.FAILED_OVER)
    upstream.side_effect = lambda request: says(request, provider="Fireworks")
    assert (await ask(PROVIDER, "chat:completion")).path is Path.WRONG_MODEL


async def test_an_exhausted_chain_names_every_attempt(upstream, ask):
    metadata = tried((SONNET, "Anthropic", 503), (MINI, "OpenAI", 429))
    upstream.respond(503, json={**DOWN, **metadata})
    outcome = await ask(SERVER, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.SERVER_ERROR, Path.EXHAUSTED)
    assert (outcome.served_by, outcome.position) == (None, None)
    assert outcome.detail == "503 from Anthropic: Provider returned error; tried 503 from Anthropic, 429 from OpenAI"


async def test_an_empty_answer_of_a_chain_still_tells_who_gave_it(upstream, ask):
    upstream.side_effect = lambda request: says(request, text="")
    outcome = await ask(SERVER, "chat:completion")
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.EMPTY)
    assert (outcome.served_by, outcome.path) == ("primary", Path.PRIMARY)
    upstream.respond(200, content=b"")
    assert (await ask(SERVER, "chat:completion")).path is Path.EXHAUSTED


async def test_a_router_that_waits_for_one_target_after_the_other_is_a_slow_cascade(upstream, ask):
    metadata = tried((SONNET, "Anthropic", 504), (MINI, "OpenAI", 524), (FLASH, "Google", 200))
    upstream.side_effect = lambda request: says(request, model=FLASH, provider="Google", **metadata)
    outcome = await ask(SERVER, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.DEGRADED, Reason.TOO_SLOW, "last")
    assert outcome.detail.endswith("slow cascade: primary timeout, secondary timeout")


def broken(*models: str, answer: Any = None, clock: Any = None, seconds: float = 0.0):
    """An upstream where these models answer 503 (or ``answer``), perhaps late."""

    def reply(request: httpx.Request) -> httpx.Response:
        if asked_model(request) not in models:
            return says(request, provider="OpenAI")
        if clock is not None:
            clock.time += seconds
        return answer or httpx.Response(503, json=DOWN)

    return reply


async def test_our_own_walk_moves_on_as_an_application_does(upstream, ask):
    upstream.side_effect = broken(SONNET)
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.status, outcome.served_by, outcome.path) == (Status.OK, "secondary", Path.FAILED_OVER)
    assert outcome.detail == f"primary: 503 from Anthropic: Provider returned error; moved on to {MINI} at OpenAI (200)"
    assert [(a.model, a.position, a.status_code, a.reason) for a in outcome.attempts] == [
        (SONNET, 0, 503, Reason.SERVER_ERROR), (MINI, 1, 200, Reason.NONE),
    ]  # fmt: skip
    bodies = [json.loads(call.request.content) for call in upstream.calls]
    assert [body["model"] for body in bodies] == [SONNET, MINI]
    assert len({body["messages"][0]["content"] for body in bodies}) == 2
    assert [call.request.extensions["fallbackd"]["position"] for call in upstream.calls] == [0, 1]


async def test_our_own_walk_stops_at_the_primary_when_it_answers(upstream, ask):
    upstream.side_effect = says
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.path, outcome.position, len(upstream.calls)) == (Path.PRIMARY, 0, 1)
    assert outcome.detail == f"answered by {SONNET} at Anthropic"


async def test_everything_exhausted_is_one_clear_outcome(upstream, ask):
    upstream.respond(503, json=DOWN)
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.SERVER_ERROR, Path.EXHAUSTED)
    one = "503 from Anthropic: Provider returned error"
    assert outcome.detail == f"every target failed: primary: {one}; secondary: {one}; last: {one}"
    assert len(outcome.attempts) == 3


async def test_a_reason_that_does_not_move_on_ends_the_walk(upstream, ask):
    upstream.respond(400, json={"error": {"code": 400, "message": "no such field"}})
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.reason, outcome.path, len(upstream.calls)) == (Reason.BAD_REQUEST, Path.EXHAUSTED, 1)
    assert outcome.detail == "primary: 400: no such field (bad_request does not move on)"


async def test_which_reasons_move_on_is_the_chains(upstream, ask):
    upstream.side_effect = broken(SONNET, answer=httpx.Response(401, json={"error": {"message": "no"}}))
    assert (await ask(CLIENT, "chat:completion")).reason is Reason.UNAUTHORIZED
    outcome = await ask({**CLIENT, "move_on": ["unauthorized"]}, "chat:completion")
    assert (outcome.status, outcome.path) == (Status.OK, Path.FAILED_OVER)


async def test_a_wrong_answer_is_taken_by_the_walk_and_failed(upstream, ask):
    upstream.side_effect = lambda request: says(request, text="bananas")
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.status, outcome.reason) == (Status.FAILED, Reason.WRONG_ANSWER)
    assert (outcome.path, outcome.served_by) == (Path.PRIMARY, "primary")
    upstream.side_effect = lambda request: says(request, model="x/other")
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.reason, outcome.path, outcome.position) == (Reason.WRONG_MODEL, Path.WRONG_MODEL, None)


async def test_targets_that_time_out_one_after_the_other_are_a_slow_cascade(upstream, ask, clock):
    upstream.side_effect = broken(SONNET, MINI, clock=clock, seconds=31.0)
    outcome = await ask(CLIENT, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.DEGRADED, Reason.TOO_SLOW, "last")
    assert [attempt.reason for attempt in outcome.attempts] == [Reason.TIMEOUT, Reason.TIMEOUT, Reason.NONE]
    assert outcome.duration == 62.0
    assert outcome.detail.endswith("slow cascade: primary 31.0 s, secondary 31.0 s")


async def test_a_walk_costs_what_all_its_attempts_do(upstream, ask):
    upstream.side_effect = lambda request: says(request, text="" if asked_model(request) == SONNET else None)
    outcome = await ask(CLIENT, "chat:completion")
    assert [attempt.reason for attempt in outcome.attempts] == [Reason.EMPTY, Reason.NONE]
    assert (outcome.tokens, outcome.cost) == (Tokens(prompt=40, completion=10), 0.002)


async def test_a_walk_that_answers_late_is_degraded(upstream, ask, clock):
    upstream.side_effect = broken(SONNET, clock=clock, seconds=9.0)
    outcome = await ask({**CLIENT, "objective": {"latency": "8s"}}, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.DEGRADED, Reason.TOO_SLOW, "secondary")
    assert outcome.detail.startswith("answered in 9.0 s, promised within 8 s; primary: 503")


async def test_the_whole_walk_has_a_bound_of_its_own(upstream, ask, clock):
    upstream.side_effect = broken(SONNET, MINI, FLASH, clock=clock, seconds=12.0)
    outcome = await ask({**CLIENT, "total_timeout": "20s"}, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.TIMEOUT, Path.EXHAUSTED)
    assert [attempt.reason for attempt in outcome.attempts] == [Reason.SERVER_ERROR, Reason.TIMEOUT]
    assert outcome.detail.startswith("no answer within the 20 s for the whole walk: primary: 503 from Anthropic")


async def test_a_drill_changes_the_body_last_and_marks_the_request(upstream, ask):
    upstream.side_effect = lambda request: says(request, model=MINI, provider="OpenAI", **tried((MINI, "OpenAI", 200)))

    def ignore(body):
        return {**body, "provider": {"ignore": ["anthropic"]}}

    outcome = await ask(SERVER, "chat:completion", origin=Origin.DRILL, drill="gone", reshape=ignore)
    assert (outcome.origin, outcome.drill, outcome.path) == (Origin.DRILL, "gone", Path.FILTERED)
    request = upstream.calls.last.request
    assert json.loads(request.content)["provider"] == {"ignore": ["anthropic"]}
    assert request.extensions["fallbackd"]["drill"] == "gone"


async def test_a_drill_changes_the_way_that_requests_travel(ask):
    def refuse(request):
        if request.extensions["fallbackd"]["position"] == 0:
            raise httpx.ConnectError("refused")
        return says(request, provider="OpenAI")

    seen = []

    def wrap(inner):
        seen.append(inner)
        return httpx.MockTransport(refuse)

    inner = httpx.MockTransport(says)
    outcome = await ask(CLIENT, "chat:completion", transport=inner, wrap=wrap)
    assert seen == [inner]
    assert (outcome.path, outcome.attempts[0].reason) == (Path.FAILED_OVER, Reason.CONNECT)


def sse(request: httpx.Request, *, done: bool = True, gap: Any = None) -> httpx.Response:
    word = question(request)
    body = {"id": "gen-1", "model": asked_model(request), "provider": "Anthropic"}
    chunks = [{**body, "choices": [{"delta": {"content": part}}]} for part in (word[:3], word[3:6], word[6:])]
    chunks.append({**body, "choices": [{"delta": {}, "finish_reason": "stop"}]})
    chunks.append({**body, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 7, "cost": 0.5}})

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b": OPENROUTER PROCESSING\n\n"
            for number, data in enumerate(chunks):
                if gap is not None and number < 3:
                    gap(number)
                yield b"data: " + json.dumps(data).encode() + b"\n\n"
            if done:
                yield b"data: [DONE]\n\n"

    return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())


STREAM = [{"kind": "stream", "every": "60s"}]


async def test_a_stream_is_timed(upstream, ask, clock):
    def gap(number):
        clock.time += (0.5, 1.0, 2.0)[number]

    upstream.side_effect = lambda request: sse(request, gap=gap)
    chain = {**SERVER, "probes": STREAM, "objective": {"first_token": "400ms"}}
    outcome = await ask(chain, "chat/primary:stream")
    assert outcome.first_token == pytest.approx(0.5)
    assert outcome.longest_gap == pytest.approx(2.0)
    assert outcome.output_rate == pytest.approx(2.0)
    assert (outcome.cost, outcome.tokens.completion) == (0.5, 7)
    assert (outcome.status, outcome.reason) == (Status.DEGRADED, Reason.TOO_SLOW)
    assert outcome.detail.startswith("first token after 0.5 s, promised within 0.4 s; it came from")
    assert (await ask({**SERVER, "probes": STREAM}, "chat:stream")).status is Status.OK


async def test_a_stream_that_ends_early_is_cut(upstream, ask):
    upstream.side_effect = lambda request: sse(request, done=False)
    outcome = await ask({**CLIENT, "probes": STREAM}, "chat:stream")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.CUT, Path.EXHAUSTED)
    for key in ("chat:stream", "chat/primary:stream"):
        outcome = await ask({**SERVER, "probes": STREAM}, key)
        assert (outcome.status, outcome.reason, outcome.served_by) == (Status.FAILED, Reason.CUT, None)
        told = f"the stream ended without [DONE] (after 3 pieces of the answer); it came from {SONNET} at Anthropic"
        assert outcome.detail == told


async def test_a_stream_answered_in_one_piece_is_malformed(upstream, ask):
    upstream.side_effect = says
    assert (await ask({**SERVER, "probes": STREAM}, "chat/primary:stream")).reason is Reason.MALFORMED


async def test_the_first_token_of_a_walk_counts_from_its_start(upstream, ask, clock):
    def reply(request):
        clock.time += 2.0
        return httpx.Response(503, json=DOWN) if asked_model(request) == SONNET else sse(request)

    upstream.side_effect = reply
    outcome = await ask({**CLIENT, "probes": STREAM}, "chat:stream")
    assert (outcome.first_token, outcome.duration) == (4.0, 4.0)


OURS = "our own mistake"


async def test_our_own_mistakes_count_against_nobody(ask):
    def wrap(inner):
        raise RuntimeError(f"{OURS} with very-secret-key and sk-or-v1-0123456789")

    outcome = await ask(SERVER, "chat/primary@anthropic:completion", wrap=wrap)
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.OURS)
    assert (outcome.target, outcome.provider, outcome.position) == ("primary", "anthropic", 0)
    assert outcome.detail == f"RuntimeError: {OURS} with [masked] and [masked]"


async def test_our_own_mistake_never_moves_a_walk_on(upstream, ask):
    upstream.side_effect = httpx.PoolTimeout("all in use")
    outcome = await ask({**CLIENT, "move_on": ["ours"]}, "chat:completion")
    assert (outcome.status, len(upstream.calls)) == (Status.ERROR, 1)


@pytest.mark.parametrize("chain", [SERVER, CLIENT])
async def test_a_question_that_could_not_be_sent_is_ours(upstream, ask, chain):
    upstream.side_effect = httpx.PoolTimeout("all in use")
    outcome = await ask(chain, "chat:completion")
    assert (outcome.status, outcome.reason, outcome.path) == (Status.ERROR, Reason.OURS, None)


async def test_a_chain_that_a_dialect_cannot_walk_is_ours_and_said_so(ask):
    outcome = await ask(SERVER, "chat:completion", dialect="openai_compatible")
    assert (outcome.status, outcome.reason) == (Status.ERROR, Reason.OURS)
    assert outcome.detail.endswith("an endpoint of dialect openai_compatible walks no chains: use mode client")


async def test_the_plain_api_is_walked_by_us(upstream, ask):
    upstream.side_effect = broken(SONNET)
    outcome = await ask(CLIENT, "chat:completion", dialect="openai_compatible")
    assert (outcome.status, outcome.path) == (Status.OK, Path.FAILED_OVER)


async def test_a_probe_can_be_cancelled(ask):
    started = asyncio.Event()

    async def hang(request):
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(ask(SERVER, "chat:completion", transport=httpx.MockTransport(hang)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    body=st.binary(), status=st.integers(100, 599), event_stream=st.booleans(), mode=st.sampled_from([SERVER, CLIENT])
)
async def test_any_bytes_end_as_an_outcome(config, prober, body, status, event_stream, mode):
    built = config({**mode, "probes": STREAM})
    headers = {"content-type": "text/event-stream"} if event_stream else {}
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, content=body))
    outcome = await prober(built, transport=transport).probe(expand(built)[0])
    assert outcome.status is Status.FAILED
    outcome.detail.encode()
