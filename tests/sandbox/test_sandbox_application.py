"""The imaginary application: it asks as the chains are walked, and goes on whatever it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from chaos.sandbox.application import QUESTIONS, Application, walks
from monitor.config.model import ChainConfig
from tests.e2e.daemon import until
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.anyio

TARGETS = [
    {"label": "one", "model": "a/one", "provider": "groq"},
    {"label": "two", "model": "b/two", "provider": "azure"},
]

PROBES = [{"kind": "completion", "every": "60s"}]


def chain(mode: str) -> ChainConfig:
    return ChainConfig.model_validate(
        {"name": mode, "endpoint": "router", "mode": mode, "targets": TARGETS, "probes": PROBES}
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("server", [{"models": ["a/one", "b/two"]}]),
        ("provider", [{"model": "a/one", "provider": {"order": ["groq", "azure"], "allow_fallbacks": True}}]),
        ("client", [{"model": "a/one"}, {"model": "b/two"}]),
    ],
)
def test_it_asks_as_the_chain_is_walked(mode: str, expected: list[dict[str, Any]]) -> None:
    found = walks([chain(mode)])
    assert len(found) == 2 * len(QUESTIONS)
    assert {bodies[0]["stream"] for _, bodies in found} == {True, False}
    for name, walk in found:
        assert name == mode
        assert all(wanted.items() <= body.items() for wanted, body in zip(expected, walk, strict=True))


@pytest.fixture
async def broken() -> AsyncIterator[tuple[str, list[str]]]:
    """A server that hangs up on every request; its URL, and the keys and chains that were sent."""
    keys: list[str] = []

    async def hang_up(request: web.Request) -> web.Response:
        keys.append(f"{request.headers['Authorization']} for {request.headers['X-Fallbackd-Chain']}")
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/chat/completions", hang_up)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", keys
    await runner.cleanup()


async def test_it_goes_on_when_nobody_answers(broken: tuple[str, list[str]]) -> None:
    url, keys = broken
    clock = FakeClock()
    application = Application(url, [chain("server")], every=2.0, clock=clock)

    async def asked_again() -> bool:
        clock.advance(2.0)
        return len(keys) >= 3

    await until(asked_again, "it asks again after a failure")
    await application.stop()
    assert set(keys) == {"Bearer sk-sandbox for server"}
