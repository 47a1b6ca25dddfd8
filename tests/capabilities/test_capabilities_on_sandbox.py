"""End to end against the sandbox: each capability shown, broken by each fault, and judged from the catalogue alone."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from chaos.faults.unfit import UNFIT
from monitor.model import Path, Reason, Status
from tests.capabilities.conftest import Watched

pytestmark = pytest.mark.anyio

SONNET, MINI, FLASH = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "google/gemini-2.5-flash"
LLAMA, QWEN = "meta-llama/llama-3.3-70b-instruct", "qwen/qwen-2.5-7b-instruct"
NEEDS = ["tools", "structured", "vision", "long_context", "reasoning"]
CHAIN: dict[str, Any] = {
    "mode": "client",
    "needs": NEEDS,
    "targets": [
        {"label": "primary", "model": SONNET}, {"label": "secondary", "model": MINI}, {"label": "last", "model": FLASH},
    ],
}  # fmt: skip


def with_models(*models: str, **more: Any) -> dict[str, Any]:
    labels = ("primary", "secondary", "last")
    targets = [{"label": label, "model": model} for label, model in zip(labels, models, strict=False)]
    return {**CHAIN, "targets": targets, **more}


def lacks(outcome: Any, start: str) -> None:
    assert (outcome.status, outcome.reason) == (Status.DEGRADED, Reason.MISSING_CAPABILITY), outcome
    assert outcome.detail.startswith(start), outcome.detail


@pytest.mark.parametrize("label", ["primary", "secondary", "last"])
@pytest.mark.parametrize("need", NEEDS)
async def test_an_able_target_shows_it(watched: Watched, need: str, label: str) -> None:
    outcome = await watched.ask(CHAIN, f"chat/{label}:{need}")
    assert (outcome.status, outcome.reason, outcome.served_by) == (Status.OK, Reason.NONE, label), outcome
    assert outcome.cost is not None
    assert outcome.cost > 0


async def test_two_turns_are_one_outcome_with_their_sums(watched: Watched) -> None:
    outcome = await watched.ask(CHAIN, "chat/secondary:tools")
    requests = [entry for entry in watched.sandbox.requests if entry["path"].endswith("/chat/completions")]
    assert len(requests) == 2
    first, second = (entry["body"] for entry in requests)
    assert second["messages"][0] == first["messages"][0]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][2]["tool_call_id"] == second["messages"][1]["tool_calls"][0]["id"]
    assert first["session_id"] == second["session_id"] == outcome.id
    assert outcome.tokens.reasoning == 48, "24 in each turn"
    assert outcome.duration > 0.2, "two first tokens of a tenth of a second"


FAULTS = {
    "tool_call_as_text": ("tools", 'the call came as text and not as a call ("<tool_call>")'),
    "broken_tool_arguments": ("tools", "the arguments of the call are no JSON object"),
    "broken_json": ("structured", 'the answer is not JSON: "{'),
    "blind": ("vision", "the picture is "),
    "forgetful": ("long_context", '"'),
    "starved": ("reasoning", "all "),
}


@pytest.mark.parametrize(("fault", "need", "says"), [(fault, *row) for fault, row in FAULTS.items()], ids=FAULTS)
async def test_each_fault_takes_its_capability_and_leaves_the_rest(
    watched: Watched, fault: str, need: str, says: str
) -> None:
    watched.sandbox.break_(SONNET, None, fault)
    lacks(await watched.ask(CHAIN, f"chat/primary:{need}"), says)
    if fault == "starved":
        return
    assert (await watched.ask(CHAIN, "chat/primary:completion")).status is Status.OK, "it is up"
    for other in set(NEEDS) - {need}:
        outcome = await watched.ask(CHAIN, f"chat/primary:{other}")
        assert outcome.status is Status.OK, (other, outcome)
    watched.sandbox.mend()
    assert (await watched.ask(CHAIN, f"chat/primary:{need}")).status is Status.OK


def test_every_fault_that_makes_unfit_is_tried() -> None:
    assert set(UNFIT) < set(FAULTS)


REFUSALS = {
    "tools": "404: No endpoints found that support tool use",
    "vision": "404: No endpoints found that support image input",
}


@pytest.mark.parametrize(("need", "says"), REFUSALS.items(), ids=REFUSALS)
async def test_a_refusal_of_what_was_asked_is_a_lack_and_no_failure(watched: Watched, need: str, says: str) -> None:
    outcome = await watched.ask(with_models(QWEN), f"chat/primary:{need}")
    lacks(outcome, says)
    assert outcome.served_by is None, "nobody answered"


async def test_a_prompt_that_is_silently_shortened_is_found_out(watched: Watched) -> None:
    probes = [{"kind": "long_context", "every": "1d", "of": ["targets"], "tokens": 20_000}]
    chain = with_models(QWEN, probes=probes)
    lacks(await watched.ask(chain, "chat/primary:long_context"), '"')
    probes[0]["depth"] = "2%"
    assert (await watched.ask(chain, "chat/primary:long_context")).status is Status.OK


@pytest.mark.parametrize("fault", ["unavailable", "rate_limited", "refused", "wrong_model"])
async def test_an_outage_is_a_failure_and_says_nothing_of_a_lack(watched: Watched, fault: str) -> None:
    watched.sandbox.break_(SONNET, None, fault)
    outcome = await watched.ask(CHAIN, "chat/primary:tools")
    assert outcome.status is Status.FAILED
    assert outcome.reason is not Reason.MISSING_CAPABILITY


async def test_a_second_turn_that_fails_says_so(watched: Watched) -> None:
    class Flaky(httpx.AsyncBaseTransport):
        def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
            self.inner = inner

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if len(json.loads(request.content)["messages"]) > 1:
                return httpx.Response(503, json={"error": {"code": 503, "message": "overloaded"}})
            return await self.inner.handle_async_request(request)

    outcome = await watched.ask(CHAIN, "chat/primary:tools", wrap=Flaky)
    assert (outcome.status, outcome.detail[:22]) == (Status.FAILED, "in the second turn: 50")
    assert outcome.tokens.completion > 0, "the first turn was paid for"


@pytest.mark.parametrize("mode", ["server", "client"])
async def test_a_chain_may_be_asked_end_to_end_too(watched: Watched, mode: str) -> None:
    chain = {**CHAIN, "mode": mode, "needs": [], "probes": [{"kind": "tools", "every": "60s", "of": ["chain"]}]}
    outcome = await watched.ask(chain, "chat:tools")
    assert (outcome.status, outcome.path, outcome.served_by) == (Status.OK, Path.PRIMARY, "primary")
    watched.sandbox.break_(SONNET, None, "unavailable")
    outcome = await watched.ask(chain, "chat:tools")
    assert (outcome.status, outcome.path, outcome.served_by) == (Status.OK, Path.FAILED_OVER, "secondary")
    watched.sandbox.mend()
    watched.sandbox.break_(SONNET, None, "tool_call_as_text")
    outcome = await watched.ask(chain, "chat:tools")
    assert (outcome.status, outcome.reason) == (Status.DEGRADED, Reason.MISSING_CAPABILITY), "it answers, and is unfit"
    assert (outcome.path, outcome.served_by) == (Path.PRIMARY, "primary")


CATALOGUED = {
    ("tools", QWEN): f"not asked: the catalogue lists no tools for {QWEN}",
    ("structured", QWEN): f"not asked: the catalogue lists no structured_outputs or response_format for {QWEN}",
    ("vision", LLAMA): f"not asked: the catalogue says that {LLAMA} takes text and no images",
    ("reasoning", SONNET): f"not asked: the catalogue lists no reasoning for {SONNET}",
}


@pytest.mark.parametrize(("need", "model", "says"), [(*key, says) for key, says in CATALOGUED.items()])
async def test_what_the_catalogue_denies_is_not_asked(watched: Watched, need: str, model: str, says: str) -> None:
    await watched.read_catalogue(model)
    outcome = await watched.ask(with_models(model), f"chat/primary:{need}")
    lacks(outcome, says)
    assert (outcome.cost, outcome.status_code) == (0.0, None)
    assert not [entry for entry in watched.sandbox.requests if entry["path"].endswith("/chat/completions")]
