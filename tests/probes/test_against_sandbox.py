"""End to end against the sandbox: real sockets, a real router's attempts, real faults."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from chaos.sandbox import Sandbox
from monitor.catalogue import read_catalogue
from monitor.clock import SystemClock
from monitor.model import Path, Reason, Status
from monitor.offering import Catalogue
from monitor.probes import Prober, expand
from monitor.transport import AioTransport

pytestmark = pytest.mark.anyio

SONNET, MINI, FLASH = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "google/gemini-2.5-flash"
LLAMA = "meta-llama/llama-3.3-70b-instruct"
BOTH = [{"kind": "completion", "every": "60s"}, {"kind": "stream", "every": "60s"}]
TARGETS = [
    {"label": "primary", "model": SONNET, "providers": ["anthropic", "amazon-bedrock", "google-vertex"]},
    {"label": "secondary", "model": MINI, "providers": ["openai", "azure"]},
    {"label": "last", "model": FLASH},
]
SERVER = {"mode": "server", "targets": TARGETS, "probes": BOTH}
PROVIDER = {
    "mode": "provider", "model": LLAMA, "probes": BOTH,
    "targets": [{"label": name, "provider": name} for name in ("groq", "together", "deepinfra")],
}  # fmt: skip
CLIENT = {"mode": "client", "targets": TARGETS, "probes": BOTH}
MODES = {"server": SERVER, "provider": PROVIDER, "client": CLIENT}


class Watched:
    """A sandbox and one prober on it for each chain that is asked."""

    def __init__(self, sandbox: Sandbox, url: str, config: Any) -> None:
        self.sandbox = sandbox
        self.break_ = sandbox.break_
        self.catalogue = Catalogue()
        self.transport = AioTransport()
        self._url = url
        self._config = config

    async def ask(self, chain: dict[str, Any], key: str = "chat:completion", **more: Any):
        config = self._config(chain, url=self._url)
        prober = Prober(
            config=config,
            transport=lambda name: self.transport,
            catalogue=lambda name: self.catalogue,
            clock=SystemClock(),
            rng=Random(3),
        )
        spec = next(spec for spec in expand(config) if spec.key == key)
        return await prober.probe(spec, **more)

    async def read_catalogue(self) -> None:
        endpoint = self._config(SERVER, url=self._url).endpoints["router"]
        models = [SONNET, MINI, FLASH, LLAMA]
        self.catalogue = await read_catalogue(self.transport, endpoint, "key", models, SystemClock())


@pytest.fixture
async def watched(config):
    sandbox = Sandbox()
    url = await sandbox.start()
    one = Watched(sandbox, url, config)
    yield one
    await one.transport.aclose()
    await sandbox.stop()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["completion", "stream"])
async def test_every_mode_and_kind_is_answered_by_its_primary(watched, mode, kind):
    outcome = await watched.ask(MODES[mode], f"chat:{kind}")
    assert (outcome.status, outcome.reason, outcome.detail[:11]) == (Status.OK, Reason.NONE, "answered by")
    assert (outcome.path, outcome.position, outcome.status_code) == (Path.PRIMARY, 0, 200)
    assert outcome.cost > 0
    assert outcome.tokens.completion > 0
    assert outcome.generation.startswith("gen-")


@pytest.mark.parametrize("mode", MODES)
async def test_every_target_and_provider_answers_on_its_own(watched, config, mode):
    keys = [spec.key for spec in expand(config(MODES[mode])) if spec.target and spec.kind == "completion"]
    assert len(keys) >= 3
    for outcome in await asyncio.gather(*(watched.ask(MODES[mode], key) for key in keys)):
        assert (outcome.status, outcome.detail[:11]) == (Status.OK, "answered by"), outcome
        assert outcome.served_by == outcome.target


@pytest.mark.parametrize("known", [False, True], ids=["without catalogue", "with catalogue"])
async def test_a_dated_slug_is_no_fallback(watched, known):
    if known:
        await watched.read_catalogue()
        assert watched.catalogue.models[SONNET].canonical != SONNET
    outcome = await watched.ask(SERVER)
    assert outcome.model != SONNET
    assert (outcome.served_by, outcome.path, outcome.status) == ("primary", Path.PRIMARY, Status.OK)


async def test_a_broken_primary_is_failed_over(watched):
    watched.break_(SONNET, None, "unavailable")
    outcome = await watched.ask(SERVER)
    assert (outcome.status, outcome.served_by, outcome.path) == (Status.OK, "secondary", Path.FAILED_OVER)
    failed = [attempt for attempt in outcome.attempts if attempt.position == 0]
    assert len(failed) == 3
    assert {attempt.status_code for attempt in failed} == {503}
    assert "503 from Anthropic" in outcome.detail
    assert "; moved on to openai/gpt-5-mini" in outcome.detail


async def test_a_sibling_provider_of_the_primary_is_still_the_primary(watched):
    watched.break_(SONNET, "anthropic", "overloaded")
    watched.break_(SONNET, "google-vertex", "overloaded")
    outcome = await watched.ask(SERVER)
    assert (outcome.served_by, outcome.path, outcome.served_provider) == ("primary", Path.PRIMARY, "Amazon Bedrock")


async def test_a_primary_that_is_left_out_is_filtered(watched):
    def ignore(body):
        return {**body, "provider": {"ignore": ["anthropic", "amazon-bedrock", "google-vertex"]}}

    outcome = await watched.ask(SERVER, reshape=ignore)
    assert (outcome.status, outcome.served_by, outcome.path) == (Status.OK, "secondary", Path.FILTERED)
    assert outcome.detail.startswith(f"{SONNET} was left out before any call")


async def test_a_provider_of_a_provider_chain_is_failed_over_and_filtered(watched):
    def ignore(body):
        return {**body, "provider": {**body["provider"], "ignore": ["groq"]}}

    outcome = await watched.ask(PROVIDER, reshape=ignore)
    assert (outcome.served_by, outcome.path) == ("together", Path.FILTERED)
    watched.break_(LLAMA, "groq", "bad_gateway")
    outcome = await watched.ask(PROVIDER)
    assert (outcome.served_by, outcome.path) == ("together", Path.FAILED_OVER)
    assert (await watched.ask(PROVIDER, "chat/groq@groq:completion")).reason is Reason.SERVER_ERROR


async def test_a_walk_of_our_own_is_failed_over(watched):
    watched.break_(SONNET, None, "rate_limited", {"retry_after": 7})
    outcome = await watched.ask(CLIENT)
    assert (outcome.status, outcome.served_by, outcome.path) == (Status.OK, "secondary", Path.FAILED_OVER)
    assert outcome.attempts[0].reason is Reason.RATE_LIMITED
    alone = await watched.ask(CLIENT, "chat/primary:completion")
    assert (alone.status, alone.reason, alone.retry_after) == (Status.FAILED, Reason.RATE_LIMITED, 7.0)


@pytest.mark.parametrize("mode", MODES)
async def test_a_chain_with_nothing_left_is_exhausted(watched, mode):
    for model in (SONNET, MINI, FLASH, LLAMA):
        watched.break_(model, None, "unavailable")
    outcome = await watched.ask(MODES[mode])
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.SERVER_ERROR, Path.EXHAUSTED)
    assert {attempt.position for attempt in outcome.attempts} == {0, 1, 2}
    assert outcome.detail


async def test_an_unknown_id_rejects_the_whole_chain(watched):
    outcome = await watched.ask(SERVER, reshape=lambda body: {**body, "models": ["no/such-model", *body["models"][1:]]})
    assert (outcome.status, outcome.reason, outcome.status_code) == (Status.FAILED, Reason.MODEL_GONE, 400)
    assert outcome.attempts == ()
    assert "no/such-model is not a valid model ID" in outcome.detail


async def test_targets_that_time_out_one_after_the_other_are_named(watched):
    quick = [{**target, "timeout": "150ms"} for target in TARGETS[:2]]
    watched.break_(SONNET, None, "silent")
    watched.break_(MINI, None, "silent")
    outcome = await watched.ask({**CLIENT, "targets": [*quick, TARGETS[2]]})
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.DEGRADED, Reason.TOO_SLOW, "last")
    assert "slow cascade: primary 0." in outcome.detail


async def test_a_stream_is_measured(watched):
    outcome = await watched.ask(SERVER, "chat/last:stream")
    assert 0 < outcome.first_token < outcome.duration
    assert outcome.output_rate > 0
    assert outcome.longest_gap > 0
    assert outcome.tokens.prompt > 0


ALONE = [
    ("unavailable", {}, "completion", Reason.SERVER_ERROR),
    ("server_error", {}, "completion", Reason.SERVER_ERROR),
    ("refused", {}, "completion", Reason.SERVER_ERROR),
    ("rate_limited", {}, "completion", Reason.RATE_LIMITED),
    ("overloaded", {}, "completion", Reason.OVERLOADED),
    ("out_of_credit", {}, "completion", Reason.OUT_OF_CREDIT),
    ("unauthorized", {}, "completion", Reason.UNAUTHORIZED),
    ("moderated", {}, "completion", Reason.MODERATED),
    ("model_gone", {}, "completion", Reason.MODEL_GONE),
    ("bad_request", {}, "completion", Reason.BAD_REQUEST),
    ("context_length", {}, "completion", Reason.CONTEXT_LENGTH),
    ("error_in_200", {}, "completion", Reason.SERVER_ERROR),
    ("error_in_200", {}, "stream", Reason.SERVER_ERROR),
    ("empty_content", {}, "completion", Reason.EMPTY),
    ("starved", {}, "completion", Reason.STARVED),
    ("starved", {}, "stream", Reason.STARVED),
    ("wrong_answer", {}, "completion", Reason.WRONG_ANSWER),
    ("wrong_model", {}, "completion", Reason.WRONG_MODEL),
    ("cut", {}, "completion", Reason.SERVER_ERROR),  # the router sees it
    ("cut", {}, "stream", Reason.CUT),
    ("stall", {}, "stream", Reason.STALLED),
    ("malformed", {}, "stream", Reason.MALFORMED),
    ("silent", {}, "completion", Reason.TIMEOUT),
    ("slow_first_token", {"seconds": 5}, "stream", Reason.FIRST_TOKEN_TIMEOUT),
]
QUICK = {"label": "alone", "model": FLASH, "providers": ["google-ai-studio"], "timeout": "400ms"}
ONE = {"mode": "client", "targets": [QUICK], "probes": [{**probe, "first_token": "300ms"} for probe in BOTH]}


@pytest.mark.parametrize(("fault", "options", "kind", "reason"), ALONE)
async def test_a_broken_provider_fails_with_its_cause(watched, fault, options, kind, reason):
    watched.break_(FLASH, "google-ai-studio", fault, options)
    outcome = await watched.ask(ONE, f"chat/alone@google-ai-studio:{kind}")
    assert (outcome.status, outcome.reason) == (Status.FAILED, reason), outcome.detail
    assert outcome.detail


AT_THE_DOOR = [
    ("reset", Reason.CONNECT),
    ("html", Reason.MALFORMED),
    ("empty", Reason.EMPTY),
    ("silent", Reason.TIMEOUT),
]


@pytest.mark.parametrize(("fault", "reason"), AT_THE_DOOR)
async def test_a_broken_front_door_fails_everything_behind_it(watched, fault, reason):
    watched.break_("*", None, fault)
    outcome = await watched.ask(ONE)
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, reason, Path.EXHAUSTED)


async def test_a_reasoning_model_without_room_starves_and_its_floor_prevents_it(watched):
    starved = await watched.ask(SERVER, "chat/secondary:completion", reshape=lambda body: {**body, "max_tokens": 16})
    assert (starved.status, starved.reason) == (Status.FAILED, Reason.STARVED)
    assert (await watched.ask(SERVER, "chat/secondary:completion")).status is Status.OK


async def test_an_answer_from_outside_the_chain_is_a_failure(watched):
    watched.break_(SONNET, None, "wrong_model")
    outcome = await watched.ask(SERVER)
    assert (outcome.status, outcome.reason, outcome.path) == (Status.FAILED, Reason.WRONG_MODEL, Path.WRONG_MODEL)
    assert "which is not in the chain" in outcome.detail
