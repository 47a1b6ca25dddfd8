"""``fallbackd export prometheus-rules``: the alerts for those who alert from Prometheus."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from monitor.alerting.prometheus import rules_text, tests_text
from monitor.alerting.sayings import say
from monitor.commands import options
from monitor.errors import CommandError
from monitor.probes import expand

IntoOption = Annotated[Path | None, typer.Option("--into", metavar="FILE", help="Write the rules there.")]
TestsOption = Annotated[
    Path | None, typer.Option("--tests", metavar="FILE", help="Write unit tests for promtool there, too; needs --into.")
]


def register(export: typer.Typer) -> None:
    export.command("prometheus-rules")(prometheus_rules)


def prometheus_rules(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    into: IntoOption = None,
    tests: TestsOption = None,
) -> None:
    """Print alerts.yaml as Prometheus recording and alerting rules, listing what PromQL cannot say, with the reason."""
    if tests is not None and into is None:
        raise CommandError("--tests needs --into FILE: the tests name the file of the rules")
    config = options.load_config(chains, alerts, sandbox=True)
    sayings = say(config, expand(config))
    if into is None:
        print(rules_text(sayings), end="")
        return
    _write(into, rules_text(sayings))
    if tests is not None:
        _write(tests, tests_text(sayings, os.path.relpath(into, tests.parent)))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
