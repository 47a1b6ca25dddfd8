"""A drill with several faults has a series of ``fallbackd_fault_active`` for each, from the start."""

from __future__ import annotations

import pytest

from chaos.model import Drill, Expect, Strike
from monitor.metrics import Metrics

from .metric_samples import config, specs

TWO = Drill(
    name="cascade",
    chain="chat",
    strikes=(Strike(positions=(0,), fault="overloaded"), Strike(positions=(0,), fault="delay", after_requests=1)),
    injector="transport",
    expect=Expect(served_by="secondary", within=10.0),
)


@pytest.mark.anyio
async def test_each_fault_of_a_drill_has_its_own_series() -> None:
    chosen = config()
    metrics = Metrics(chosen, specs(chosen), [TWO], "1.2.3")
    head = 'fallbackd_fault_active{chain="chat",drill="cascade",fault='
    body, _ = await metrics.exposition("")
    shown = [line for line in body.decode().splitlines() if line.startswith(head)]
    assert sorted(shown) == [
        f'{head}"delay",injector="transport"}} 0.0',
        f'{head}"overloaded",injector="transport"}} 0.0',
    ]
    metrics.set_fault("chat", "cascade", "delay", "transport", active=True)
    body, _ = await metrics.exposition("")
    assert f'{head}"delay",injector="transport"}} 1.0' in body.decode()
