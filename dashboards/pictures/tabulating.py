"""Draws tables: queries joined on their labels, or one query spread out over two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from dashboards.pictures.asking import Series
from dashboards.pictures.colours import FAINT, RULE, TEXT, mapped, threshold
from dashboards.pictures.units import written

Cell = tuple[str, str]
"""(text, colour)."""


def draw_table(axes: Axes, panel: Mapping[str, Any], shown: Sequence[tuple[str, Series]]) -> None:
    """The first of each pair is the letter of the query."""
    change = panel["transformations"][-1]
    spread = change["id"] == "groupingToMatrix"
    headings, rows = _matrix(panel, change["options"], shown) if spread else _joined(panel, change["options"], shown)
    axes.axis("off")
    axes.set_xlim(0, len(headings))
    axes.set_ylim(max(len(rows), 3) + 1, 0)
    for column, heading in enumerate(headings):
        axes.text(column + 0.03, 0.5, heading, fontsize=6.5, color=FAINT, va="center", weight="bold")
    for index, row in enumerate(rows):
        axes.axhline(index + 1, color=RULE, linewidth=0.5)
        for column, (text, colour) in enumerate(row):
            axes.text(column + 0.03, index + 1.5, text, fontsize=7, color=colour, va="center")


def _matrix(
    panel: Mapping[str, Any], options: Mapping[str, str], shown: Sequence[tuple[str, Series]]
) -> tuple[list[str], list[list[Cell]]]:
    row, column = options["rowField"], options["columnField"]
    found = {(series.labels[row], series.labels[column]): series.last for _, series in shown}
    rows, columns = sorted({key[0] for key in found}), sorted({key[1] for key in found})
    defaults = {**panel["fieldConfig"]["defaults"], "custom.cellOptions": {"type": "color-text"}}
    cells = [
        [(name, TEXT), *(_cell(found[name, one], defaults) if (name, one) in found else ("", TEXT) for one in columns)]
        for name in rows
    ]
    return [row, *columns], cells


def _joined(
    panel: Mapping[str, Any], options: Mapping[str, Any], shown: Sequence[tuple[str, Series]]
) -> tuple[list[str], list[list[Cell]]]:
    order: Mapping[str, int] = options["indexByName"]
    headings = {field: options["renameByName"][field] for field in sorted(order, key=lambda field: order[field])}
    defaults = panel["fieldConfig"]["defaults"]
    overrides = {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
    alone = len(panel["targets"]) == 1
    keys = [field for field in headings if not field.startswith("Value") and field != "position"]
    rows: dict[tuple[str, ...], dict[str, float | str]] = {}
    for letter, series in shown:
        row = rows.setdefault(tuple(series.labels.get(key, "") for key in keys), {})
        row.update(series.labels)
        row["Value" if alone else f"Value #{letter}"] = series.last
    cells = []
    for _, row in sorted(rows.items()):
        config = {field: {**defaults, **_changes(overrides.get(heading, []))} for field, heading in headings.items()}
        cells.append([_cell(row.get(field, ""), config[field]) for field in headings])
    return list(headings.values()), cells


def _changes(properties: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {one["id"]: one["value"] for one in properties}


def _cell(value: float | str, config: Mapping[str, Any]) -> Cell:
    known = mapped(value, config.get("mappings", []))
    if known:
        return known
    if isinstance(value, str):
        return value, TEXT
    colour = threshold(value, config["thresholds"]) if "custom.cellOptions" in config else TEXT
    return written(value, config["unit"], config.get("decimals")), colour
