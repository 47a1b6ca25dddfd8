"""``fallbackd coverage``: which failovers are proven."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from chaos.wording import seconds
from monitor.commands import options, remote
from monitor.config.quantity import format_duration
from monitor.errors import CommandError

STYLES = {"proven": "green", "stale": "yellow", "broken": "bold red", "never": "dim"}
MARKS = {"proven": "●", "stale": "■", "broken": "◆", "never": "○"}
Json = Mapping[str, Any]


def register(app: typer.Typer) -> None:
    app.command("coverage")(coverage)


def coverage(
    chain: Annotated[str | None, typer.Argument(metavar="CHAIN", help="Only this chain.")] = None,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show which failovers are proven, by edge and fault: when, and how long they took; stale and broken ones too."""
    found = remote.call("GET", f"{remote.needed(data, url)}/api/v1/coverage")
    chains = [one for one in found["chains"] if chain in (None, one["chain"])]
    if not chains:
        known = ", ".join(one["chain"] for one in found["chains"])
        raise CommandError(f'"{chain}" is no chain here; choose one of {known}')
    if as_json:
        options.print_json({**found, "chains": chains})
        return
    options.console().print(coverage_table(chains, now=time.time()))
    days = format_duration(found["stale_after"])
    print(f"A proof holds for {days} (coverage.stale_after). Fill the gaps: fallbackd drill --matrix CHAIN")


def coverage_table(chains: Sequence[Json], *, now: float) -> RenderableType:
    """One row for each pair that a drill aims at or has met; an edge that nothing aims at has one row as well."""
    table = Table("chain", "edge", "fault", "state", "when", "failover", "by", box=None, pad_edge=False)
    for chain in chains:
        for edge in chain["edges"]:
            ends = (edge["from"], edge["to"])
            cells = [cell for cell in chain["cells"] if (cell["from"], cell["to"]) == ends]
            for cell in cells or [{"fault": "(any)", "state": edge["state"]}]:
                table.add_row(chain["chain"], f"{ends[0]} -> {ends[1]}", cell["fault"], *_standing(cell, now))
    return table


def _standing(cell: Json, now: float) -> tuple[Text, str, str, str]:
    state = str(cell["state"])
    at, failover = cell.get("at"), cell.get("failover")
    return (
        Text(f"{MARKS[state]} {state}", style=STYLES[state]),
        f"{_age(now - at)} ago" if at is not None else "",
        seconds(failover) if failover is not None else "",
        cell.get("drill") or "",
    )


def _age(age: float) -> str:
    """To the minute from an hour on, to the hour from a day on."""
    step = next((step for limit, step in ((86400, 3600), (3600, 60)) if age >= limit), 1)
    return format_duration(max(0, round(age / step)) * step)
