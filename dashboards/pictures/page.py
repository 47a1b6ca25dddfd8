"""Lays the panels of a dashboard out as Grafana's grid does, and writes the picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from dashboards.pictures.asking import Prometheus
from dashboards.pictures.colours import FAINT, PAGE, PANEL, RULE, TEXT
from dashboards.pictures.drawing import DRAWN
from dashboards.reading import asked_by

WIDTH = 11.0
"""Inches, for 24 columns."""
ROW = 0.24
"""Inches for one row of Grafana's grid."""
TOP = 0.55
DOTS = 100
COLOURS = 200
"""In the palette of the file: charts need few, and it makes the file a third."""


def picture(dashboard: Mapping[str, Any], source: Prometheus, chosen: Mapping[str, str], note: str) -> bytes:
    """A PNG. ``note`` says what it was drawn from."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = TOP + rows * ROW
    figure = Figure(figsize=(WIDTH, height), facecolor=PAGE, dpi=DOTS)
    FigureCanvasAgg(figure)
    figure.text(0.01, 1 - 0.2 / height, dashboard["title"], fontsize=11, color=TEXT, weight="bold", va="center")
    figure.text(0.01, 1 - 0.4 / height, note, fontsize=7, color=FAINT, va="center")
    for panel in dashboard["panels"]:
        place = _place(panel["gridPos"], height)
        title = _titled(panel.get("title", ""), chosen)
        if panel["type"] == "row":
            figure.text(place[0] + 0.005, place[1] + place[3] / 2, title, fontsize=8, color=TEXT, weight="bold")
        else:
            _panel(figure, dashboard, {**panel, "title": title}, place, source, chosen)
    return _compact(figure)


def _panel(
    figure: Figure,
    dashboard: Mapping[str, Any],
    panel: Mapping[str, Any],
    place: tuple[float, float, float, float],
    source: Prometheus,
    chosen: Mapping[str, str],
) -> None:
    left, bottom, width, height = place
    figure.add_artist(
        Rectangle((left, bottom), width, height, facecolor=PANEL, edgecolor=RULE, linewidth=0.6, zorder=-1)
    )
    inch = height / (panel["gridPos"]["h"] * ROW)
    title = shorten(panel["title"], max(16, panel["gridPos"]["w"] * 6))
    figure.text(left + 0.006, bottom + height - 0.13 * inch, title, fontsize=7, color=TEXT, va="center")
    is_table = panel["type"] == "table"
    shown = [
        (asked.ref if is_table else series.name(asked.legend), series)
        for asked in asked_by(dashboard, panel)
        for series in source.answer(asked, dashboard, chosen)
    ]
    inner = _inner(panel["type"], left, bottom, width, height, inch, names=[name for name, _ in shown])
    DRAWN[panel["type"]](figure.add_axes(inner), panel, shown)


def _inner(
    kind: str, left: float, bottom: float, width: float, height: float, inch: float, names: Sequence[str]
) -> tuple[float, float, float, float]:
    """Where in a panel the data is: below the title, beside the names of the rows, above the legend."""
    if kind in ("stat", "table"):
        return left + 0.006, bottom + 0.05 * inch, width - 0.012, height - 0.3 * inch
    longest = max(map(len, names), default=0)
    before = {"timeseries": 0.045, "heatmap": 0.055}.get(kind, min(0.22, 0.02 + longest * 0.0039))
    below = 0.62 if kind == "timeseries" else 0.22
    return left + before, bottom + below * inch, width - before - 0.015, height - (below + 0.3) * inch


def _place(at: Mapping[str, int], height: float) -> tuple[float, float, float, float]:
    gap = 0.003
    top = TOP + at["y"] * ROW
    bottom = 1 - (top + at["h"] * ROW) / height
    return at["x"] / 24 + gap, bottom + gap / 2, at["w"] / 24 - 2 * gap, at["h"] * ROW / height - gap


def _titled(title: str, chosen: Mapping[str, str]) -> str:
    for name, value in chosen.items():
        title = title.replace(f"${name}", value)
    return title.replace("$target", "All targets").replace("$streamed", "All targets")


def _compact(figure: Figure) -> bytes:
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=PAGE)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
