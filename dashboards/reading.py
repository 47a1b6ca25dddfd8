"""Reads committed dashboards as Grafana does: their panels, their queries, and the variables in them filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.queries import Shape

FOLDER = Path(__file__).parent / "json"

_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
_SHAPES = {"table": Shape.INSTANT, "time_series": Shape.RANGE, "heatmap": Shape.BUCKETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query where it stands. ``expr`` still has its variables."""

    dashboard: str
    panel: str
    ref: str
    expr: str
    legend: str
    shape: Shape

    @property
    def place(self) -> str:
        return f"{self.dashboard}: {self.panel} ({self.ref})"


def load(uid: str, folder: Path = FOLDER) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{uid}.json").read_text())
    return found


def uids(folder: Path = FOLDER) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.json"))


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every panel that shows data, without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked_by(dashboard: Mapping[str, Any], panel: Mapping[str, Any]) -> list[Asked]:
    return [
        Asked(
            dashboard=dashboard["uid"],
            panel=panel["title"],
            ref=target["refId"],
            expr=target["expr"],
            legend=target.get("legendFormat", ""),
            shape=_SHAPES[target["format"]],
        )
        for target in panel["targets"]
    ]


def queries(dashboard: Mapping[str, Any]) -> Iterator[Asked]:
    for panel in panels(dashboard):
        yield from asked_by(dashboard, panel)


def marks(dashboard: Mapping[str, Any]) -> Iterator[Asked]:
    """The queries of the annotations."""
    for mark in dashboard.get("annotations", {}).get("list", []):
        yield Asked(
            dashboard=dashboard["uid"],
            panel=mark["name"],
            ref=mark["target"]["refId"],
            expr=mark["target"]["expr"],
            legend=mark["titleFormat"],
            shape=Shape.RANGE,
        )


def variables(text: str) -> set[str]:
    """Names of the variables in a text, Grafana's own included."""
    return set(_VARIABLE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """KeyError for a variable without a value."""
    return _VARIABLE.sub(lambda found: values[found[1]], text)


def defaults(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """What the variables stand at when the dashboard is opened; those that follow the data are left out."""
    chosen: dict[str, str] = {}
    for variable in dashboard["templating"]["list"]:
        value = variable.get("current", {}).get("value")
        if value == ["$__all"]:
            chosen[variable["name"]] = variable["allValue"]
        elif isinstance(value, str):
            chosen[variable["name"]] = value
    return chosen
