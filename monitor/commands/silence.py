"""``fallbackd silence``: tell nobody of a chain's alerts for a while."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from monitor.clock import utc
from monitor.commands import options, remote
from monitor.errors import CommandError

ChainArgument = Annotated[str | None, typer.Argument(metavar="CHAIN", help="Whose alerts; or name an --incident.")]
IncidentOption = Annotated[
    str | None, typer.Option("--incident", metavar="ID", help="Of this open incident, as `fallbackd alerts` shows it.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `fallbackd silence list` shows it.")]
AlertOption = Annotated[str | None, typer.Option("--alert", metavar="RULE", help="Only of this rule; default: of all.")]
ForOption = Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, as in 1h; at most 30d.")]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="For whoever asks why nobody was told.")]


def register(app: typer.Typer) -> None:
    silence = typer.Typer(help="Tell nobody of a chain's alerts for a while.", no_args_is_help=True)
    silence.command("add")(add)
    silence.command("list")(list_)
    silence.command("end")(end)
    app.add_typer(silence, name="silence")


def add(
    for_: ForOption,
    why: WhyOption,
    chain: ChainArgument = None,
    incident: IncidentOption = None,
    alert: AlertOption = None,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
) -> None:
    """Silence a chain or an incident: it lives on, nobody is told, and what still fires at the end is told then."""
    if (chain is None) == (incident is None):
        raise CommandError("name a CHAIN, or an --incident")
    by = f"{getpass.getuser()} on the command line"
    body = {"chain": chain, "incident": incident, "alert": alert, "for": for_, "why": why, "by": by}
    made = remote.call("POST", f"{remote.needed(data, url)}/api/v1/silences", body=body)
    of = f"incident {incident}" if incident else f"{made['chain']}, {made['alert'] or 'all alerts'}"
    print(f"Silenced until {utc(made['ends'])}: {of}.")
    print(f"End it with: fallbackd silence end {made['id']}")


def list_(
    data: options.DataOption = options.DATA, url: options.UrlOption = None, as_json: options.JsonOption = False
) -> None:
    """List the silences that hold now."""
    found = remote.call("GET", f"{remote.needed(data, url)}/api/v1/silences")
    if as_json:
        options.print_json(found)
        return
    if not found["silences"]:
        print("Nothing is silenced.")
        return
    table = Table("id", "chain", "alert", "until", "why", "by", box=None, pad_edge=False)
    for one in found["silences"]:
        alert = f"incident {one['incident']}" if one.get("incident") else one["alert"] or "all"
        table.add_row(one["id"], one["chain"], alert, utc(one["ends"]), escape(one["why"]), escape(one["by"]))
    options.console().print(table)


def end(id_: IdArgument, data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """End a silence now: what still fires is told."""
    remote.call("DELETE", f"{remote.needed(data, url)}/api/v1/silences/{id_}")
    print("Ended: what still fires is told.")
