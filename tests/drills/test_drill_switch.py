"""The transport injector as drills use it: on client chains alone, and gone the moment it is released."""

from __future__ import annotations

from random import Random

import httpx
import pytest

from chaos.injectors.client import ClientInjector, Switch
from chaos.injectors.injector import Refused
from chaos.model import Injection

from .drill_samples import catalogue, chain, drill
from .drill_stage import HandClock

pytestmark = pytest.mark.anyio

ONE = drill(fault="refused", injector="transport")
INJECTION = Injection(
    chain="chat",
    drill=ONE.name,
    run="r1",
    strikes=ONE.strikes,
    injector="transport",
    until=1060.0,
    max_count=5,
)
MARKED = {"fallbackd": {"chain": "chat", "target": "primary", "position": 0, "drill": ONE.name}}


def armed() -> Switch:
    found = ClientInjector().arm(INJECTION, ONE, chain("client"), catalogue(), HandClock(), Random(1))
    assert isinstance(found, Switch)
    return found


async def send(transport: httpx.AsyncBaseTransport) -> int:
    request = httpx.Request("POST", "http://sandbox/", extensions=MARKED)
    return (await transport.handle_async_request(request)).status_code


@pytest.mark.parametrize("mode", ["server", "provider"])
def test_a_chain_that_its_endpoint_walks_is_not_for_it(mode: str) -> None:
    refused = ClientInjector().check(ONE, chain(mode), catalogue())
    assert refused == Refused(
        "chat is walked by openrouter, which would look broken as a whole to a fault on the way to it; break single "
        "targets of it with the request injector"
    )
    found = ClientInjector().arm(INJECTION, ONE, chain(mode), catalogue(), HandClock(), Random(1))
    assert found == refused


async def test_a_request_meets_the_fault_until_it_is_released() -> None:
    switch = armed()
    wrapped = switch.wrap(httpx.MockTransport(lambda _: httpx.Response(204)))
    with pytest.raises(httpx.ConnectError):
        await send(wrapped)
    switch.release()
    switch.release()
    assert await send(wrapped) == 204
    assert switch.count == 1


def test_it_says_whom_it_breaks_and_how() -> None:
    assert armed().says.startswith("our requests to primary meet the fault on their way (")
