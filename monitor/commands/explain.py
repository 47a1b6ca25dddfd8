"""``fallbackd explain``: what happened, in sentences."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table

from monitor.commands import options, remote
from monitor.errors import CommandError

_ID = re.compile(r"[0-9a-f]{26}")


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    what: Annotated[str, typer.Argument(metavar="CHAIN|OUTCOME_ID", help="A chain, or the id of an outcome.")],
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say who was asked, who answered, why the primary was passed over, the evidence for it, and what to do."""
    base = remote.daemon_url(data, url)
    if base is None:
        raise CommandError("no daemon runs here to ask: start one with fallbackd run, or name one with --data or --url")
    kind = "outcomes" if _ID.fullmatch(what) else "chains"
    found = remote.call("GET", f"{base}/api/v1/{kind}/{what}/explanation")
    if as_json:
        options.print_json(found)
    else:
        _print(found["sentences"])


def _print(sentences: list[dict[str, Any]]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    before = ""
    for sentence in sentences:
        topic = sentence["topic"]
        table.add_row("" if topic == before else topic, Padding(sentence["text"], (0, 0)))
        before = topic
    options.console().print(table, markup=False)
