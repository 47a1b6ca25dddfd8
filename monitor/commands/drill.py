"""``fallbackd drill``: run experiments now; by the running daemon, or here when there is none."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos.journals import journal_json
from chaos.report import ending
from chaos.reports.results import Result, junit, summary_markdown, tally, worst
from monitor.commands import options, remote
from monitor.commands.coverage import coverage_table
from monitor.commands.default import RUN, RunByDefault
from monitor.commands.drill_matrix import show_plan
from monitor.commands.drill_places import Json, Place, RefusedError, Wanted, place
from monitor.commands.drill_progress import Lines, Progress, Quiet, Screen
from monitor.commands.drill_records import judge, report, write
from monitor.commands.drill_session import Session, of_file, of_matrix
from monitor.commands.drill_toolkit import Performance
from monitor.errors import CommandError

NamesArgument = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Drills of chains.yaml.")]
MatrixOption = Annotated[
    str | None, typer.Option("--matrix", metavar="CHAIN", help="Every edge of the chain with every fault that is safe.")
]
FileOption = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="An experiment that is not in chains.yaml.")
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be run and what it costs, and end.")]
CiOption = Annotated[
    bool, typer.Option("--ci", help="JUnit XML on standard output, a Markdown summary into $GITHUB_STEP_SUMMARY.")
]
JunitOption = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there.")]
MarkdownOption = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write the summary there.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line, and in which form the answer is wanted."""

    names: tuple[str, ...]
    matrix: str | None
    file: Path | None
    dry_run: bool
    as_json: bool
    ci: bool
    junit: Path | None
    markdown: Path | None


def register(app: typer.Typer) -> None:
    drills = typer.Typer(cls=RunByDefault, help="Break a chain on purpose, now, and judge it: fallbackd drill NAME.")
    drills.command(RUN)(drill)
    drills.command("judge")(judge)
    drills.command("report")(report)
    app.add_typer(drills, name="drill")
    app.command("stop")(stop)
    app.command("release")(release)


def drill(
    names: NamesArgument = None,
    matrix: MatrixOption = None,
    file: FileOption = None,
    dry_run: DryOption = False,
    ci: CiOption = False,
    junit_file: JunitOption = None,
    markdown_file: MarkdownOption = None,
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
    sandbox: options.SandboxOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Break a chain on purpose, now, and judge it. Exit code: 0 passed, 1 deviated, 3 inconclusive, aborted or refused.

    The daemon that uses the data folder runs it, with its knowledge of what is healthy; without one, this process does.
    Ctrl-C ends the drill and takes its fault away.
    """
    wish = Wish(
        names=tuple(names or ()), matrix=matrix, file=file, dry_run=dry_run, as_json=as_json, ci=ci, junit=junit_file,
        markdown=markdown_file,
    )  # fmt: skip
    if sum((bool(wish.names), matrix is not None, file is not None)) != 1:
        raise CommandError("name drills of chains.yaml, or one of --matrix CHAIN and --file FILE")

    async def perform() -> int:
        async with place(chains=chains, alerts=alerts, data=data, url=url, sandbox=sandbox, who=_who()) as where:
            return await _perform(wish, where)

    raise typer.Exit(asyncio.run(perform()))


async def _perform(wish: Wish, where: Place) -> int:
    found, wanted, left_out = await _gather(wish, where)
    if found is not None and (wish.dry_run or not (wish.as_json or wish.ci)):
        show_plan(found, wish.as_json)
    if wish.dry_run:
        return 0
    scripted = found is not None and bool(found.get("title"))
    alone = len(wanted) == 1 and wish.matrix is None and not wish.ci and not scripted
    progress = _progress(wish)
    session = Session(where, progress)
    if found is not None and scripted:
        results = await Performance(found, where, session, progress).run()
    else:
        results = [*await session.run(wanted), *left_out]
    if alone and results[0].journal is None:
        raise RefusedError(results[0].because)
    await _tell(wish, where, results, alone=alone)
    return worst(results)


async def _gather(wish: Wish, where: Place) -> tuple[Json | None, list[Wanted], list[Result]]:
    """The plan where there is one to show, what to run, and what is left out."""
    if wish.matrix is not None:
        found = await where.matrix(wish.matrix)
        return found, *of_matrix(found)
    if wish.file is not None:
        try:
            text = wish.file.read_bytes()
        except OSError as error:
            raise CommandError(f"{wish.file} cannot be read: {error.strerror}") from None
        read = await where.read(str(wish.file), text)
        return read, of_file(read), []
    return None, [await where.named(name) for name in wish.names], []


def _progress(wish: Wish) -> Progress:
    if wish.as_json:
        return Quiet()
    if wish.ci:
        return Lines(sys.stderr)
    return Screen(Console(highlight=False)) if sys.stdout.isatty() else Lines(sys.stdout)


async def _tell(wish: Wish, where: Place, results: Sequence[Result], *, alone: bool) -> None:
    now, quiet = time.time(), wish.as_json or wish.ci
    if wish.junit is not None:
        write(wish.junit, junit(results, now=now), quiet=quiet)
    if wish.markdown is not None:
        write(wish.markdown, summary_markdown(results), quiet=quiet)
    if wish.ci:
        _tell_ci(wish, results, now)
    elif wish.as_json:
        _print_json(results, alone=alone)
    elif alone and results[0].journal is not None:
        print(ending(results[0].journal, len(results[0].journal.events)), end="")
    else:
        if wish.matrix is not None:
            options.console().print(coverage_table((await where.coverage(wish.matrix))["chains"], now=now))
        print(f"{tally(results)}.")


def _tell_ci(wish: Wish, results: Sequence[Result], now: float) -> None:
    if wish.junit is None:
        print(junit(results, now=now), end="")
    elif wish.markdown is None:
        print(summary_markdown(results), end="")
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(step).open("a", encoding="utf-8") as out:
            out.write(summary_markdown(results))


def _print_json(results: Sequence[Result], *, alone: bool) -> None:
    if alone and results[0].journal is not None:
        print(journal_json(results[0].journal).decode(), end="")
        return
    told = [
        {
            "name": one.name, "chain": one.chain, "from": one.edge[0] if one.edge else None,
            "to": one.edge[1] if one.edge else None, "fault": one.fault, "result": one.word, "because": one.why,
            "journal": json.loads(journal_json(one.journal)) if one.journal else None,
        }
        for one in results
    ]  # fmt: skip
    options.print_json({"results": told, "exit_code": worst(results)})


def stop(data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """End every running drill at once, and refuse new ones until `fallbackd release`."""
    ended = remote.call("POST", f"{remote.needed(data, url)}/api/v1/stop", body={"asked_by": _who()})
    print(f"Stopped: {ended['ended']} running. No drill starts until: fallbackd release")


def release(data: options.DataOption = options.DATA, url: options.UrlOption = None) -> None:
    """Allow drills again after `fallbackd stop`."""
    remote.call("POST", f"{remote.needed(data, url)}/api/v1/release", body={"asked_by": _who()})
    print("Released: drills may run again.")


def _who() -> str:
    """``alice@build on the command line``, short enough for a journal."""
    return f"{getpass.getuser()}@{socket.gethostname()}"[:100] + " on the command line"
