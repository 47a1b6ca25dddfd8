"""Application traffic inside the daemon: the gateway, as the config asks for it, with its outcomes in the pipeline."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from chaos.gateway import Gateway, chains_of
from chaos.injectors import Reach
from chaos.sandbox import Application
from monitor.clock import Clock
from monitor.config.model import Config
from monitor.model import Outcome, Overhead
from monitor.offering import Catalogue

log = structlog.get_logger("gateway")


class Traffic:
    """Runs the gateway where there is one and it is not ``separate``. ``told`` gets the outcomes, ``unobserved`` is
    called for each exchange that could not be read, ``overhead`` with what the gateway itself adds."""

    def __init__(
        self,
        *,
        told: Callable[[Outcome], None],
        unobserved: Callable[[], None],
        overhead: Callable[[Overhead, float], None],
        catalogue: Callable[[str], Catalogue],
        clock: Clock,
    ) -> None:
        self.gateway: Gateway | None = None
        self._application: Application | None = None
        self._told = told
        self._unobserved = unobserved
        self._overhead = overhead
        self._catalogue = catalogue
        self._clock = clock

    async def start(self, config: Config, *, sandbox: bool) -> None:
        """Raises StartError. Only the embedded ``sandbox`` is ever asked by the imaginary application."""
        settings = config.gateway
        if settings is None or settings.separate:
            return
        self.gateway = Gateway(
            config, settings, told=self._told, unobserved=self._unobserved, catalogue=self._catalogue,
            clock=self._clock, overhead=self._overhead,
        )  # fmt: skip
        await self.gateway.start()
        if sandbox and settings.sandbox_traffic is not None:
            self._application = Application(
                self.gateway.url, chains_of(config, settings), every=settings.sandbox_traffic, clock=self._clock
            )

    async def stop(self) -> None:
        if self._application is not None:
            await self._application.stop()
        if self.gateway is not None:
            await self.gateway.stop()

    def follow(self, config: Config) -> None:
        """Obey another config without a pause for the traffic; what would need one is told."""
        settings, running = config.gateway, self.gateway
        wanted = settings is not None and not settings.separate
        followed = running is not None and settings is not None and running.follow(config, settings)
        if wanted != (running is not None) or (wanted and not followed):
            log.warning("the section gateway of the config asks for what only a restart of fallbackd can change")

    def reach(self, config: Config) -> Reach | None:
        """Where drills find the gateway: this one, or that of another process at its configured addresses."""
        settings = config.gateway
        if settings is None:
            return None
        chains = frozenset(chain.name for chain in chains_of(config, settings))
        if self.gateway is not None:
            url, control = self.gateway.url, self.gateway.control_url
        elif settings.separate:
            url, control = f"http://{settings.listen}", f"http://{settings.control}"
        else:
            return None
        dialect = config.endpoints[settings.endpoint].dialect
        return Reach(url=url, control=control, chains=chains, live=frozenset(settings.live), dialect=dialect)

    def apart(self, config: Config) -> Reach | None:
        """Where a gateway of another process is."""
        return self.reach(config) if self.gateway is None else None

    def where(self) -> str | None:
        """One line for the person who started it; None where there is no gateway."""
        if self.gateway is None:
            return None
        return f"{self.gateway.url}/v1, passes to {self.gateway.settings.endpoint}"
