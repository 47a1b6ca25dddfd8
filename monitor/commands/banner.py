"""What ``run`` prints once it is up: what is watched, and where the pages are."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from monitor.app import App
from monitor.commands import options
from monitor.config.model import ChainConfig
from monitor.config.quantity import format_duration
from monitor.inventory import shared_unread
from monitor.version import VERSION


def banner(app: App) -> str:
    """Plain lines, aligned, for a person who has just typed the command."""
    config, where = app.in_force.config, "the embedded sandbox" if app.settings.sandbox else "real endpoints"
    counts = f"{_count(len(app.in_force.specs), 'probe')}, {_count(len(app.in_force.drills), 'drill')}"
    lines = [
        f"fallbackd {VERSION} watches {_count(len(config.chains), 'chain')} on {where}: {counts}",
        *(_chain(chain) for chain in config.chains),
        "",
        f"  status page  {app.url}/",
        f"  metrics      {app.url}/metrics",
        f"  API docs     {app.url}/api/docs",
    ]
    if passes := app.traffic.where():
        lines.append(f"  gateway      {passes}")
    if app.sandbox_url:
        model = config.chains[0].target(0).model
        command, data = _typed(), "" if app.settings.data == options.DATA else f" --data {app.settings.data}"
        lines += [
            f"  sandbox      {app.sandbox_url}",
            "",
            f"Break something for real:  {command} sandbox break {model} --with rate_limited{data}",
            f"and mend it again:         {command} sandbox mend{data}",
        ]
    lines += [f"Not in use: {sentence}" for sentence in config.muted.values()]
    lines += [f"Note: {sentence}" for sentence in (*config.warnings, *shared_unread(config))]
    return "\n".join([*lines, "Ctrl-C stops.", ""])


def _typed() -> str:
    """The command as this person can type it: by its name where the shell finds it, else by its path."""
    if shutil.which("fallbackd"):
        return "fallbackd"
    path = Path(sys.argv[0])
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)


def _chain(chain: ChainConfig) -> str:
    walk = " > ".join(target.label for target in chain.targets)
    fastest = min(chain.probes, key=lambda probe: probe.every)
    return f"  {chain.name:<20} {chain.mode.value:<9} {walk}  (every {format_duration(fastest.every)})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
