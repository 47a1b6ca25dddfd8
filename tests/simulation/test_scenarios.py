"""Every scenario file, replayed: people get exactly these messages, at these times, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.scenario import FOLDER, message, play, read

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

SCENARIOS = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "chains.yaml")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
async def test_people_are_told_what_the_scenario_says(path: Path, tmp_path: Path) -> None:
    scenario = read(path)
    told = await play(scenario, tmp_path)
    assert tuple(message(one, scenario.start) for one in told) == scenario.expect
