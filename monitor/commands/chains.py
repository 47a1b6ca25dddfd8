"""``fallbackd chains``: every chain, and how it is."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from monitor.commands import options, remote
from monitor.config.model import Config

COLOURS = {"healthy": "green", "degraded": "yellow", "limited": "yellow", "down": "bold red", "unknown": "dim"}


def register(app: typer.Typer) -> None:
    app.command("chains")(chains)


def chains(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the chains with their health, as the running daemon sees it; without one, as they are configured."""
    base = remote.daemon_url(data, url)
    if base is None:
        config = options.load_config(chains, alerts, sandbox=True)
        options.print_json(_configured(config)) if as_json else _print_configured(config)
        return
    found = remote.call("GET", f"{base}/api/v1/chains")
    if as_json:
        options.print_json(found)
        return
    _print_live(found["chains"])


def _configured(config: Config) -> list[dict[str, Any]]:
    return [
        {"name": chain.name, "mode": chain.mode, "targets": [target.key for target in chain.all_targets()]}
        for chain in config.chains
    ]


def _print_configured(config: Config) -> None:
    print("No daemon runs here (fallbackd run starts one); as configured:")
    table = Table("chain", "mode", "targets", box=None, pad_edge=False)
    for chain in config.chains:
        table.add_row(chain.name, chain.mode, " > ".join(f"{t.label} ({t.model})" for t in chain.all_targets()))
    options.console().print(table)


def _print_live(found: list[dict[str, Any]]) -> None:
    table = Table("chain", "health", "serves now", "targets", "why", box=None, pad_edge=False)
    for chain in found:
        targets = "  ".join(_coloured(target["health"], target["label"]) for target in chain["targets"])
        serving = chain.get("serving") or {}
        now = f"{serving.get('label') or 'nobody'} ({serving.get('path')})" if serving else ""
        table.add_row(
            chain["name"], _coloured(chain["health"], chain["health"]), now, targets, escape(chain.get("detail") or "")
        )
    options.console().print(table)


def _coloured(health: str, text: str) -> str:
    return f"[{COLOURS.get(health, 'dim')}]{text}[/]"
