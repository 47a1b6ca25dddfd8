"""Options that several commands share, and how a command loads the config."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from monitor.config.loading import load
from monitor.config.model import Config
from monitor.vocabulary import vocabulary

ChainsOption = Annotated[
    Path, typer.Option("--chains", envvar="FALLBACKD_CHAINS", metavar="FILE", help="What to watch, and which drills.")
]
AlertsOption = Annotated[
    Path, typer.Option("--alerts", envvar="FALLBACKD_ALERTS", metavar="FILE", help="When to speak, and to whom.")
]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="FALLBACKD_DATA", metavar="DIR", help="Where the daemon keeps its database.")
]
SandboxOption = Annotated[
    bool, typer.Option("--sandbox", help="Start a private OpenRouter inside and ask that one: no key, no cost.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables for people.")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="FALLBACKD_URL", metavar="URL", help="The daemon to ask; default: the one of --data."),
]

CHAINS = Path("chains.yaml")
ALERTS = Path("alerts.yaml")
DATA = Path(".fallbackd")


def load_config(chains: Path, alerts: Path, *, sandbox: bool = False) -> Config:
    """Raises ConfigError with every mistake."""
    return load(chains, alerts, vocabulary=vocabulary(), environ=os.environ, sandbox=sandbox)


def console() -> Console:
    """Tables go to standard output; piped, they keep a width that does not cut words."""
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))
