"""The command ``fallbackd``."""

from __future__ import annotations

import sys

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
from monitor.errors import FallbackdError

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


def main() -> None:
    """Run the command; a mistake of the user's is a sentence on standard error and exit code 2, never a traceback."""
    try:
        app()
    except FallbackdError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
