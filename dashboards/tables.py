"""Tables: queries joined on the labels that they share, or one query spread out over two of its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    MatcherConfig,
    ValueMapping,
)

from dashboards.panels import Head, Panel, Steps, headed
from dashboards.queries import Query

COLOURED_TEXT = {"type": "color-text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A label, or the value of a query as ``Value #A``, under a heading of its own."""

    field: str
    heading: str
    unit: str | None = None
    decimals: int | None = None
    mappings: tuple[ValueMapping, ...] = ()
    steps: Steps = ()
    link: tuple[str, str] | None = None
    """(title, address) of where a click leads."""


def grid(head: Head, columns: Sequence[Column], *queries: Query, worst: str | None = None) -> Panel:
    """One row for each set of labels that the queries share. ``worst`` is the heading that is sorted by, downwards."""
    panel = headed(_table(), head, queries)
    for change in _joined(columns, len(queries)):
        panel = panel.with_transformation(change)
    for column in columns:
        panel = panel.override_by_name(column.heading, list(_properties(column)))
    if worst is not None:
        panel = panel.sort_by([common_builder.TableSortByFieldState().display_name(worst).desc(True)])
    return panel


def matrix(head: Head, query: Query, *, row: str, column: str) -> Panel:
    """The values of one query by two of its labels."""
    spread = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"}
    panel = headed(_table(), head, (query,))
    coloured = [DynamicConfigValue("custom.cellOptions", COLOURED_TEXT)]
    panel = panel.with_override(MatcherConfig("byType", "number"), coloured)
    return panel.with_transformation(DataTransformerConfig("groupingToMatrix", options=spread))


def _table() -> table.Panel:
    return table.Panel().cell_height(common.TableCellHeight.SM).cell_options(common.TableAutoCellOptions())


def _joined(columns: Sequence[Column], queries: int) -> Iterator[DataTransformerConfig]:
    yield DataTransformerConfig("merge", options={})
    shown = {column.field: column.heading for column in columns}
    values = ["Value"] if queries == 1 else [f"Value #{'ABCDEFGHIJ'[index]}" for index in range(queries)]
    organized: Mapping[str, Any] = {
        "excludeByName": {name: True for name in ("Time", *values) if name not in shown},
        "indexByName": {field: index for index, field in enumerate(shown)},
        "renameByName": shown,
    }
    yield DataTransformerConfig("organize", options=organized)


def _properties(column: Column) -> Iterator[DynamicConfigValue]:
    if column.unit is not None:
        yield DynamicConfigValue("unit", column.unit)
    if column.decimals is not None:
        yield DynamicConfigValue("decimals", column.decimals)
    if column.mappings:
        yield DynamicConfigValue("mappings", list(column.mappings))
    if column.steps:
        steps = [{"value": value, "color": colour} for value, colour in column.steps]
        yield DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps})
    if column.steps or column.mappings:
        yield DynamicConfigValue("custom.cellOptions", COLOURED_TEXT)
    if column.link is not None:
        title, address = column.link
        yield DynamicConfigValue("links", [{"title": title, "url": address, "targetBlank": False}])
