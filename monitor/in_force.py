"""What is watched now: the config, and the questions and drills that follow from it."""

from __future__ import annotations

from chaos.drills import resolve
from chaos.model import Drill
from monitor.config.model import Config
from monitor.endpoints import on_sandbox
from monitor.inventory import Inventory
from monitor.model import ProbeSpec
from monitor.probes import expand


class InForce:
    """It changes with a reload, and when providers that are to be discovered come or go: in ``config`` they stand by
    name, in ``written`` as they were written. ``sandbox``: the base URL that stands in for all endpoints."""

    config: Config
    specs: tuple[ProbeSpec, ...]
    drills: tuple[Drill, ...]

    def __init__(self, config: Config, inventory: Inventory, sandbox: str | None) -> None:
        self._inventory = inventory
        self._sandbox = sandbox
        self.put(config)

    def put(self, config: Config) -> None:
        """Another config, as it was written."""
        self.written = on_sandbox(config, self._sandbox) if self._sandbox else config
        self._spread(self._inventory.expand(self.written))

    def rediscover(self) -> bool:
        """Whether the catalogues now show other providers; if so, those are in force."""
        found = self._inventory.expand(self.written)
        if found == self.config:
            return False
        self._spread(found)
        return True

    def _spread(self, config: Config) -> None:
        self.config = config
        self.specs = expand(config)
        self.drills = resolve(config)
