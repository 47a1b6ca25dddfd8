"""``fallbackd export``: what other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.commands import options, rules_export
from monitor.commands.reference import markdown, replaced
from monitor.config.schema import json_schema
from monitor.vocabulary import vocabulary


def register(app: typer.Typer) -> None:
    export = typer.Typer(help="Write what other programs read.", no_args_is_help=True)
    export.command("schema")(schema)
    rules_export.register(export)

    @export.command("reference")
    def reference(
        into: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Replace the reference inside this file.")
        ] = None,
    ) -> None:
        """Print the reference of all commands, settings, metrics, alerts and faults as Markdown."""
        if into is None:
            print(markdown(app), end="")
        else:
            into.write_text(replaced(into.read_text(), markdown(app)))

    app.add_typer(export, name="export")


def schema(
    file: str = typer.Argument("chains", metavar="chains|alerts", help="Of which file."),
) -> None:
    """Print the JSON Schema of chains.yaml or alerts.yaml, for editors."""
    schemas = json_schema(vocabulary())
    if file not in schemas:
        raise typer.BadParameter(f'"{file}" has no schema; choose one of {", ".join(schemas)}')
    options.print_json(schemas[file])
