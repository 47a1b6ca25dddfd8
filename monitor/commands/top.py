"""``fallbackd top``: the status page in a terminal, live."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from monitor.commands import options, remote
from monitor.errors import CommandError

STYLES = {"healthy": "green", "limited": "yellow", "degraded": "yellow", "down": "bold red", "unknown": "dim"}
MARKS = {"healthy": "●", "limited": "■", "degraded": "■", "down": "◆", "unknown": "○"}
GRAVEST = ("down", "degraded", "limited", "unknown", "healthy")
HEADER, SPARE = 3, 2
LABEL = 9
"""Columns of the word that a line below the table begins with."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the daemon said at one moment."""

    status: Json
    chains: Sequence[Json]
    alerts: Sequence[Json]
    incidents: Sequence[Json]
    runs: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line below the table: what it is about, and what it says."""

    label: str
    said: str
    style: str = ""

    def wrapped(self, width: int) -> list[str]:
        return textwrap.wrap(self.said, max(20, width - LABEL)) or [""]

    def text(self, rows: Sequence[str]) -> Text:
        said = f"\n{' ' * LABEL}".join(rows)
        return Text(f"{self.label:<{LABEL}}{said}", style=self.style, overflow="ellipsis", no_wrap=True)


def register(app: typer.Typer) -> None:
    app.command("top")(top)


def top(
    chain: Annotated[str | None, typer.Argument(metavar="CHAIN", help="Only this chain, target by target.")] = None,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print one picture and end.")] = False,
) -> None:
    """Show chains, who serves, alerts and running drills, live, in a terminal of 80 x 24 or more. Ctrl-C ends it."""
    base = remote.daemon_url(data, url)
    if base is None:
        raise CommandError(f"no fallbackd runs with the data folder {data}; name it with --data or --url")
    screen = Console(highlight=False)
    if once:
        screen.print(_frame(base, chain, screen, time.time()))
        return
    try:
        with Live(console=screen, screen=True, auto_refresh=False) as live:
            while True:
                live.update(_frame(base, chain, screen, time.time()), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return


def _frame(base: str, chain: str | None, screen: Console, now: float) -> RenderableType:
    """One picture; while the daemon does not answer, the sentence that says so."""
    try:
        picture = _look(base)
    except CommandError as error:
        return Text(str(error), style="red")
    if chain is None:
        return overview(picture, height=screen.height, width=screen.width, now=now)
    found = next((one for one in picture.chains if one["name"] == chain), None)
    if found is None:
        raise CommandError(f'"{chain}" is no chain here; choose one of {", ".join(c["name"] for c in picture.chains)}')
    return chain_view(picture, found, height=screen.height, width=screen.width, now=now)


def _look(base: str) -> Picture:
    return Picture(
        status=remote.call("GET", f"{base}/api/v1/status"),
        chains=remote.call("GET", f"{base}/api/v1/chains")["chains"],
        alerts=remote.call("GET", f"{base}/api/v1/alerts")["alerts"],
        incidents=remote.call("GET", f"{base}/api/v1/incidents")["incidents"],
        runs=remote.call("GET", f"{base}/api/v1/drills/runs", params={"limit": "5"})["runs"],
    )


def overview(picture: Picture, *, height: int, now: float, width: int = 80) -> RenderableType:
    """Every chain on one line, the gravest first; what does not fit is counted."""
    ranked = sorted(picture.chains, key=lambda chain: GRAVEST.index(chain["health"]))
    below = [*_under_way(picture.runs, now), *_troubles(picture, now), *_ended(picture.runs, now)]
    room = max(3, height - HEADER - SPARE - min(len(below), 8))
    room -= len(ranked) > room  # the line that counts the others
    table = _table("chain", "serves now", "targets", numbers=("fallback 1h", "answer"))
    for chain in ranked[:room]:
        table.add_row(
            _state(chain["health"], chain["name"]), _serving(chain), _rungs(chain), _share(chain), _took(chain)
        )
    more = [Text(f"and {len(ranked) - room} more chains", style="dim")] if len(ranked) > room else []
    left = height - HEADER - SPARE - min(len(ranked), room) - len(more)
    return Group(_head(picture, now), table, *more, Text(""), *_fitting(below, max(0, left), width))


def chain_view(picture: Picture, chain: Json, *, height: int, now: float, width: int = 80) -> RenderableType:
    """One chain: its targets in order, their providers, and why."""
    table = _table("", "target", "health", numbers=("answer", "good", "bad"))
    for target in chain["targets"]:
        _add_target(table, str(target["position"]), target["label"], target, now)
        for provider in target["providers"]:
            _add_target(table, "", f"  {provider['provider']}", provider, now)
    lines = [
        Text.from_markup(f"{_state(chain['health'], chain['name'])}  {escape(chain['detail'])}"),
        Text.from_markup(f"serves now: {_serving(chain)}   fallback in 1h: {_share(chain)}"),
        Text(""),
    ]
    reasons = [
        Line(label="why", said=f"{target['label']}: {target['detail']}", style="yellow")
        for target in chain["targets"]
        if target["health"] not in ("healthy", "unknown")
    ]
    own = [run for run in picture.runs if run["chain"] == chain["name"]]
    below = [*_under_way(own, now), *_troubles(picture, now, chain["name"]), *reasons, *_ended(own, now)]
    left = height - HEADER - SPARE - len(lines) - table.row_count
    return Group(_head(picture, now), *lines, table, Text(""), *_fitting(below, max(3, left), width))


def _head(picture: Picture, now: float) -> Text:
    status = picture.status
    bad = sum(chain["health"] not in ("healthy", "unknown") for chain in picture.chains)
    unknown = sum(chain["health"] == "unknown" for chain in picture.chains)
    told = _told(len(picture.chains), bad, unknown)
    stopped = "  DRILLS STOPPED" if status["stopped"] else ""
    up = _span(now - status["started"])
    text = f"fallbackd {status['version']}  up {up}  {status['outcomes']} results  {told}{stopped}\n"
    head = Text(text, style="bold" if not bad else "bold yellow", overflow="ellipsis", no_wrap=True)
    down = status.get("network_down_since")
    if down is not None:
        head.append(f"our own network is down for {_span(now - down)}: nothing is judged until it is back", "bold red")
    return head


def _told(chains: int, bad: int, unknown: int) -> str:
    if bad:
        return f"{bad} of {chains} chains in trouble"
    if unknown:
        return f"{unknown} of {chains} chains not known yet"
    return f"all {chains} chains fine" if chains > 1 else "the chain is fine"


def _table(*columns: str, numbers: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in numbers:
        table.add_column(name, no_wrap=True, overflow="ellipsis", justify="right")
    return table


def _add_target(table: Table, position: str, name: str, state: Json, now: float) -> None:
    shown = _state(state["health"], state["health"])
    table.add_row(
        position, escape(name), shown, _took(state), _ago(state["last_good"], now), _ago(state["last_bad"], now)
    )


def _state(health: str, text: str) -> str:
    return f"[{STYLES[health]}]{MARKS[health]} {escape(text)}[/]"


def _serving(chain: Json) -> str:
    serving = chain["serving"]
    if serving is None:
        return "[dim]not asked yet[/]"
    if serving["label"] is None:
        return "[bold red]nobody[/]"
    how = "" if serving["path"] in (None, "primary") else f" [yellow]{serving['path']}[/]"
    return f"{escape(serving['label'])}{how}"


def _rungs(chain: Json) -> str:
    return " ".join(f"[{STYLES[one['health']]}]{MARKS[one['health']]}[/]" for one in chain["targets"])


def _share(chain: Json) -> str:
    share = next((one["share"] for one in chain["fallback"] if one["window"] == "1h"), None)
    return "–" if share is None else f"{share * 100:.0f} %"


def _took(state: Json) -> str:
    seconds = state["latency"]
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _troubles(picture: Picture, now: float, chain: str | None = None) -> list[Line]:
    """One line for each incident, however many alerts it has, for each alert that fires without one, and one for all
    that are pending."""
    owner = {key: one for one in picture.incidents for key in one["alerts"]}
    groups: dict[str, list[Json]] = {}
    pending: dict[str, list[str]] = {}
    for alert in picture.alerts:
        incident = owner.get(alert["key"])
        if incident is not None or alert["state"] != "pending":
            groups.setdefault(incident["id"] if incident else alert["key"], []).append(alert)
        elif chain in (None, alert["chain"]):
            pending.setdefault(alert["alert"], []).append(alert["chain"])
    found = [
        _trouble(alerts, owner.get(alerts[0]["key"]), now)
        for alerts in groups.values()
        if chain is None or any(alert["chain"] == chain for alert in alerts)
    ]
    waiting = "; ".join(f"{alert} of {', '.join(chains)}" for alert, chains in pending.items())
    return [*found, *([Line(label="pending", said=waiting, style="dim")] if waiting else [])]


def _trouble(alerts: Sequence[Json], incident: Json | None, now: float) -> Line:
    first = alerts[0]
    more = f", and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    since = _span(now - (incident or first)["since"])
    seen = ", acknowledged" if incident and incident["acknowledged"] else ""
    cause = f": {incident['cause']}" if incident else ""
    styles = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
    said = f"{first['title']}{more} ({since}{seen}){cause}"
    return Line(label=first["state"], said=said, style="dim" if seen else styles[(incident or first)["severity"]])


def _under_way(runs: Sequence[Json], now: float) -> list[Line]:
    return [Line(label="drill", said=_run(run, now), style="magenta") for run in runs if run["state"] == "running"]


def _ended(runs: Sequence[Json], now: float) -> list[Line]:
    return [Line(label="drill", said=_run(run, now)) for run in runs if run["state"] != "running"]


def _fitting(lines: Sequence[Line], room: int, width: int) -> list[Text]:
    """As many as there is room for, the first of them whole while there is; the last says how many are missing."""
    kept = len(lines) if len(lines) <= room else max(0, room - 1)
    spare, made = room - kept - (kept < len(lines)), []
    for line in lines[:kept]:
        rows = line.wrapped(width)
        whole = len(rows) - 1 <= spare
        spare -= len(rows) - 1 if whole else 0
        made.append(line.text(rows if whole else [line.said]))
    more = [Text(f"and {len(lines) - kept} more lines", style="dim")] if kept < len(lines) else []
    return [*made, *more][:room]


def _run(run: Json, now: float) -> str:
    if run["state"] == "running":
        asked = f", asked for by {run['asked_by']}" if run["asked_by"] else ""
        return f"{run['drill']} breaks {run['chain']} for {_span(now - run['at'])} now{asked}"
    verdict = run["verdict"]
    return f"{run['drill']} {verdict['kind']} {_ago(run['at'], now)} ago: {verdict['because']}"


def _ago(at: float | None, now: float) -> str:
    return "never" if at is None else _span(now - at)


def _span(seconds: float) -> str:
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
