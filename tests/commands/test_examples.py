"""The examples below the help: every command has some, and each is understood as it stands."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from monitor.cli import app
from monitor.commands.examples import EXAMPLES

TYPED = [typed for examples in EXAMPLES.values() for typed, _ in examples]


USAGE_ERROR = typer.BadParameter.__mro__[1]
"""What typer raises for everything that it does not understand."""


def parse(command: Any, arguments: list[str]) -> None:
    """Raises a UsageError for what would not be understood. Runs nothing."""
    context = command.make_context(command.name, list(arguments))
    rest = [*context._protected_args, *context.args]
    if isinstance(command, TyperGroup) and rest:
        _, below, left = command.resolve_command(context, rest)
        assert below is not None
        parse(below, left)


def test_every_command_has_examples() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    assert EXAMPLES.keys() == commands.keys()


@pytest.mark.parametrize("typed", TYPED)
def test_an_example_is_understood(typed: str) -> None:
    parse(typer.main.get_command(app), shlex.split(typed))


@pytest.mark.parametrize("typed", ["run --sandboxed", "probe", "sandbox smash x", "drill x --matrx chat"])
def test_what_is_no_command_is_not(typed: str) -> None:
    with pytest.raises(USAGE_ERROR):
        parse(typer.main.get_command(app), shlex.split(typed))


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_help_shows_them(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output.split())
    for typed, meaning in EXAMPLES[command]:
        assert f"fallbackd {typed}" in shown
        assert meaning in shown
