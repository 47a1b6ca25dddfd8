"""``fallbackd plan``: what would be asked how often, and what a day of it costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.table import Table

from monitor.commands import options
from monitor.commands.workbench import workbench
from monitor.config.model import Config
from monitor.config.quantity import format_duration
from monitor.model import Catalogue, ProbeSpec
from monitor.probes import estimate, expand, offered

DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of question to one subject; ``usd`` is an upper bound for one run, None when the price is unknown."""

    chain: str
    asked: str
    kind: str
    every: float
    per_day: int
    usd: float | None


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    sandbox: options.SandboxOption = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no connection: prices then stay unknown.")] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Print what would be asked how often and what a day of it costs at most. Reads prices, asks no model."""
    config = options.load_config(chains, alerts, sandbox=sandbox)
    rows = _rows(config, {}) if offline else asyncio.run(_priced(config, sandbox=sandbox))
    if as_json:
        options.print_json({"rows": [_json(row) for row in rows], "usd_per_day": _total(rows)})
        return
    _print(config, rows)


async def _priced(config: Config, *, sandbox: bool) -> list[Row]:
    async with workbench(config, sandbox=sandbox) as bench:
        return _rows(config, {name: bench.endpoints.catalogue(name) for name in config.endpoints})


def _rows(config: Config, catalogues: dict[str, Catalogue]) -> list[Row]:
    return [_row(spec, config, catalogues) for spec in expand(config)]


def _row(spec: ProbeSpec, config: Config, catalogues: dict[str, Catalogue]) -> Row:
    chain = config.chain(spec.chain)
    return Row(
        chain=spec.chain,
        asked=spec.target.key if spec.target else "end to end",
        kind=spec.kind,
        every=spec.every,
        per_day=round(DAY / spec.every),
        usd=estimate(spec, chain, offered(chain, spec.target, lambda name: catalogues.get(name, Catalogue()))),
    )


def _print(config: Config, rows: list[Row]) -> None:
    table = Table("chain", "asked", "kind", "every", "a day", "USD a day at most", box=None, pad_edge=False)
    for row in rows:
        usd = "unknown" if row.usd is None else f"{row.usd * row.per_day:.4f}"
        table.add_row(row.chain, row.asked, row.kind, format_duration(row.every), str(row.per_day), usd)
    out = options.console()
    out.print(table)
    for chain in config.chains:
        budget = f"budget {chain.budget.usd_per_day:.2f}" if chain.budget else "no budget"
        print(
            f"{chain.name}: USD {_total([row for row in rows if row.chain == chain.name]):.4f} a day at most, {budget}"
        )
    unknown = sum(row.usd is None for row in rows)
    print(f"All: {sum(row.per_day for row in rows)} questions, USD {_total(rows):.4f} a day at most"
          + (f"; the price of {unknown} of {len(rows)} is unknown and counted as 0" if unknown else ""))  # fmt: skip
    for drill in config.drills:
        when = (
            f"cron {drill.cron}"
            if drill.cron
            else f"every {format_duration(drill.every)}"
            if drill.every
            else "on demand"
        )
        print(f"drill {drill.name}: {drill.chain}, {when}, at least {drill.requests + 2} questions a run")


def _total(rows: list[Row]) -> float:
    return sum((row.usd or 0.0) * row.per_day for row in rows)


def _json(row: Row) -> dict[str, object]:
    return {
        "chain": row.chain, "asked": row.asked, "kind": row.kind, "every_seconds": row.every, "per_day": row.per_day,
        "usd_per_run": row.usd, "usd_per_day": None if row.usd is None else row.usd * row.per_day,
    }  # fmt: skip
