"""Panels of each type in one style, from a title, a description, a unit and queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as dashboard_builder
from grafana_foundation_sdk.builders import prometheus as prometheus_builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMapping,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.look import GOOD
from dashboards.queries import Query, Shape

SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

Panel = timeseries.Panel | stat.Panel | table.Panel | heatmap.Panel | statetimeline.Panel | bargauge.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, table.Panel, heatmap.Panel, statetimeline.Panel, bargauge.Panel)

Steps = Sequence[tuple[float | None, str]]
"""(from this value on, colour); the first begins at None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What every panel has. ``width`` is of 24 columns, ``height`` in rows of Grafana's grid."""

    title: str
    about: str
    unit: str
    width: int = 8
    height: int = 8
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    steps: Steps = ((None, GOOD),)
    mappings: tuple[ValueMapping, ...] = ()
    colours: Mapping[str, str] | None = None
    """Fixed colours by the name of a series."""


def lines(head: Head, *queries: Query, stacked: bool = False, percent: bool = False, as_bars: bool = False) -> Panel:
    """Lines over time; stacked as areas or bars, in percent of their sum with ``percent``."""
    panel = headed(timeseries.Panel(), head, queries)
    mode = common.StackingMode.PERCENT if percent else common.StackingMode.NORMAL
    stacking = common_builder.StackingConfig().group("A").mode(mode if stacked or percent else common.StackingMode.NONE)
    legend = common_builder.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    tooltip = common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    return (
        panel.stacking(stacking)
        .draw_style(common.GraphDrawStyle.BARS if as_bars else common.GraphDrawStyle.LINE)
        .fill_opacity(70 if stacked or percent or as_bars else 8)
        .line_width(1 if stacked or percent or as_bars else 2)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(True))
        .tooltip(tooltip.sort(common.SortOrder.DESCENDING))
        .color_scheme(dashboard_builder.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    )


def number(head: Head, query: Query, *, fields: str = "") -> Panel:
    """One large number, or with ``fields`` the text of a label."""
    panel = headed(stat.Panel(), head, (query,))
    reduce = common_builder.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(fields)
    return (
        panel.reduce_options(reduce)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE)
        .color_scheme(dashboard_builder.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )


def states(head: Head, *queries: Query) -> Panel:
    """One row for each series, coloured by its value over time."""
    panel = headed(statetimeline.Panel(), head, queries)
    legend = common_builder.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    return (
        panel.merge_values(True)
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(85)
        .line_width(0)
        .legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(True))
        .color_scheme(dashboard_builder.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )


def bars(head: Head, *queries: Query) -> Panel:
    """One bar for each series with its latest value."""
    panel = headed(bargauge.Panel(), head, queries)
    reduce = common_builder.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("")
    return (
        panel.reduce_options(reduce)
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .show_unfilled(True)
        .color_scheme(dashboard_builder.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )


def heat(head: Head, expr: Query, *, repeat: str | None = None) -> Panel:
    """A histogram over time: the darker, the more answers took that long."""
    panel = headed(heatmap.Panel(), head, (expr,)).interval("1m")
    if repeat is not None:
        panel = panel.repeat(repeat).repeat_direction("h").max_per_row(3)
    colour = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME)
    return (
        panel.calculate(False)
        .color(colour.scheme("Blues").steps(32).exponent(0.5).fill("dark-blue").reverse(False))
        .y_axis(heatmap.YAxisConfig().unit(head.unit).axis_placement(common.AxisPlacement.LEFT))
        .cell_gap(1)
        .show_legend()
        .selection_mode(heatmap_model.HeatmapSelectionMode.X)
    )


def headed(panel: P, head: Head, queries: Sequence[Query]) -> P:
    panel = panel.title(head.title).description(head.about).unit(head.unit).datasource(SOURCE)
    panel = panel.span(head.width).height(head.height).thresholds(_thresholds(head.steps))
    panel = panel.mappings(list(head.mappings)) if head.mappings else panel
    panel = panel.decimals(head.decimals) if head.decimals is not None else panel
    panel = panel.min(head.least) if head.least is not None else panel
    panel = panel.max(head.most) if head.most is not None else panel
    for name, colour in (head.colours or {}).items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        panel = panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    for index, query in enumerate(queries):
        panel = panel.with_target(target(query, "ABCDEFGHIJ"[index]))
    return panel


def target(query: Query, ref: str) -> prometheus_builder.Dataquery:
    made = prometheus_builder.Dataquery().ref_id(ref).expr(query.expr).datasource(SOURCE)
    if query.legend:
        made = made.legend_format(query.legend)
    if query.shape is Shape.INSTANT:
        return made.instant().format(PromQueryFormat.TABLE)
    shape = PromQueryFormat.HEATMAP if query.shape is Shape.BUCKETS else PromQueryFormat.TIME_SERIES
    return made.range().format(shape)


def _thresholds(steps: Steps) -> dashboard_builder.ThresholdsConfig:
    made = [Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard_builder.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)
