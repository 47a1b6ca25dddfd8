"""One client chain over several endpoints: each target is asked in its own dialect, with its own key and way."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import httpx
import pytest
from pydantic import SecretStr

from monitor.clock import SystemClock
from monitor.config.model import AlertsFile, ChainConfig, Config, EndpointConfig
from monitor.endpoints import Endpoints
from monitor.model import Path, Status
from monitor.offering import Catalogue, ModelEntry, Price
from monitor.probes import Prober, estimate, expand, offered

pytestmark = pytest.mark.anyio

CHAIN = ChainConfig.model_validate(
    {
        "name": "mixed", "endpoint": "own", "mode": "client", "probes": [{"kind": "completion", "every": "60s"}],
        "targets": [
            {"label": "near", "model": "llama3.2"},
            {"label": "far", "model": "claude-sonnet-4-5", "endpoint": "claude"},
        ],
    }
)  # fmt: skip
CONFIG = Config(
    endpoints={
        "own": EndpointConfig(dialect="openai_compatible", url="http://own/v1"),
        "claude": EndpointConfig(dialect="anthropic", url="http://claude"),
    },
    chains=(CHAIN,),
    drills=(),
    alerts=AlertsFile.model_construct(notifiers=(), routes=(), rules=()),
    secrets={"endpoints/claude": SecretStr("key-of-claude")},
)
CATALOGUES = {
    "own": Catalogue(at=1.0, models={"llama3.2": ModelEntry(id="llama3.2", canonical="", price=Price(prompt=1e-6))}),
    "claude": Catalogue(
        at=1.0, models={"claude-sonnet-4-5": ModelEntry(id="claude-sonnet-4-5", canonical="", price=Price(prompt=3e-6))}
    ),
}


def claude(request: httpx.Request) -> httpx.Response:
    assert request.url == "http://claude/v1/messages"
    assert request.headers["x-api-key"] == "key-of-claude"
    assert "authorization" not in request.headers
    asked = json.loads(request.content)["messages"][0]["content"][0]["text"]
    content = [{"type": "text", "text": asked.rpartition(" ")[2]}]
    usage = {"input_tokens": 20, "output_tokens": 4}
    return httpx.Response(
        200, json={"type": "message", "model": "claude-sonnet-4-5", "content": content, "stop_reason": "end_turn",
                   "usage": usage}
    )  # fmt: skip


def own(request: httpx.Request) -> httpx.Response:
    assert request.url == "http://own/v1/chat/completions"
    assert "x-api-key" not in request.headers
    return httpx.Response(500, json={"error": "llama runner process has terminated"})


async def test_a_walk_goes_on_at_another_endpoint() -> None:
    ways = {"own": httpx.MockTransport(own), "claude": httpx.MockTransport(claude)}
    prober = Prober(
        config=CONFIG, transport=ways.__getitem__, catalogue=CATALOGUES.__getitem__, clock=SystemClock(), rng=Random(1)
    )
    outcomes = {spec.key: await prober.probe(spec) for spec in expand(CONFIG)}
    whole = outcomes["mixed:completion"]
    assert (whole.status, whole.path, whole.served_by) == (Status.OK, Path.FAILED_OVER, "far"), whole
    assert whole.cost == pytest.approx(20 * 3e-6)
    assert outcomes["mixed/near:completion"].status is Status.FAILED
    assert outcomes["mixed/far:completion"].status is Status.OK


def test_an_estimate_takes_each_price_from_its_own_endpoint() -> None:
    costs = {
        spec.key: estimate(spec, CHAIN, offered(CHAIN, spec.target, CATALOGUES.__getitem__)) for spec in expand(CONFIG)
    }
    assert costs["mixed:completion"] == pytest.approx(costs["mixed/near:completion"] + costs["mixed/far:completion"])


async def test_a_declared_price_pays_for_an_answer_under_a_dated_name() -> None:
    priced = EndpointConfig.model_validate(
        {
            "dialect": "anthropic",
            "url": "http://claude",
            "prices": {"claude-sonnet-4": {"prompt": 3, "completion": 15}},
        }
    )
    chain = CHAIN.model_copy(update={"targets": (CHAIN.targets[1].model_copy(update={"model": "claude-sonnet-4"}),)})
    config = replace(CONFIG, endpoints={**CONFIG.endpoints, "claude": priced}, chains=(chain,))
    endpoints = Endpoints(config, SystemClock())
    prober = Prober(
        config=config,
        transport=lambda _: httpx.MockTransport(dated),
        catalogue=endpoints.catalogue,
        clock=SystemClock(),
        rng=Random(1),
    )
    (target,) = [spec for spec in expand(config) if spec.target]
    outcome = await prober.probe(target)
    assert outcome.status is Status.OK, outcome
    assert outcome.cost == pytest.approx(20 * 3e-6 + 4 * 15e-6)


def dated(request: httpx.Request) -> httpx.Response:
    body = json.loads(claude(request).content)
    return httpx.Response(200, json={**body, "model": "claude-sonnet-4-20250514"})
