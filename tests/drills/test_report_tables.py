"""The sections that only some reports have: the application, drilled calls beside the control group, the load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.capacity import Capacity, Load, Stop
from chaos.comparison import Comparison, Harm
from chaos.model import Asked, Drill, Journal, Phase
from chaos.passing import Group, Passed
from chaos.plans import ApplicationPlan, CapacityPlan, LivePlan
from chaos.reports import html, markdown
from chaos.reports.tables import Table, tables

from .drill_samples import drill
from .drill_stage import Stage
from .traffic_samples import failed, passed

pytestmark = pytest.mark.anyio


async def journal(planned: Drill, **changes: Any) -> Journal:
    ran = await Stage().runner.run(drill(requests=1), asked_by="x")
    return replace(ran, drill=planned, started=1000.0, ended=1100.0, **changes)


async def table(planned: Drill, **changes: Any) -> Table:
    (one,) = tables(await journal(planned, **changes))
    return one


def walked(at: float, **changes: Any) -> Passed:
    """One request for the whole chain without its primary, answered by the secondary."""
    given = {"position": None, "met": True, "gone": (0,), "served": 1, "ended": at + 0.5, **changes}
    return passed(at=at, **given)


ASKED = Asked(at=1001.0, ended=1003.0, phase=Phase.INJECT, status=200, wrong=None, nonce="n-1")
OF_APPLICATION = drill(application=ApplicationPlan(url="http://app/chat", requests=1))


@pytest.mark.parametrize(
    ("seen", "fault", "served"),
    [
        ((walked(1001.1, nonce="n-1"),), "met it", "secondary"),
        ((walked(1001.1, nonce="n-1", served=0),), "met it; no fallback is seen", "primary"),
        ((walked(1001.1),), "met it", "secondary"),
        ((walked(1001.1), walked(1001.2, call="other")), "met it, by time", "secondary"),
        ((walked(1001.1), walked(1001.2, call="other", served=2)), "met it, by time", "secondary 1 times and last-"),
        ((failed(1001.1), passed(at=1001.3, position=1, served=1)), "met it", "secondary"),
        ((passed(at=1001.1, spared="is no JSON object"),), "did not meet it: what it sent is no JSON object", ""),
        ((), "did not meet it", ""),
    ],
)
async def test_an_application_has_a_section_that_says_who_answered_it(
    seen: tuple[Passed, ...], fault: str, served: str
) -> None:
    before = replace(ASKED, phase=Phase.BASELINE, at=1000.0, ended=1000.5, nonce=None)
    found = await table(OF_APPLICATION, application=(before, ASKED), passed=seen)
    met = "1" if fault.startswith("met") else "0"
    assert found.says == (
        "POST http://app/chat: asked 2 times, 1 of them while the chain was broken; the gateway saw "
        f"{met} of those meet the fault."
    )
    first, second = found.rows
    assert first[:6] == ("baseline", "1", "+0.00s", "500ms", "HTTP 200", "answered as expected")
    assert second[:7] == ("inject", "2", "+1.00s", "2s", "HTTP 200", "answered as expected", fault)
    assert second[7].startswith(served)


async def test_drilled_calls_stand_beside_the_control_group() -> None:
    drilled = [walked(1010.0 + at, call=f"b{at}", ended=1012.0 + at) for at in range(3)]
    lost = walked(1020.0, call="lost", ok=False, served=None)
    control = [
        passed(at=1010.0 + at, ended=1011.0 + at, call=f"c{at}", group=Group.CONTROL, position=None, served=0)
        for at in range(4)
    ]
    spared = passed(at=1010.0, call="spared")  # in the drilled group, and not met
    found = await table(
        drill(live=LivePlan()),
        passed=(*drilled, lost, *control, spared),
        compared=Comparison(harm=Harm.NONE, because="1 of 4 and 0 of 4"),
    )
    assert found.says == "1 of 4 and 0 of 4"
    assert found.rows == (
        ("drilled", "4", "1", "25.0%", "2s", "2s", "1.00", "secondary"),
        ("control", "4", "0", "0.0%", "1s", "1s", "1.00", "primary"),
    )


async def test_live_traffic_that_never_came_is_said_too() -> None:
    found = await table(drill(live=LivePlan()))
    assert found.says == "It was not compared: the drill ended before, or the gateway told nothing of it."
    assert found.rows == (("drilled", "0", "0", *[""] * 5), ("control", "0", "0", *[""] * 5))


LOADS = (
    Load(at_once=5, lasted=10.0, asked=20, answered=20, limited=0, usd=0.002),
    Load(at_once=10, lasted=10.0, asked=9, answered=5, limited=4, usd=0.001, remaining={"x-ratelimit-remaining": 3}),
)
CAPACITY = Capacity(loads=LOADS, stop=Stop.LIMITED, carried=120.0, because="carried up to 120 answers per minute; <x>")


async def test_a_rising_load_is_shown_step_by_step() -> None:
    found = await table(drill(capacity=CapacityPlan()), capacity=CAPACITY)
    assert found.says == "The fallback carried up to 120 answers per minute; <x>."
    assert found.rows == (
        ("5", "10s", "20", "20", "120", "0", "$0.0020", ""),
        ("10", "10s", "9", "5", "30", "4", "$0.0010", "x-ratelimit-remaining 3"),
    )


async def test_both_reports_have_them_and_what_was_said_stays_text() -> None:
    evil = "answered HTTP 502, not 200: | <b>\n# x"
    whole = await journal(
        replace(OF_APPLICATION, live=LivePlan(), capacity=CapacityPlan()),
        capacity=CAPACITY,
        application=(replace(ASKED, wrong=evil),),
    )
    page, ticket = html(whole), markdown(whole)
    for title in ("Application", "Live traffic: drilled calls beside the control group", "Load on the fallback"):
        assert f"<h2>{title}</h2>" in page
        assert f"\n## {title}\n" in ticket
    assert "| <b>" not in page
    assert "answered HTTP 502, not 200: | &lt;b&gt;\n# x" in page
    assert r"answered HTTP 502, not 200: \| \<b\> \# x" in ticket
    assert ticket.count("\n# ") == 0


async def test_a_report_of_a_plain_drill_has_none_of_them() -> None:
    assert tables(await journal(drill(requests=1))) == ()
