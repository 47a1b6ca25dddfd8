"""``fallbackd drill judge`` and ``fallbackd drill report``: what can be done with the journal of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chaos.journals import JournalError, differences, journal_from, journal_from_json, judged_again
from chaos.model import Journal
from chaos.report import exit_code, text
from chaos.reports import html, markdown
from monitor.commands import options, remote
from monitor.errors import CommandError

STDIN = "-"
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A journal as JSON; - reads standard input.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN|FILE", help="The id of a run, or a journal as JSON.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write an HTML page with a picture.")]
MarkdownOption = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write Markdown.")]


def judge(file: FileArgument, as_json: options.JsonOption = False) -> None:
    """Judge a recorded run again, and say whether today's judge comes to the same verdict. Exits by the new verdict."""
    journal = _read(file)
    try:
        again = judged_again(journal)
    except JournalError as error:
        raise CommandError(f"{file}: {error}") from None
    found = differences(journal.verdict, again)
    if as_json:
        changed = {part: {"recorded": then, "now": now} for part, then, now in found}
        options.print_json({"run": journal.run, "verdict": again.kind, "because": again.because, "changed": changed})
        raise typer.Exit(exit_code(again))
    print(f"{again.kind.upper()}: {again.because}")
    if not found:
        print(f"The same verdict as was recorded for run {journal.run} of {journal.drill.name}.")
    else:
        print(f"Not the verdict that was recorded for run {journal.run} of {journal.drill.name}:")
        for part, then, now in found:
            print(f"  {part}: {then} then, {now} now")
    raise typer.Exit(exit_code(again))


def report(
    run: RunArgument,
    html_file: HtmlOption = None,
    markdown_file: MarkdownOption = None,
    data: options.DataOption = options.DATA,
    url: options.UrlOption = None,
) -> None:
    """Report a run: as text, or with --html and --markdown as files. Of a run by its id the daemon is asked."""
    journal = _read(run) if run == STDIN or Path(run).is_file() else _fetch(run, data, url)
    written = [(html_file, html), (markdown_file, markdown)]
    for path, render in written:
        if path is not None:
            write(path, render(journal))
    if not any(path for path, _ in written):
        print(text(journal), end="")


def write(path: Path, content: str, *, quiet: bool = False) -> None:
    """Raises CommandError."""
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    if not quiet:
        print(f"Wrote {path}")


def _read(file: str) -> Journal:
    stream = typer.get_binary_stream("stdin") if file == STDIN else None
    try:
        return journal_from_json(stream.read() if stream else Path(file).read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except JournalError as error:
        raise CommandError(f"{file}: {error}") from None


def _fetch(run: str, data: Path, url: str | None) -> Journal:
    base = remote.daemon_url(data, url)
    if base is None:
        raise CommandError(
            f"{run} is no file, and no fallbackd runs with the data folder {data} that would know the run"
        )
    found: dict[str, Any] = remote.call("GET", f"{base}/api/v1/drills/runs/{run}")
    if found.get("journal") is None:
        raise CommandError(f"run {run} is still going on: a report is made of a finished one")
    return journal_from(found["journal"])
