"""What the sandbox offers can be changed while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from chaos.sandbox import Sandbox

pytestmark = pytest.mark.anyio

SONNET = "anthropic/claude-sonnet-4.5"
LLAMA = "meta-llama/llama-3.3-70b-instruct"


class Stage:
    """A sandbox with a client on each side of it."""

    def __init__(self, base: str, control: str, client: httpx.AsyncClient) -> None:
        self.base, self.control, self.client = base, control, client

    async def change(self, **body: Any) -> httpx.Response:
        return await self.client.post(f"{self.control}/control/catalogue", json=body)

    async def get(self, path: str) -> Any:
        reply = await self.client.get(self.base + path, headers={"Authorization": "Bearer k"})
        return reply.json()["data"]

    async def offers(self, model: str) -> dict[str, dict[str, Any]]:
        return {row["tag"]: row for row in (await self.get(f"/models/{model}/endpoints"))["endpoints"]}

    async def ask(self, model: str) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": "Bearer k"}
        return await self.client.post(f"{self.base}/chat/completions", json=body, headers=headers)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    sandbox = Sandbox()
    base = await sandbox.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Stage(base, sandbox.control_url, client)
    await sandbox.stop()


async def test_a_retired_model_is_unknown_everywhere_and_comes_back(stage: Stage) -> None:
    assert (await stage.change(model=SONNET, retire=True)).status_code == 200
    assert SONNET not in [row["id"] for row in await stage.get("/models")]
    assert (await stage.ask(SONNET)).status_code == 400
    await stage.client.delete(f"{stage.control}/control/catalogue")
    assert (await stage.ask(SONNET)).status_code == 200


async def test_a_former_id_leads_to_the_model_and_answers_nothing(stage: Stage) -> None:
    assert (await stage.change(model=SONNET, rename="anthropic/claude-sonnet-5")).status_code == 200
    listed = [row["id"] for row in await stage.get("/models")]
    assert SONNET not in listed
    assert "anthropic/claude-sonnet-5" in listed
    assert (await stage.get(f"/model/{SONNET}"))["id"] == "anthropic/claude-sonnet-5"
    assert (await stage.ask(SONNET)).status_code == 400
    assert (await stage.ask("anthropic/claude-sonnet-5")).status_code == 200
    refused = await stage.change(model=LLAMA, rename=LLAMA)
    assert (refused.status_code, "there is not yet" in refused.text) == (422, True)
    await stage.client.delete(f"{stage.control}/control/catalogue")
    assert (await stage.ask(SONNET)).status_code == 200


async def test_a_provider_leaves_joins_and_changes(stage: Stage) -> None:
    await stage.change(model=LLAMA, provider="groq", drop=True)
    await stage.change(model=LLAMA, provider="azure", add=True, prompt=9.5)
    await stage.change(model=LLAMA, provider="together", status=-2, uptime=71.5, context=4096)
    offers = await stage.offers(LLAMA)
    assert "groq" not in offers
    assert float(offers["azure"]["pricing"]["prompt"]) == pytest.approx(9.5e-6)
    together = offers["together"]
    assert (together["status"], together["uptime_last_30m"], together["context_length"]) == (-2, 71.5, 4096)
    assert (await stage.ask(LLAMA)).json()["provider"] != "Groq"


async def test_a_model_gets_an_end_and_loses_a_parameter(stage: Stage) -> None:
    await stage.change(model=LLAMA, expires="2026-12-24", parameters=["max_tokens"])
    row = await stage.get(f"/model/{LLAMA}")
    assert (row["expiration_date"], row["supported_parameters"]) == ("2026-12-24", ["max_tokens"])
    assert {tuple(one["supported_parameters"]) for one in (await stage.offers(LLAMA)).values()} == {("max_tokens",)}


async def test_the_key_runs_out(stage: Stage) -> None:
    await stage.change(key={"limit": 10, "limit_remaining": 0.5}, credits=3.0)
    assert (await stage.get("/key"))["limit_remaining"] == 0.5
    assert (await stage.get("/credits"))["total_credits"] == 3.0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "write one or more of"),
        ({"model": "no/such", "retire": True}, "there is no model no/such"),
        ({"model": SONNET, "provider": "groq", "drop": True}, "groq does not serve"),
        ({"model": SONNET, "provider": "nobody", "add": True}, "there is no provider nobody"),
        ({"model": "mistralai/mistral-small-3.2-24b-instruct", "sing": True}, "write one or more of"),
        ({"model": SONNET, "provider": "anthropic", "prompt": "dear"}, "prompt: a number"),
        ({"model": f"{LLAMA}:free", "provider": "novita", "drop": True}, "is the last one to serve"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(stage: Stage, body: dict[str, Any], says: str) -> None:
    reply = await stage.change(**body)
    assert reply.status_code == 422
    assert says in reply.json()["error"]["message"]
