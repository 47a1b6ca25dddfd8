"""Every dashboard fits Grafana's own types, which see misfits that the generator's library lets through."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.reading import load, uids

CHECK = Path(__file__).parent / "schema-check"
PACKAGES = "tests/dashboards/schema-check/node_modules"

pytestmark = pytest.mark.needs("node", PACKAGES)


def _compile(folder: Path, dashboards: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    for name in ("shapes.ts", "tsconfig.json", "package.json"):
        shutil.copy(CHECK / name, folder)
    (folder / "node_modules").symlink_to(CHECK / "node_modules")
    constants = [line for dashboard in dashboards for line in _constants(dashboard)]
    header = 'import type { FrameJson, PanelJson, RowJson } from "./shapes";\n'
    (folder / "dashboards.ts").write_text(header + "\n".join(constants))
    tsc = CHECK / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run(["node", tsc, "--project", folder], capture_output=True, text=True, timeout=120)


def _constants(dashboard: dict[str, Any]) -> Iterator[str]:
    """Literals, so that tsc refuses unknown keys too; a panel at a time, so that it names the panel."""
    name = dashboard["uid"].replace("-", "_")
    frame = {key: value for key, value in dashboard.items() if key != "panels"}
    yield f"export const {name}: FrameJson = {json.dumps(frame)};"
    for panel in dashboard["panels"]:
        shape = "RowJson" if panel["type"] == "row" else "PanelJson"
        yield f"export const {name}_{panel['id']}: {shape} = {json.dumps(panel)};"


def test_the_dashboards_fit_grafanas_types(tmp_path: Path) -> None:
    checked = _compile(tmp_path, [load(uid) for uid in uids()])
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_check_sees_what_does_not_fit(tmp_path: Path) -> None:
    dashboard = load("fallbackd-overview")
    table = next(panel for panel in dashboard["panels"] if panel["type"] == "table")
    lines = next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")
    table["options"]["footer"] = {"show": False}
    lines["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "curve"
    dashboard["templating"]["list"][0]["auto"] = False
    checked = _compile(tmp_path, [dashboard])
    assert checked.returncode != 0
    for misfit in ("footer", "curve", "auto"):
        assert misfit in checked.stdout
