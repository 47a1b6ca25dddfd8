"""What every injector is: it checks whether a drill can be done by it, and puts a fault where our requests pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol, runtime_checkable

import httpx

from chaos.faults import FAULTS
from chaos.model import Drill, Injection, Option, Strike
from chaos.shapes import words
from chaos.wording import join
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.exchange import Reshape
from monitor.offering import Catalogue

Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]
"""A change of the way that requests travel, made by a drill."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The drill cannot be done this way on this chain. ``because`` is one sentence for people."""

    because: str


class Armed(Protocol):
    """A fault in place. It ends by itself at the injection's ``until`` and ``max_count``.

    ``says``: what it does, for the journal. ``count``: how many requests it really met; ``met``: the same by position.
    """

    @property
    def says(self) -> str: ...

    @property
    def reshape(self) -> Reshape | None: ...

    @property
    def wrap(self) -> Wrap | None: ...

    @property
    def count(self) -> int: ...

    @property
    def met(self) -> Mapping[int, int]: ...

    @property
    def because(self) -> str:
        """Why the latest request met a fault or did not: the rest of a sentence, empty where that is not known."""
        ...

    def release(self) -> None:
        """Take the fault away; safe to run twice."""
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """An optional power of what is armed: its fault stands in another process, which must be told of the release."""

    async def look(self) -> None:
        """Take over how many requests the other side says that it met."""
        ...

    async def open(self) -> None:
        """The other side may let the fault meet live traffic too, where the drill is about any."""
        ...

    async def gone(self) -> None:
        """Once the other side was told, or does not answer; its own deadline holds there either way."""
        ...


ROUTED = ("ignore", "max_price", "only", "unknown_id")
"""What is said to a router in a request, and is no fault of an endpoint."""
NO_ROUTER = "it is said to a router, and a request of a client chain names one target"


def told(strike: Strike, chain: ChainConfig) -> str:
    """``primary meet the fault on their way (the connection is refused; one request in 3)``: of requests."""
    labels = join(chain.targets[position].label for position in strike.positions)
    meaning = FAULTS[strike.fault].meaning.rstrip(".")
    when = words(strike)
    return f"{labels} meet the fault on their way ({meaning}{f'; {when}' if when else ''})"


class Injector(Protocol):
    """One means of breaking. ``faults``: what it can do, with the options of each. ``limits``: of what has no meaning
    by it, why."""

    @property
    def name(self) -> str: ...

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]: ...

    @property
    def limits(self) -> Mapping[str, str]: ...

    def check(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Refused | None:
        """Whether ``arm`` would refuse. Pure: nothing is put in place."""
        ...

    def arm(
        self, injection: Injection, drill: Drill, chain: ChainConfig, catalogue: Catalogue, clock: Clock, rng: Random
    ) -> Armed | Refused: ...
