"""``fallbackd gateway``: the gateway alone, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from typing import Annotated

import typer

from chaos.backlog import Backlog
from chaos.gateway import Alone, Gateway
from monitor import heap
from monitor.addresses import parse_listen
from monitor.clock import SystemClock
from monitor.commands import options
from monitor.config.model import Config, GatewayConfig
from monitor.endpoints import declared
from monitor.errors import CommandError
from monitor.gateway_metrics import GatewayMetrics
from monitor.logs import configure
from monitor.model import Outcome
from monitor.offering import Catalogue
from monitor.offers import with_prices
from monitor.version import VERSION


def register(app: typer.Typer) -> None:
    app.command("gateway")(gateway)


def gateway(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where applications send to; default: as configured.")
    ] = None,
    control: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Control and metrics, here only; default: as configured.")
    ] = None,
    upstream: Annotated[
        str | None, typer.Option(metavar="URL", help="Pass to this address in place of the configured endpoint's.")
    ] = None,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Pass application traffic on to an endpoint, and count who answered; without the rest of the daemon.

    Its own metrics are at /metrics of the control address. With gateway.separate the daemon arms its faults there.
    """
    configure(level=log_level)
    config = options.load_config(chains, alerts, sandbox=True)
    if config.gateway is None:
        raise CommandError(f"{chains} has no section gateway; write at least gateway: {{endpoint: NAME}}")
    asyncio.run(_serve(*_with(config, config.gateway, listen=listen, control=control, upstream=upstream)))


def _with(
    config: Config, settings: GatewayConfig, *, listen: str | None, control: str | None, upstream: str | None
) -> tuple[Config, GatewayConfig]:
    """The config with what the command line says instead. Raises CommandError."""
    update = {name: value for name, value in (("listen", listen), ("control", control)) if value is not None}
    for value in update.values():
        parse_listen(value)
    if control is not None and parse_listen(control)[0] not in ("127.0.0.1", "::1", "localhost"):
        raise CommandError(f"--control {control}: faults are armed from this machine only; listen on 127.0.0.1")
    if upstream is not None:
        if not upstream.startswith(("http://", "https://")):
            raise CommandError(f"--upstream {upstream}: write http:// or https:// and the host")
        endpoint = config.endpoints[settings.endpoint].model_copy(update={"url": upstream})
        config = replace(config, endpoints={**config.endpoints, settings.endpoint: endpoint})
    return config, settings.model_copy(update=update)


async def _serve(config: Config, settings: GatewayConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: os._exit(130) if stop.is_set() else stop.set())
    clock = SystemClock()
    metrics = GatewayMetrics(config, VERSION, clock)
    prices = {name: with_prices(Catalogue(), declared(endpoint)) for name, endpoint in config.endpoints.items()}
    backlog = Backlog()

    def told(outcome: Outcome) -> None:
        metrics.take(outcome)
        backlog.add(outcome)

    running = Gateway(
        config, settings, told=told, unobserved=metrics.series.gateway_unobserved,
        overhead=metrics.series.gateway_added, catalogue=prices.__getitem__, clock=clock,
        alone=Alone(exposition=metrics.exposition, backlog=backlog),
    )  # fmt: skip
    metrics.of(running)
    await running.start()
    heap.settle()
    print(
        f"The gateway listens at {running.url}/v1 and passes to {config.endpoints[settings.endpoint].url}; "
        f"control and metrics at {running.control_url}. Ctrl-C stops.",
        flush=True,
    )
    try:
        await stop.wait()
    finally:
        await running.stop()
