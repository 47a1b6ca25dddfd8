"""Draws one panel of each type into matplotlib's axes. A likeness of Grafana for people who read, not for measuring."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from dashboards.pictures.asking import Series
from dashboards.pictures.colours import FAINT, RULE, TEXT, mapped, of_series, threshold
from dashboards.pictures.tabulating import draw_table
from dashboards.pictures.units import written

Shown = Sequence[tuple[str, Series]]
"""(name by the legend, series) in the order of the queries."""

NOISE = 1e-6
"""Counts below it are what floating point leaves of the difference of two buckets."""


def _defaults(panel: Mapping[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = panel["fieldConfig"]["defaults"]
    return defaults


def text_of(value: float, panel: Mapping[str, Any]) -> str:
    defaults = _defaults(panel)
    known = mapped(value, defaults.get("mappings", []))
    return known[0] if known else written(value, defaults["unit"], defaults.get("decimals"))


def colour_of(value: float, panel: Mapping[str, Any]) -> str:
    defaults = _defaults(panel)
    known = mapped(value, defaults.get("mappings", []))
    return known[1] if known else threshold(value, defaults["thresholds"])


def draw_number(axes: Axes, panel: Mapping[str, Any], shown: Shown) -> None:
    axes.axis("off")
    if not shown:
        return
    (_, series) = shown[0]
    label = panel["options"]["reduceOptions"]["fields"].strip("/^$")
    if label:
        known = mapped(series.labels.get(label, ""), _defaults(panel).get("mappings", []))
        text, colour = known or (series.labels.get(label, ""), TEXT)
    else:
        text, colour = text_of(series.last, panel), colour_of(series.last, panel)
    axes.text(0.5, 0.45, text, ha="center", va="center", fontsize=15, color=colour, transform=axes.transAxes)


def draw_lines(axes: Axes, panel: Mapping[str, Any], shown: Shown) -> None:
    custom, overrides = _defaults(panel)["custom"], panel["fieldConfig"]["overrides"]
    colours = [of_series(name, index, overrides) for index, (name, _) in enumerate(shown)]
    stacking = custom["stacking"]["mode"]
    if stacking == "none":
        for (name, series), colour in zip(shown, colours, strict=True):
            axes.plot(*zip(*series.points, strict=True), color=colour, linewidth=1.1, label=name)
    else:
        _stack(axes, shown, colours, percent=stacking == "percent")
    _frame(axes, shown, lambda value, _: f"{value:.0%}" if stacking == "percent" else text_of(value, panel))
    axes.set_ylim(bottom=0)


def _stack(axes: Axes, shown: Shown, colours: Sequence[str], *, percent: bool) -> None:
    times = sorted({time for _, series in shown for time, _ in series.points})
    rows = []
    for _, series in shown:
        values = dict(series.points)
        rows.append([0.0 if math.isnan(values.get(time, 0.0)) else values.get(time, 0.0) for time in times])
    if percent:
        sums = [sum(column) or 1.0 for column in zip(*rows, strict=True)]
        rows = [[value / whole for value, whole in zip(row, sums, strict=True)] for row in rows]
    axes.stackplot(times, rows, colors=colours, labels=[name for name, _ in shown], alpha=0.75, linewidth=0)


def draw_states(axes: Axes, panel: Mapping[str, Any], shown: Shown) -> None:
    for row, (_, series) in enumerate(shown):
        step = series.points[1][0] - series.points[0][0] if len(series.points) > 1 else 1.0
        spans = [(time, step) for time, _ in series.points]
        axes.broken_barh(spans, (row - 0.4, 0.8), facecolors=[colour_of(value, panel) for _, value in series.points])
    _frame(axes, (), None)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=6)
    axes.invert_yaxis()
    axes.grid(visible=False)


def draw_bars(axes: Axes, panel: Mapping[str, Any], shown: Shown) -> None:
    lengths = [0.0 if math.isnan(series.last) else series.last for _, series in shown]
    for row, (length, (_, series)) in enumerate(zip(lengths, shown, strict=True)):
        axes.barh(row, length, height=0.6, color=colour_of(series.last, panel))
        axes.text(length, row, f" {text_of(series.last, panel)}", va="center", fontsize=6.5, color=TEXT)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=6)
    axes.set_xlim(left=0.0, right=1.25 * max(lengths, default=1.0) or 1.0)
    axes.set_xticks([])
    axes.invert_yaxis()
    _plain(axes)


def draw_heat(axes: Axes, panel: Mapping[str, Any], shown: Shown) -> None:
    """Prometheus's buckets hold everything below their bound: each cell is the difference to the bucket before."""
    ordered = sorted((series for _, series in shown), key=lambda series: float(series.labels["le"]))
    times = [time for time, _ in ordered[0].points]
    counts = [[value for _, value in series.points] for series in ordered]
    cells = [counts[0]]
    for below, upto in pairwise(counts):
        cells.append([b - a for a, b in zip(below, upto, strict=True)])
    used = [index for index, row in enumerate(cells) if any(value > NOISE for value in row)] or [0]
    low, high = max(0, used[0] - 1), min(len(cells), used[-1] + 2)
    axes.pcolormesh(times, range(high - low), cells[low:high], cmap="Blues", shading="nearest")
    bounds = [float(series.labels["le"]) for series in ordered[low:high]]
    _frame(axes, (), None)
    words = [
        "more" if math.isinf(bound) else f"≤ {written(bound, panel['fieldConfig']['defaults']['unit'])}"
        for bound in bounds
    ]
    axes.set_yticks(range(len(bounds)), words, fontsize=5.5)
    axes.grid(visible=False)


def _frame(axes: Axes, legend: Shown, ticks: Callable[[float, Any], str] | None) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{datetime.fromtimestamp(time, UTC):%H:%M}"))
    axes.locator_params(axis="x", nbins=6)
    axes.locator_params(axis="y", nbins=4)
    if ticks is not None:
        axes.yaxis.set_major_formatter(FuncFormatter(ticks))
    axes.margins(x=0)
    axes.grid(visible=True, color=RULE, linewidth=0.5)
    _plain(axes)
    if legend:
        columns = 3 if len(legend) > 2 else 2
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.12), ncols=columns, fontsize=5.5, frameon=False)


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=6, colors=FAINT)


DRAWN: Mapping[str, Callable[[Axes, Mapping[str, Any], Shown], None]] = {
    "stat": draw_number,
    "timeseries": draw_lines,
    "state-timeline": draw_states,
    "bargauge": draw_bars,
    "heatmap": draw_heat,
    "table": draw_table,
}
"""By the type of the panel."""
