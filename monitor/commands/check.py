"""``fallbackd check``: is the config right? Opens no connection."""

from __future__ import annotations

from typing import Annotated

import typer

from monitor.commands import options
from monitor.drift import shared_fate
from monitor.offering import Catalogue


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="As for run --sandbox: no key of OpenRouter is needed.")
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Validate both files: every mistake at once with its place and remedy, exit code 2. Opens no connection."""
    config = options.load_config(chains, alerts, sandbox=sandbox)
    counts = {
        "chains": len(config.chains),
        "targets": sum(len(chain.targets) for chain in config.chains),
        "drills": len(config.drills),
        "rules": len(config.alerts.rules),
        "notifiers": len(config.alerts.notifiers),
    }
    warnings = [*config.warnings, *(one.detail for one in shared_fate(config, lambda _: Catalogue()))]
    if as_json:
        options.print_json({"ok": True, **counts, "off": dict(config.muted), "warnings": warnings})
        return
    print(f"{chains} and {alerts} are good: " + ", ".join(map(_counted, counts, counts.values())))
    for sentence in config.muted.values():
        print(f"off: {sentence}")
    for sentence in warnings:
        print(f"note: {sentence}")


def _counted(names: str, number: int) -> str:
    return f"{number} {names.removesuffix('s') if number == 1 else names}"
