"""``fallbackd drill``: run one experiment now; by the running daemon, or here when there is none."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from chaos.drills import resolve
from chaos.experiment import Observer
from chaos.guard import GuardView
from chaos.injectors.injector import Wrap
from chaos.journals import journal_from_json, journal_json
from chaos.model import Drill, Event, Injection, Journal
from chaos.report import ending, event_line, exit_code
from chaos.runner import Runner
from monitor.commands import options, remote
from monitor.commands.default import RUN, RunByDefault
from monitor.commands.drill_records import judge, report
from monitor.commands.workbench import Workbench, workbench
from monitor.config.model import Config
from monitor.drilling import drill_spec
from monitor.errors import CommandError
from monitor.exchange import Reshape
from monitor.model import Health, Origin, Outcome, Status
from monitor.probes import specify

POLL = 0.3


class RefusedError(CommandError):
    """The guard said no: nothing was broken, and nothing was judged."""

    exit_code = 3


def register(app: typer.Typer) -> None:
    drills = typer.Typer(cls=RunByDefault, help="Break a chain on purpose, now, and judge it: fallbackd drill NAME.")
    drills.command(RUN)(drill)
    drills.command("judge")(judge)
    drills.command("report")(report)
    app.add_typer(drills, name="drill")
    app.command("stop")(stop)
    app.command("release")(release)


def drill(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A drill of chains.yaml.")],
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    sandbox: options.SandboxOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Break a chain on purpose, now, and judge it. Exit code: 0 passed, 1 deviated, 3 inconclusive, aborted or refused.

    The daemon that uses the data folder runs it, with its knowledge of what is healthy; without one, this process does.
    """
    base = None if sandbox else remote.daemon_url(data, url)
    say = _quiet if as_json else print
    journal, said = _by_daemon(base, name, say) if base else _here(chains, alerts, name, say, sandbox=sandbox)
    print(journal_json(journal).decode() if as_json else ending(journal, said), end="")
    raise typer.Exit(exit_code(journal.verdict))


def _quiet(_: str) -> None:
    """Programs want the journal alone."""


def stop(data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """End every running drill at once, and refuse new ones until `fallbackd release`."""
    ended = remote.call("POST", f"{_needed(data, url)}/api/v1/stop", body={"asked_by": _who()})
    print(f"Stopped: {ended['ended']} running. No drill starts until: fallbackd release")


def release(data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """Allow drills again after `fallbackd stop`."""
    remote.call("POST", f"{_needed(data, url)}/api/v1/release", body={"asked_by": _who()})
    print("Released: drills may run again.")


def _needed(data: Path, url: str | None) -> str:
    base = remote.daemon_url(data, url)
    if base is None:
        raise CommandError(f"no fallbackd runs with the data folder {data}; name it with --data or --url")
    return base


def _who() -> str:
    return f"{getpass.getuser()} on the command line"


def _by_daemon(base: str, name: str, say: Callable[[str], None]) -> tuple[Journal, int]:
    """Start it and follow it, printing each line of its journal as it comes; and how many lines that were."""
    return asyncio.run(_follow(base, name, say))


async def _follow(base: str, name: str, say: Callable[[str], None]) -> tuple[Journal, int]:
    begun = remote.call("POST", f"{base}/api/v1/drills/{name}/runs", body={"asked_by": _who()}, allowed=(409,))
    if "error" in begun:
        raise RefusedError(begun["error"]["message"])
    said = 0
    while True:
        run: dict[str, Any] = remote.call("GET", f"{base}/api/v1/drills/runs/{begun['run']}")
        if run["state"] == "finished":
            return journal_from_json(json.dumps(run["journal"]).encode()), said
        lines = run["text"].splitlines()
        for line in lines[said:]:
            say(line)
        said = len(lines)
        await asyncio.sleep(POLL)


def _here(chains: Path, alerts: Path, name: str, say: Callable[[str], None], *, sandbox: bool) -> tuple[Journal, int]:
    config = options.load_config(chains, alerts, sandbox=sandbox)
    drills = {one.name: one for one in resolve(config)}
    if name not in drills:
        raise CommandError(f'"{name}" is no drill here; choose one of {", ".join(drills) or "(none is configured)"}')
    return asyncio.run(_alone(config, drills[name], say, sandbox=sandbox))


async def _alone(config: Config, planned: Drill, say: Callable[[str], None], *, sandbox: bool) -> tuple[Journal, int]:
    async with workbench(config, sandbox=sandbox) as bench:
        chain = bench.config.chain(planned.chain)

        async def ask(drill: Drill, _run: str, reshape: Reshape | None, wrap: Wrap | None, /) -> Outcome:
            spec = drill_spec(drill, chain)
            return await bench.prober.probe(spec, origin=Origin.DRILL, drill=drill.name, reshape=reshape, wrap=wrap)

        view = await _look(bench, planned)
        runner = Runner(
            chains=bench.config.chain,
            ask=ask,
            view=lambda _: view,
            catalogue=lambda chain_name: bench.endpoints.catalogue(bench.config.chain(chain_name).endpoint),
            clock=bench.clock,
            rng=bench.rng,
            observers=(_Printer(say),),
        )
        journal = await runner.run(planned, asked_by=_who())
        return journal, len(journal.events)


async def _look(bench: Workbench, planned: Drill) -> GuardView:
    """Without a daemon nobody knows what is healthy, so each target is asked once before anything is broken."""
    chain = bench.config.chain(planned.chain)
    own = chain.probes[0].model_copy(update={"kind": planned.kind})
    targets = chain.all_targets()
    asked = [bench.prober.probe(specify(chain, own, target), origin=Origin.MANUAL) for target in targets]
    outcomes = await asyncio.gather(*asked)
    states = {target.position: _health(outcome) for target, outcome in zip(targets, outcomes, strict=True)}
    health = Health.DOWN if all(state is Health.DOWN for state in states.values()) else Health.HEALTHY
    return GuardView(health=health, targets=states)


def _health(outcome: Outcome) -> Health:
    return Health.HEALTHY if outcome.status in (Status.OK, Status.DEGRADED) else Health.DOWN


class _Printer(Observer):
    """Prints each line of the journal as it comes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._started: float | None = None

    def on_event(self, run: str, event: Event) -> None:  # noqa: ARG002 - one run only
        self._started = self._started or event.at
        self._say(event_line(event, self._started))

    def on_active(self, injection: Injection, active: bool) -> None: ...

    def on_finished(self, journal: Journal) -> None: ...
