"""The means of breaking. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.injectors.client import ClientInjector
from chaos.injectors.injector import Injector
from chaos.injectors.request import RequestInjector
from monitor.config.model import FaultOption

_ALL: tuple[Injector, ...] = (
    RequestInjector(),
    ClientInjector(),
)

INJECTORS: Mapping[str, Injector] = {injector.name: injector for injector in _ALL}

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
