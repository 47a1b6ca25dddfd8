"""What a gateway in a process of its own measures: its exchanges, how many were a fallback, the faults in place."""

from __future__ import annotations

from chaos.drills import resolve
from chaos.gateway import Gateway
from monitor.clock import Clock
from monitor.config.model import Config
from monitor.metrics import WINDOWS, Metrics
from monitor.model import Outcome
from monitor.tallies import Tallies

BY = "gateway"


class GatewayMetrics:
    """Fed by the gateway, read at each scrape; ``series`` counts what is no outcome. It knows what has passed since its
    start."""

    def __init__(self, config: Config, version: str, clock: Clock) -> None:
        self._chains = tuple(chain.name for chain in config.chains)
        self.series = Metrics(config, (), resolve(config), version)
        self._tallies = Tallies(self._chains)
        self._clock = clock
        self._gateway: Gateway | None = None
        self._broken: set[tuple[str, str, str]] = set()

    def of(self, gateway: Gateway) -> None:
        """Whose faults are told."""
        self._gateway = gateway

    def take(self, outcome: Outcome) -> None:
        self.series.observe(outcome)
        self._tallies.take(outcome)

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        now = self._clock.now()
        for chain in self._chains:
            for window, seconds in WINDOWS.items():
                share, _ = self._tallies.fallbacks[chain].share(seconds, now)
                self.series.set_fallback_share(chain, window, share)
        self._tell_faults()
        return await self.series.exposition(accept)

    def _tell_faults(self) -> None:
        rules = self._gateway.rules.listed() if self._gateway is not None else ()
        broken = {(rule.chain, rule.drill, strike.fault) for rule, _ in rules for strike in rule.strikes}
        for chain, drill, fault in broken | self._broken:
            self.series.set_fault(chain, drill, fault, BY, active=(chain, drill, fault) in broken)
        self._broken = broken
