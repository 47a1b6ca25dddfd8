"""Chains over time: buckets, the strip, troubles; all of it pure, and the answers that carry it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Health, Path, Subject
from monitor.web.history_views import Window, fill, starts
from monitor.web.strip import Shape, Share, serve, shapes, shares, spells
from monitor.web.timeline import grouped, timeline, troubles
from tests.fakes.values import transition

from .web_stage import client, site
from .web_values import NOW, alerts, incidents, run_view

LABELS = ("primary", "secondary")


@pytest.mark.parametrize("window", list(Window))
def test_a_window_has_at_most_a_hundred_buckets_and_ends_now(window: Window) -> None:
    at = starts(NOW, window)
    assert len(at) <= 100
    assert at[-1] <= NOW < at[-1] + window.step
    assert at[0] == pytest.approx(NOW - window.seconds, abs=window.step)
    assert {round(later - earlier) for earlier, later in itertools.pairwise(at)} == {window.step}


def test_a_line_has_a_value_for_each_bucket() -> None:
    found = [(None, 10, 4, 0.5, 0.9), ("secondary", 12, 1, 0.3, 0.3), ("gone", 10, 1, 9.0, 9.0)]
    whole, secondary = fill(found, LABELS, [100.0, 110.0, 120.0], 10.0)
    assert (whole.target, whole.median, whole.worst, whole.answers) == (
        None,
        (0.5, None, None),
        (0.9, None, None),
        (4, 0, 0),
    )
    assert (secondary.target, secondary.median) == ("secondary", (None, None, 0.3))


def strip(*found: tuple[int, int | None, Path, int], buckets: int = 3) -> Any:
    return serve(found, LABELS, [10.0 * place for place in range(buckets)], 10.0)


def test_buckets_that_look_the_same_are_one_shape() -> None:
    made = strip((0, 0, Path.PRIMARY, 5), (1, 0, Path.PRIMARY, 7), (2, 1, Path.FILTERED, 1))
    assert shapes(made) == (
        Shape(x=0, width=2, y=0.0, height=1.0, who="p0"),
        Shape(x=2, width=1, y=0.0, height=1.0, who="p1"),
    )
    assert [(one.start, one.end, one.text) for one in spells(made)] == [(0, 20, "primary"), (20, 30, "secondary")]


def test_shares_are_stacked_from_the_primary_up() -> None:
    made = strip((0, 0, Path.PRIMARY, 3), (0, 1, Path.FAILED_OVER, 1), buckets=1)
    assert shapes(made) == (
        Shape(x=0, width=1, y=0.25, height=0.75, who="p0"),
        Shape(x=0, width=1, y=0.0, height=0.25, who="p1"),
    )
    assert spells(made)[0].text == "primary 75%, secondary 25%"


def test_one_lost_answer_among_a_thousand_is_seen() -> None:
    made = strip((0, 0, Path.PRIMARY, 999), (0, None, Path.EXHAUSTED, 1), buckets=1)
    lost = next(one for one in shapes(made) if one.who == "nobody")
    assert lost.height > 0.1


def test_time_without_answers_is_a_gap() -> None:
    made = strip((0, 0, Path.PRIMARY, 1), (2, 0, Path.PRIMARY, 1))
    assert [(one.x, one.width) for one in shapes(made)] == [(0, 1), (2, 1)]
    assert shapes(strip()) == ()


def test_who_is_not_in_the_chain_is_a_stranger() -> None:
    made = strip((0, 5, Path.FAILED_OVER, 1), (0, None, Path.WRONG_MODEL, 1), (0, 0, Path.WRONG_MODEL, 2), buckets=1)
    assert made.buckets[0].strangers == 4
    assert shares(made)[-1] == Share(who="stranger", label="a model outside the chain", share=1.0, answers=4)


@given(
    st.lists(
        st.tuples(
            st.integers(-1, 6), st.none() | st.integers(0, 3), st.sampled_from(list(Path)), st.integers(1, 10**6)
        ),
        max_size=30,
    )
)
def test_whatever_happened_every_bucket_is_filled_and_no_answer_is_lost(
    found: list[tuple[int, int | None, Path, int]],
) -> None:
    made = serve(found, LABELS, [0.0, 10.0, 20.0, 30.0, 40.0], 10.0)
    inside = [count for bucket, _, _, count in found if 0 <= bucket < 5]
    assert sum(bucket.total for bucket in made.buckets) == sum(inside)
    for one in spells(made):
        stacked = [shape for shape in shapes(made) if shape.x == one.x]
        assert sum(shape.height for shape in stacked) == pytest.approx(1, abs=0.001)
        assert all(shape.y >= -0.001 for shape in stacked)


def change(at: float, after: Health, **own: Any) -> Any:
    return transition(at=at, after=after, detail=f"why {after}", **own)


def test_an_incident_lasts_until_the_chain_is_healthy_and_is_as_bad_as_its_worst() -> None:
    changes = [
        change(40, Health.HEALTHY),
        change(20, Health.DOWN),
        change(10, Health.DEGRADED),
        change(30, Health.LIMITED),
    ]
    (one,) = troubles(changes)
    assert (one.start, one.end, one.health, one.why) == (10, 40, Health.DOWN, "why down")


def test_an_incident_that_goes_on_has_no_end() -> None:
    old, new = change(10, Health.DOWN), change(30, Health.DEGRADED)
    found = troubles([old, change(20, Health.UNKNOWN), new])
    assert [(one.start, one.end) for one in found] == [(30, None), (10, 20)]


def test_a_target_in_trouble_is_no_incident_of_the_chain() -> None:
    assert troubles([change(10, Health.DOWN, subject=Subject(chain="chat", target="primary"))]) == ()


def test_what_goes_on_stands_first() -> None:
    going = troubles([change(10, Health.DOWN)])
    entries = timeline(going, [run_view(at=50.0), run_view(at=40.0)], 2)
    assert [entry.at for entry in entries] == [10, 50]


def test_alerts_stand_with_their_incident_in_the_order_of_the_gravest() -> None:
    first, second, third = alerts()
    one = incidents()[0].model_copy(update={"alerts": (third.key, first.key), "chains": (first.chain, third.chain)})
    found = grouped([one], [first, second, third])
    assert [(group.incident, group.alerts) for group in found] == [(one, (first, third)), (None, (second,))]
    assert grouped([one], [first, second, third], first.chain) == found[:1]
    assert grouped([one], [first, second, third], "chat") == ()


@pytest.mark.anyio
async def test_the_history_of_a_chain_is_bucketed() -> None:
    async with client(site()) as http:
        found = (await http.get("/api/v1/chains/chat/history?window=1h")).json()
        assert (await http.get("/api/v1/chains/none/history")).status_code == 404
        assert (await http.get("/api/v1/chains/chat/history?window=9y")).status_code == 400
    assert (found["window"], found["step"], len(found["at"])) == ("1h", 60.0, 60)
    assert found["latency"][0]["median"][-2:] == [0.8, None]
    assert found["troubles"][0]["why"] == "primary down: timeout"
