"""Whose network it is, and what becomes of verdicts while it is ours."""

from __future__ import annotations

import asyncio
import socket

import pytest

from monitor.config.model import Config, EndpointConfig
from monitor.config.network_sections import NetworkConfig
from monitor.connectivity import FRESH, Connectivity, reach
from monitor.model import Path, Reason, Status
from monitor.reach import Address, addresses, is_ours, is_suspicious
from tests.fakes.clock import FakeClock
from tests.fakes.values import outcome
from tests.metrics.metric_samples import ALERTS, PARTS

pytestmark = pytest.mark.anyio

A, B, C = (Address(host=f"{name}.example", port=443) for name in "abc")


@pytest.mark.parametrize(
    ("reached", "ours"),
    [
        ({A: False, B: False}, True),
        ({A: False, B: True}, False),
        ({A: False}, False),  # one address may itself be the one that is down
        ({A: False, Address(host="a.example", port=443, tls=True): False}, False),
        ({A: False, B: False, C: False}, True),
        ({}, False),
    ],
)
def test_it_is_our_network_when_nothing_of_several_answers(reached, ours):
    assert is_ours(reached) is ours


@pytest.mark.parametrize(
    ("urls", "named", "tried"),
    [
        ({"https://openrouter.ai/api/v1": True}, (), ["openrouter.ai:443 tls"]),
        ({"https://openrouter.ai/api/v1": False, "http://proxy:4000": True}, (), ["openrouter.ai:443", "proxy:4000"]),
        ({"https://a.example": True, "https://a.example/v1": True}, (), ["a.example:443 tls"]),
        ({"https://a.example": True}, ("1.1.1.1:53",), ["1.1.1.1:53", "a.example:443 tls"]),
        ({"https://a.example": True, "http://127.0.0.1:4000": True}, (), ["a.example:443 tls"]),
        ({"http://localhost:1": True, "http://127.0.0.1:2": True}, (), ["127.0.0.1:2", "localhost:1"]),
        ({}, ("[::1]:53", "[2606:4700::1111]:53"), ["2606:4700::1111:53"]),
    ],
)
def test_what_is_tried(urls, named, tried):
    assert [f"{one}{' tls' if one.tls else ''}" for one in addresses(urls, named)] == tried


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (Status.FAILED, Reason.CONNECT, True),
        (Status.FAILED, Reason.DNS, True),
        (Status.FAILED, Reason.TLS, True),
        (Status.FAILED, Reason.TIMEOUT, True),
        (Status.FAILED, Reason.OVERLOADED, False),
        (Status.FAILED, Reason.RATE_LIMITED, False),
        (Status.OK, Reason.NONE, False),
        (Status.ERROR, Reason.OURS, False),
    ],
)
def test_what_a_broken_network_can_look_like(status, reason, expected):
    assert is_suspicious(outcome(status=status, reason=reason)) is expected


def config(*urls: str, check: tuple[str, ...] = ()) -> Config:
    """Every endpoint with a chain of its own."""
    from monitor.config.model import AlertsFile, ChainConfig

    return Config(
        endpoints={
            f"e{n}": EndpointConfig.model_validate({"dialect": "openrouter", "url": url}) for n, url in enumerate(urls)
        },
        chains=tuple(
            ChainConfig.model_validate({**PARTS["spare"], "name": f"chain{n}", "endpoint": f"e{n}"})
            for n in range(len(urls))
        ),
        drills=(),
        alerts=AlertsFile.model_validate(ALERTS),
        network=NetworkConfig(check=check),
    )


class World:
    """What answers, and how often it was tried."""

    def __init__(self, *alive: str) -> None:
        self.alive = set(alive)
        self.tried: list[str] = []

    async def connect(self, address: Address, _timeout: float) -> bool:
        self.tried.append(str(address))
        await asyncio.sleep(0)
        return address.host in self.alive


def connectivity(world: World, clock: FakeClock, *urls: str, check: tuple[str, ...] = ()) -> tuple[Connectivity, list]:
    changes: list[bool] = []
    return Connectivity(config(*urls, check=check), clock, changed=changes.append, connect=world.connect), changes


FAILED = outcome(status=Status.FAILED, reason=Reason.CONNECT, path=Path.EXHAUSTED, detail="refused")
TWO = ("https://a.example/v1", "https://b.example/v1")


async def test_while_our_network_is_down_nothing_counts_and_it_recovers_by_itself():
    world, clock = World(), FakeClock()
    network, changes = connectivity(world, clock, *TWO)
    verdict = await network.verify(FAILED)
    assert (verdict.status, verdict.reason, verdict.path) == (Status.ERROR, Reason.OURS, None)
    assert verdict.detail == (
        "our own network is down (nothing answers at a.example:443, b.example:443); seen was connect: refused"
    )
    assert (network.down_since, changes) == (clock.now(), [False])
    clock.advance(FRESH + 1)
    world.alive = {"a.example", "b.example"}
    assert await network.verify(FAILED) == FAILED, "what fails now fails for its own reasons"
    assert (network.down_since, changes) == (None, [False, True])


async def test_the_first_answer_of_anybody_is_proof_enough():
    network, changes = connectivity(World(), FakeClock(), *TWO)
    await network.verify(FAILED)
    good = outcome()
    assert await network.verify(good) is good
    assert (network.down_since, changes) == (None, [False, True])


async def test_an_endpoint_that_refuses_is_to_blame_while_others_answer():
    network, changes = connectivity(World("b.example"), FakeClock(), *TWO)
    assert await network.verify(FAILED) is FAILED
    assert changes == []


@pytest.mark.parametrize(("alive", "ours"), [(("other.example",), False), ((), True)])
async def test_a_single_endpoint_is_told_from_our_network_by_another_address(alive, ours):
    network, _ = connectivity(World(*alive), FakeClock(), TWO[0], check=("other.example:443",))
    assert ((await network.verify(FAILED)).status is Status.ERROR) is ours


async def test_a_single_endpoint_alone_is_to_blame_itself_and_nobody_else_is_asked():
    world = World()
    network, _ = connectivity(world, FakeClock(), TWO[0])
    assert await network.verify(FAILED) is FAILED
    assert world.tried == []


async def test_a_burst_of_failures_is_one_check():
    world = World()
    network, _ = connectivity(world, FakeClock(), *TWO)
    verdicts = await asyncio.gather(*(network.verify(FAILED) for _ in range(20)))
    assert {one.status for one in verdicts} == {Status.ERROR}
    assert len(world.tried) == 2


async def test_reaching_a_real_port_and_one_where_nobody_listens():
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await reach(Address(host="127.0.0.1", port=port), 5.0)
    assert not await reach(Address(host="127.0.0.1", port=port, tls=True), 5.0), "it speaks no TLS"
    server.close()
    await server.wait_closed()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not await reach(Address(host="127.0.0.1", port=unused.getsockname()[1]), 5.0)
