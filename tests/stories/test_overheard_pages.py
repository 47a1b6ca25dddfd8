"""What is read of a gateway in a process of its own: page by page, from where the last reading ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chaos.backlog import Backlog, Page
from monitor.model import Outcome
from monitor.overheard import Overheard
from tests.fakes.values import outcome

pytestmark = pytest.mark.anyio


class Gateway:
    def __init__(self) -> None:
        self.backlog: Backlog | None = Backlog(page=2)
        self.asked = 0

    async def outcomes(self, of: str, after: int) -> Page | None:
        self.asked += 1
        return self.backlog.page(of, after) if self.backlog is not None else None

    def passes(self, *ids: str, chain: str = "chat") -> None:
        assert self.backlog is not None
        for one in ids:
            self.backlog.add(outcome(id=one, chain=chain))


class Kept:
    def __init__(self) -> None:
        self.values: dict[str, bytes | None] = {}

    async def states(self, kind: str) -> Mapping[str, bytes | None]:
        assert kind == "gateway"
        return dict(self.values)

    async def put_states(self, kind: str, values: Mapping[str, bytes | None]) -> None:
        assert kind == "gateway"
        self.values |= values


def reader(gateway: Gateway | None, kept: Kept, taken: list[str]) -> Overheard:
    def take(one: Outcome, *, measured: bool) -> None:
        assert measured
        taken.append(one.id)

    parts: dict[str, Any] = {"reach": lambda: gateway, "store": kept}
    return Overheard(chains=lambda: ["chat"], take=take, **parts)


async def test_all_that_waits_is_read_in_one_look_and_nothing_twice() -> None:
    gateway, kept, taken = Gateway(), Kept(), list[str]()
    read = reader(gateway, kept, taken)
    gateway.passes("a", "b", "c", "d", "e")
    await read.look()
    await read.look()
    assert (taken, gateway.asked) == (["a", "b", "c", "d", "e"], 4)


async def test_another_process_goes_on_where_the_last_one_ended() -> None:
    gateway, kept, taken = Gateway(), Kept(), list[str]()
    gateway.passes("a")
    await reader(gateway, kept, taken).look()
    gateway.passes("b")
    await reader(gateway, kept, taken).look()
    assert taken == ["a", "b"]


async def test_a_gateway_that_was_started_anew_is_read_from_its_beginning() -> None:
    gateway, kept, taken = Gateway(), Kept(), list[str]()
    read = reader(gateway, kept, taken)
    gateway.passes("a", "b", "c")
    await read.look()
    gateway.backlog = Backlog(page=2)
    gateway.passes("d")
    await read.look()
    assert taken == ["a", "b", "c", "d"]


async def test_a_chain_that_is_not_known_here_is_passed_over() -> None:
    gateway, kept, taken = Gateway(), Kept(), list[str]()
    gateway.passes("x", chain="elsewhere")
    gateway.passes("a")
    await reader(gateway, kept, taken).look()
    assert taken == ["a"]


async def test_where_nobody_answers_nothing_is_forgotten() -> None:
    gateway, kept, taken = Gateway(), Kept(), list[str]()
    read = reader(gateway, kept, taken)
    gateway.passes("a")
    await read.look()
    gateway.backlog, away = None, gateway.backlog
    await read.look()
    gateway.backlog = away
    gateway.passes("b")
    await read.look()
    await reader(None, kept, taken).look()
    assert taken == ["a", "b"]
    assert kept.values["overheard"] is not None
