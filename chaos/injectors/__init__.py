"""The means of breaking. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaos.injectors.client import ClientInjector
from chaos.injectors.gateway import GatewayInjector
from chaos.injectors.injector import Injector
from chaos.injectors.proxy import ProxyInjector
from chaos.injectors.reach import Reach
from chaos.injectors.request import RequestInjector
from monitor.config.model import FaultOption

_ALL: tuple[Injector, ...] = (
    RequestInjector(),
    ProxyInjector(),
    ClientInjector(),
    GatewayInjector(),
)

INJECTORS: Mapping[str, Injector] = {injector.name: injector for injector in _ALL}


def reaching(gateway: Callable[[], Reach | None]) -> Mapping[str, Injector]:
    """The injectors, with the one that must know where a gateway is."""
    return {**INJECTORS, GatewayInjector.name: GatewayInjector(gateway)}


RESHAPING = (RequestInjector.name, ProxyInjector.name)
"""What these do to our requests, on chains that their endpoint walks, the gateway does there to applications'."""

FAULT_OPTIONS: Mapping[str, Mapping[str, Mapping[str, FaultOption]]] = {
    injector.name: {
        fault: {
            name: FaultOption(unit=option.unit.value, default=option.default, low=option.low, high=option.high)
            for name, option in options.items()
        }
        for fault, options in injector.faults.items()
    }
    for injector in _ALL
}
"""injector -> fault -> option -> its limits, as the config needs to know them."""

__all__ = ["FAULT_OPTIONS", "INJECTORS", "RESHAPING", "GatewayInjector", "Reach", "reaching"]
