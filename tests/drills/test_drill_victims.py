"""Who starts a drill is told whose requests it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.plans import ApplicationPlan, CapacityPlan, LivePlan
from chaos.victims import whose

from .drill_samples import drill

URL = "http://127.0.0.1:8000/ask"
ASKS = f"what {URL} asks meanwhile"
WHOSE: list[tuple[dict[str, Any], str]] = [
    ({}, "fallbackd's own questions only"),
    ({"live": LivePlan()}, "fallbackd's own questions and 5% of the live traffic (500 requests at most)"),
    (
        {"application": ApplicationPlan(url=URL)},
        f"fallbackd's own questions, {ASKS} and other live traffic of the chain",
    ),
    ({"application": ApplicationPlan(url=URL, forwards_mark=True)}, f"fallbackd's own questions and {ASKS}"),
    (
        {"capacity": CapacityPlan(), "live": LivePlan(percent=0.2, most=40)},
        "fallbackd's own questions, up to 20 more of them at a time and 20% of the live traffic (40 requests at most)",
    ),
]


@pytest.mark.parametrize(("plans", "said"), WHOSE)
def test_whose_requests_a_drill_breaks(plans: dict[str, Any], said: str) -> None:
    assert whose(drill(**plans)) == said
