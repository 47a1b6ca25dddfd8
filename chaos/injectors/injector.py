"""What every injector is: it checks whether a drill can be done by it, and puts a fault where our requests pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

import httpx

from chaos.model import Drill, Injection, Option
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

    ``says``: what it does, for the journal. ``count``: how many requests it really met.
    """

    @property
    def says(self) -> str: ...

    @property
    def reshape(self) -> Reshape | None: ...

    @property
    def wrap(self) -> Wrap | None: ...

    @property
    def count(self) -> int: ...

    def release(self) -> None:
        """Take the fault away; safe to run twice."""
        ...


class Injector(Protocol):
    """One means of breaking. ``faults``: what it can do, with the options of each."""

    @property
    def name(self) -> str: ...

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]: ...

    def check(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Refused | None:
        """Whether ``arm`` would refuse. Pure: nothing is put in place."""
        ...

    def arm(
        self, injection: Injection, drill: Drill, chain: ChainConfig, catalogue: Catalogue, clock: Clock, rng: Random
    ) -> Armed | Refused: ...
