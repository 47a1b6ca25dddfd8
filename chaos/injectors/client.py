"""Breaks a chain that its caller walks: a fault between us and a target's endpoint, on our own requests only."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import httpx

from chaos.faults import FAULTS
from chaos.injectors.injector import NO_ROUTER, ROUTED, Refused, told
from chaos.injectors.transport import TransportInjector
from chaos.model import Drill, Injection, Option
from chaos.wording import join
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.model import Mode
from monitor.offering import Catalogue


class ClientInjector:
    """For chains of mode ``client``; every fault there is. In config and metrics it is called ``transport``."""

    name = "transport"

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]:
        return {name: fault.options for name, fault in FAULTS.items()}

    @property
    def limits(self) -> Mapping[str, str]:
        return dict.fromkeys(ROUTED, NO_ROUTER)

    def check(
        self,
        drill: Drill,  # noqa: ARG002 - the interface of all injectors
        chain: ChainConfig,
        catalogue: Catalogue,  # noqa: ARG002 - the interface of all injectors
    ) -> Refused | None:
        if chain.mode is Mode.CLIENT:
            return None
        return Refused(
            f"{chain.name} is walked by {chain.endpoint}, which would look broken as a whole to a fault on the way to "
            "it; break single targets of it with the request injector"
        )

    def arm(
        self, injection: Injection, drill: Drill, chain: ChainConfig, catalogue: Catalogue, clock: Clock, rng: Random
    ) -> Switch | Refused:
        refused = self.check(drill, chain, catalogue)
        if refused is not None:
            return refused
        says = join(f"our requests to {told(strike, chain)}" for strike in injection.strikes)
        return Switch(TransportInjector(injection, clock, rng), says)


class Switch:
    """A transport fault that can be taken away, also under a request that holds the wrapped transport."""

    reshape = None

    def __init__(self, injected: TransportInjector, says: str) -> None:
        self.says = says
        self._injected = injected
        self._released = False

    @property
    def count(self) -> int:
        return self._injected.count

    def wrap(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Switched(inner, self._injected.wrap(inner), self)

    @property
    def met(self) -> Mapping[int, int]:
        return self._injected.met

    @property
    def because(self) -> str:
        return self._injected.because

    @property
    def released(self) -> bool:
        return self._released

    def release(self) -> None:
        self._released = True


class _Switched(httpx.AsyncBaseTransport):
    def __init__(self, whole: httpx.AsyncBaseTransport, broken: httpx.AsyncBaseTransport, switch: Switch) -> None:
        self._whole = whole
        self._broken = broken
        self._switch = switch

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        way = self._whole if self._switch.released else self._broken
        return await way.handle_async_request(request)
