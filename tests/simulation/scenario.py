"""A scenario file: what happens in a stretch of time, and every message that people get, in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from monitor.config.loading import load
from monitor.config.model import Config
from monitor.model import NoticeState
from monitor.vocabulary import vocabulary
from tests.simulation.simulation import Simulation, Told
from tests.simulation.weather import TROUBLES, Spell, Weather

FOLDER = Path(__file__).parents[1] / "scenarios"
SHIPPED_ALERTS = Path(__file__).parents[2] / "alerts.yaml"
SECRETS = {"OPENROUTER_API_KEY": "k", "LITELLM_KEY": "k", "SLACK_BOT_TOKEN": "xoxb-simulated"}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``about`` says what it shows. Times are seconds since the epoch. ``expect``: as ``message`` writes it."""

    about: str
    start: float
    lasts: float
    spells: tuple[Spell, ...]
    down: Mapping[str, tuple[tuple[float, float], ...]]
    kills: tuple[tuple[float, float], ...]
    alerts: Mapping[str, Any]
    expect: tuple[str, ...]


def read(path: Path) -> Scenario:
    """``from`` is a local time with a zone name; ``at`` and ``until`` are times since then, as in ``1h30m``."""
    raw = yaml.safe_load(path.read_text())
    start = _begin(raw["from"])
    spells, down, kills = [], {}, []
    for one in raw["happens"]:
        begin, end = start + seconds(one["at"]), start + seconds(one["until"])
        match one:
            case {"killed": _}:
                kills.append((begin, end))
            case {"down": notifier}:
                down[notifier] = (*down.get(notifier, ()), (begin, end))
            case _:
                spells.append(_spell(one, begin, end))
    return Scenario(
        about=raw["about"],
        start=start,
        lasts=seconds(raw["lasts"]),
        spells=tuple(spells),
        down=down,
        kills=tuple(kills),
        alerts=raw.get("alerts", {}),
        expect=tuple(one.rstrip() for one in raw["expect"]),
    )


def seconds(text: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


async def play(scenario: Scenario, folder: Path) -> tuple[Told, ...]:
    """Every delivery to Slack, in order."""
    simulation = Simulation(
        configured(scenario.alerts, folder), Weather(scenario.spells), start=scenario.start, down=scenario.down
    )
    await simulation.run(scenario.lasts, kills=scenario.kills)
    return tuple(told for told in simulation.told if told.notice.notifier == "slack")


def configured(alerts: Mapping[str, Any], folder: Path, chains: Path = FOLDER / "chains.yaml") -> Config:
    """The chains of the scenarios under the shipped alerts, with what a scenario sets of these in its own way."""
    written = yaml.safe_load(SHIPPED_ALERTS.read_text()) | dict(alerts)
    path = folder / "alerts.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return load(chains, path, vocabulary=vocabulary(), environ=SECRETS)


def line(told: Told, start: float) -> str:
    """``0:03:12 new critical chain-down first: Chain labels is down``, at the time since the start."""
    notice = told.notice
    at = str(timedelta(seconds=int(told.at - start)))
    how = "edit" if told.edits else "new"
    return f"{at} {how} {notice.severity} {notice.alert} {notice.cause}: {notice.title}"


def message(told: Told, start: float) -> str:
    """The whole message as people get it: its headline after ``line``, its text, what its thread says is new, and its
    facts where it is one that nobody has seen yet, or the last word. Ids of incidents are drawn, and left out."""
    notice = told.notice
    is_whole = not told.edits or notice.state is NoticeState.RESOLVED
    facts = [f"- {name}: {text}" for name, text in notice.facts] if is_whole else []
    changes = [f"> {change}" for change in notice.changes] if told.edits else []
    summary = re.sub(r"incident [0-9a-f]{26}", "incident ID", notice.summary)
    return "\n".join([line(told, start), summary, *changes, *facts])


def _begin(text: str) -> float:
    moment, _, zone = text.partition(" ")
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone) if zone else UTC).timestamp()


def _spell(one: Mapping[str, Any], begin: float, end: float) -> Spell:
    trouble = TROUBLES[one["does"]]
    share = float(one.get("share", 1.0))
    spell = Spell(
        start=begin, end=end, on=one["hits"], trouble=replace(trouble, share=share), rising=one.get("rising", False)
    )
    if "every" in one:
        spell = replace(spell, every=seconds(one["every"]), of=seconds(one["for"]))
    return spell
