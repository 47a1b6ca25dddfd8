"""The command ``fallbackd``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor.commands import (
    alerts,
    catalogue,
    chains,
    check,
    coverage,
    diff,
    drill,
    explain,
    export,
    gateway,
    import_,
    plan,
    probe,
    run,
    sandbox,
    silence,
    top,
)
from monitor.commands.examples import teach
from monitor.errors import FallbackdError
from monitor.version import VERSION

app = typer.Typer(
    name="fallbackd",
    help="Proves that the fallbacks of your LLM chains fire.",
    epilog="Exit codes: 0 good, 1 a bad result (a probe failed, a drill deviated), 2 wrong usage or config, "
    "3 no judgement (inconclusive, aborted, refused).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _say_version(asked: bool) -> None:
    if asked:
        print(f"fallbackd {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """What goes without a command."""


for command in (
    run,
    check,
    plan,
    probe,
    drill,
    coverage,
    chains,
    alerts,
    silence,
    catalogue,
    explain,
    diff,
    top,
    export,
    import_,
    sandbox,
    gateway,
):
    command.register(app)
teach(app)


def main() -> None:
    """Run the command; a mistake of the user's is a sentence on standard error and exit code 2, never a traceback."""
    try:
        app()
    except FallbackdError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
