"""``fallbackd alerts``: what fires or is about to, why people were told of it or not, and a test of the way to them."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from monitor.alerting import DecisionReason
from monitor.alerting.explained import EXPLAINED
from monitor.clock import utc
from monitor.commands import options, remote
from monitor.notify.stand_in import ALERT as BROKEN

COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}

WhyOption = Annotated[
    bool, typer.Option("--why", help="Say of each why somebody was told at the last look, or nobody.")
]
IncidentArgument = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, as `fallbackd alerts` shows it.")]
RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="A rule's name in alerts.yaml.")]


def register(app: typer.Typer) -> None:
    alerts = typer.Typer(help="What fires or is about to.", invoke_without_command=True)
    alerts.callback()(show)
    alerts.command("ack")(acknowledge)
    alerts.command("test")(send_test)
    app.add_typer(alerts, name="alerts")


def show(
    context: typer.Context,
    why: WhyOption = False,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the alerts that fire or are pending, the gravest first."""
    if context.invoked_subcommand is not None:
        return
    found = remote.call("GET", f"{remote.needed(data, url)}/api/v1/alerts")
    if as_json:
        options.print_json(found)
    elif found["alerts"]:
        _print(found["alerts"], why=why)
    else:
        print("Nothing fires.")


def acknowledge(
    incident: IncidentArgument, data: options.DataOption = options.DATA, url: options.UrlOption = None
) -> None:
    """Take an incident on: it is not repeated until it gets worse or is over."""
    body = {"by": f"{getpass.getuser()} on the command line"}
    taken = remote.call("POST", f"{remote.needed(data, url)}/api/v1/incidents/{incident}/acknowledge", body=body)
    print(f"Acknowledged: {taken['title']} ({', '.join(filter(None, taken['chains'])) or 'fallbackd itself'}).")


def send_test(rule: RuleArgument, data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """Send a marked example of an alert through its real route, to see that it arrives."""
    told = remote.call("POST", f"{remote.needed(data, url)}/api/v1/alerts/{rule}/test")
    print(f"An example of {rule} is on its way to: {', '.join(told['notifiers'])}")


def _print(alerts: list[dict[str, Any]], *, why: bool) -> None:
    table = Table("severity", "state", "alert", "chain", "since", "what", box=None, pad_edge=False)
    for alert in alerts:
        colour = COLOURS.get(alert["severity"], "dim") if alert["state"] == "firing" else "dim"
        table.add_row(
            f"[{colour}]{alert['severity']}[/]",
            alert["state"],
            alert["alert"],
            alert["chain"],
            utc(alert["since"]),
            escape(alert["title"]),
        )
        if alert["alert"] == BROKEN:
            table.add_row("", "", "", "", "", f"[dim]{escape(alert['summary'])}[/]")
        if alert.get("incident"):
            table.add_row("", "", "", "", "", f"[dim]incident {escape(alert['incident'])}[/]")
        if (taken := alert.get("acknowledged")) is not None:
            table.add_row("", "", "", "", "", f"[dim]acknowledged by {escape(taken['by'])}, {utc(taken['at'])}[/]")
        for reason in alert["reasons"] if why else ():
            table.add_row("", "", "", "", "", f"[dim]{reason}: {escape(explained(reason))}[/]")
    options.console().print(table)


def explained(reason: str) -> str:
    """A reason as a sentence; one of a newer daemon stays the word that it is."""
    try:
        return EXPLAINED[DecisionReason(reason)]
    except (ValueError, KeyError):
        return reason
