"""The matrix of failovers says what the daemon judges: how old a proof is, or that it does not hold."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dashboards import look
from dashboards.reading import fill, load, queries

STATES = ("never", "stale", "broken")
PROVEN_AT = 60.0
NOW = 600.0


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(
    ("state", "proven_at", "shown"),
    [
        (None, PROVEN_AT, NOW - PROVEN_AT),
        ("never", 0.0, look.NEVER),
        ("stale", PROVEN_AT, look.STALE),
        ("broken", PROVEN_AT, look.BROKEN),
        ("broken", 0.0, look.BROKEN),
    ],
)
def test_a_cell_shows_what_the_daemon_judges(tmp_path: Path, state: str | None, proven_at: float, shown: float) -> None:
    (asked,) = [one for one in queries(load("fallbackd-drills")) if one.panel == "Failovers proven"]
    place = 'chain="chat", edge="a->b", fault="stall"'
    series = {f"fallbackd_edge_proven_timestamp_seconds{{{place}}}": proven_at} | {
        f'fallbackd_edge_unproven{{{place}, state="{one}"}}': float(one == state) for one in STATES
    }
    sample = {"labels": f'{{{place}, failover="chat a->b"}}', "value": shown}
    expected = {"expr": fill(asked.expr, {"chain": ".+"}), "eval_time": f"{NOW:.0f}s", "exp_samples": [sample]}
    inputs = [{"series": name, "values": f"{value:.0f}+0x40"} for name, value in series.items()]
    tests = [{"interval": "15s", "input_series": inputs, "promql_expr_test": [expected]}]
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": [], "tests": tests}))
    checked = subprocess.run(["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
