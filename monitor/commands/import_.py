"""``fallbackd import``: a chains.yaml from the settings of another program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.config.document import Document
from monitor.config.reading import parse
from monitor.errors import CommandError, ConfigError
from monitor.imports import SOURCES, Wish, write

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.")]
OutputOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write there; default: standard output.", show_default=False)
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that exists.")]
UrlOption = Annotated[str | None, typer.Option(metavar="URL", help="Base URL of the endpoint, where it is not usual.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Write a chains.yaml from the settings of another program.", no_args_is_help=True)
    group.command("litellm")(litellm)
    group.command("openrouter")(openrouter)
    group.command("portkey")(portkey)
    app.add_typer(group, name="import")


def litellm(file: FileArgument, output: OutputOption = None, force: ForceOption = False, url: UrlOption = None) -> None:
    """From the config.yaml of a LiteLLM proxy: its model groups, fallbacks and ordered deployments."""
    _import("litellm", file, output, Wish(url=url), force=force)


def openrouter(
    file: FileArgument, output: OutputOption = None, force: ForceOption = False, url: UrlOption = None
) -> None:
    """From the JSON body of a request to OpenRouter: its models, or the providers of its one model."""
    _import("openrouter", file, output, Wish(url=url), force=force)


def portkey(
    file: FileArgument,
    output: OutputOption = None,
    force: ForceOption = False,
    url: UrlOption = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model of targets that leave it to the request.")
    ] = None,
) -> None:
    """From a Portkey config: its targets, each with its own endpoint, walked by fallbackd."""
    _import("portkey", file, output, Wish(url=url, model=model), force=force)


def _import(source: str, file: Path, output: Path | None, wish: Wish, *, force: bool) -> None:
    if output is not None and output.exists() and not force:
        raise CommandError(f"{output} exists; write elsewhere, or over it with --force")
    text = write(SOURCES[source](_read(file), wish), f"{file.name} ({source})")
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}") from error
    print(f"{output} is written. Next: fallbackd check --chains {output}", file=sys.stderr)


def _read(file: Path) -> Document:
    """JSON is read as the YAML that it is; tabs between its values are no indentation."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    document, problems = parse(data.replace(b"\t", b" ") if data.lstrip()[:1] in (b"{", b"[") else data, str(file))
    if problems or document.root is None:
        raise ConfigError(problems)
    return document
