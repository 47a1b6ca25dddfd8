"""``fallbackd catalogue``: what the endpoints offer, and what was found about it."""

from __future__ import annotations

import asyncio
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from monitor.clock import utc
from monitor.commands import options, remote
from monitor.commands.workbench import workbench
from monitor.config.model import Config
from monitor.drift import Known, compare
from monitor.web.catalogue_views import CatalogueView, catalogue_view


def register(app: typer.Typer) -> None:
    app.command("catalogue")(catalogue)


def catalogue(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    sandbox: options.SandboxOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Show what serves each target now, and what the catalogues show: models that go, other prices, providers, credit.

    The running daemon knows what changed over time; without one, the catalogues are read once, and only what is so now
    can be shown.
    """
    base = None if sandbox else remote.daemon_url(data, url)
    if base is not None:
        found = remote.call("GET", f"{base}/api/v1/catalogue")
    else:
        config = options.load_config(chains, alerts, sandbox=sandbox)
        found = asyncio.run(_read(config, sandbox=sandbox)).model_dump(mode="json")
    if as_json:
        options.print_json(found)
        return
    _print(found, live=base is not None)


async def _read(config: Config, *, sandbox: bool) -> CatalogueView:
    async with workbench(config, sandbox=sandbox) as bench:
        offers, now = bench.endpoints.catalogue, bench.clock.now()
        findings = [
            finding
            for name in bench.config.endpoints
            for finding in compare(Known(), bench.config, name, offers, now, limits=config.catalogue)[1]
        ]
        return catalogue_view(bench.config, offers, findings)


def _print(found: dict[str, Any], *, live: bool) -> None:
    out = options.console()
    out.print(_targets(found["targets"]))
    print()
    if found["findings"]:
        out.print(_findings(found["findings"]))
    else:
        print("Nothing was found: the catalogues offer what the chains rely on.")
    print()
    for endpoint in found["endpoints"]:
        read = f"read at {utc(endpoint['at'])}" if endpoint["at"] is not None else "could not be read"
        print(f"{endpoint['name']}: {read}{_account(endpoint['account'])}")
    if not live:
        print("No daemon runs here, so changes over time are not known.")


def _targets(targets: list[dict[str, Any]]) -> Table:
    table = Table(
        "chain",
        "target",
        "model",
        "served by",
        "USD per M in/out",
        "status",
        "uptime 5m/30m/1d",
        box=None,
        pad_edge=False,
    )
    for target in targets:
        for number, offer in enumerate(target["offers"] or [None]):
            own = (target["chain"], target["label"], target["model"]) if number == 0 else ("", "", "")
            table.add_row(*map(escape, own), *_offer(offer, known=target["known"]))
    return table


def _offer(offer: dict[str, Any] | None, *, known: bool) -> tuple[str, str, str, str]:
    if offer is None:
        return ("nobody" if known else "[red]not in the catalogue[/]"), "", "", ""
    status = "ok" if offer["status"] == 0 else f"[yellow]{offer['status']}[/]"
    uptime = "/".join(_text(offer[f"uptime_{window}"]) for window in ("5m", "30m", "1d"))
    return offer["provider"], f"{_text(offer['prompt'])}/{_text(offer['completion'])}", status, uptime


def _findings(findings: list[dict[str, Any]]) -> Table:
    table = Table("finding", "what", "used by", "since", box=None, pad_edge=False)
    for one in findings:
        colour = "yellow" if one["alerts"] else "dim"
        used = one["used_by"].removeprefix("used by ")
        table.add_row(f"[{colour}]{one['finding']}[/]", escape(one["detail"]), escape(used), utc(one["since"]))
    return table


def _account(account: dict[str, Any] | None) -> str:
    if account is None:
        return ""
    parts = []
    if account["limit_remaining"] is not None:
        parts.append(f"USD {account['limit_remaining']:.2f} of the key's limit left")
    if account["credits_remaining"] is not None:
        parts.append(f"USD {account['credits_remaining']:.2f} of credit left")
    if account["free_remaining"] is not None:
        parts.append(f"{account['free_remaining']} free requests left today")
    return f"; {', '.join(parts)}" if parts else ""


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
