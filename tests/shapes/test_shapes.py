"""Each shape as a pure decision, and the strikes of an injection as requests come."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chaos.shapes
from chaos.faults import FAULTS
from chaos.faults.together import together
from chaos.model import Effect, Moment, Shape, Strike, Unit
from chaos.shapes import SHAPES, resolve, words
from chaos.striking import Striking

SINCE = 1000.0


def course(name: str, moments: list[tuple[int, float]], seed: int = 1, **options: float) -> list[bool]:
    """Whether the fault strikes at each (number, seconds since it began)."""
    complete, rng = resolve(name, options), Random(seed)
    return [
        SHAPES[name].decide(complete, Moment(number=number, elapsed=elapsed), rng).strikes
        for number, elapsed in moments
    ]


def numbers(count: int) -> list[tuple[int, float]]:
    return [(number, 0.0) for number in range(count)]


def times(*seconds: float) -> list[tuple[int, float]]:
    return list(enumerate(seconds))


def test_every_file_of_the_folder_is_in_the_list() -> None:
    files = {module.name for module in pkgutil.iter_modules(chaos.shapes.__path__)}
    assert files == set(SHAPES)
    for name in files:
        shape = import_module(f"chaos.shapes.{name}").SHAPE
        assert isinstance(shape, Shape)
        assert SHAPES[name] is shape, "a shape is named as its file"


def test_always_meets_every_request() -> None:
    assert course("always", numbers(5)) == [True] * 5


def test_the_first_n() -> None:
    assert course("first_n", numbers(5), n=2) == [True, True, False, False, False]


def test_every_nth() -> None:
    assert course("every_nth", numbers(7), n=3) == [False, False, True, False, False, True, False]


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.3, 250, 350), (1.0, 1000, 1000)])
def test_probability_meets_about_its_share(share: float, least: int, most: int) -> None:
    assert least <= sum(course("probability", numbers(1000), share=share)) <= most


@pytest.mark.parametrize(
    ("options", "moments"),
    [
        ({"step": 10.0}, [[(n, 10.0 * step + 0.005 * n) for n in range(1000)] for step in range(5)]),
        ({"requests": 1000}, [[(1000 * step + n, 0.0) for n in range(1000)] for step in range(5)]),
    ],
    ids=["by time", "by requests"],
)
def test_a_ramp_rises_in_four_steps(options: dict[str, float], moments: list[list[tuple[int, float]]]) -> None:
    shares = [sum(course("ramp", step, **options)) / 1000 for step in moments]
    assert shares == [
        pytest.approx(0.1, abs=0.04), pytest.approx(0.25, abs=0.06), pytest.approx(0.5, abs=0.06), 1.0, 1.0,
    ]  # fmt: skip


def test_a_window_begins_and_ends() -> None:
    moments = times(0, 4.9, 5, 14.9, 15, 60)
    assert course("window", moments, start=5, length=10) == [False, False, True, True, False, False]


def test_flapping_is_down_first_and_then_in_turns() -> None:
    moments = times(0, 2.9, 3, 4.9, 5, 7.9, 8)
    assert course("flapping", moments, down=3, up=2) == [True, True, False, False, True, True, False]


@given(
    name=st.sampled_from(sorted(SHAPES)),
    moments=st.lists(st.tuples(st.integers(0, 50), st.floats(0, 200)), max_size=30),
    seed=st.integers(0, 99),
)
def test_a_shape_repeats_from_its_seed_and_says_why(name: str, moments: list[tuple[int, float]], seed: int) -> None:
    assert course(name, moments, seed) == course(name, moments, seed)
    for number, elapsed in moments:
        moment = Moment(number=number, elapsed=elapsed)
        assert SHAPES[name].decide(resolve(name, {}), moment, Random(seed)).because


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_a_meaning_and_defaults_within_bounds(name: str) -> None:
    assert SHAPES[name].meaning
    for option in SHAPES[name].options.values():
        assert option.low <= option.default <= option.high
        assert option.unit in Unit


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("every_nht", {}, '"every_nht" is not a shape; did you mean "every_nth"?'),
        ("always", {"n": 1}, 'always has no options, so "n" cannot be set'),
        ("every_nth", {"m": 1}, 'every_nth has no option "m"; choose from n'),
        ("every_nth", {"n": 0}, "n of every_nth is 0, but must be from 1 to 10000"),
        ("probability", {"share": 1.5}, "share of probability is 1.5, but must be from 0 to 1"),
    ],
)
def test_a_wrong_name_or_option_is_named_with_the_choices(name: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        resolve(name, options)


@pytest.mark.parametrize(
    ("strike", "told"),
    [
        ({}, ""),
        ({"after_requests": 2}, "after 2 requests"),
        ({"shape": "every_nth", "shape_options": {"n": 3}}, "one request in 3"),
        ({"after_seconds": 90.0, "shape": "first_n", "shape_options": {"n": 2}}, "after 1m30s, the first 2 requests"),
        ({"shape": "probability", "shape_options": {"share": 0.3}}, "30% of requests"),
        ({"shape": "window", "shape_options": {"start": 5.0, "length": 10.0}}, "from 5s to 15s"),
        ({"shape": "flapping", "shape_options": {"down": 3.0, "up": 2.0}}, "3s down, 2s up, in turns"),
    ],
)
def test_when_a_fault_strikes_is_told_in_words(strike: dict[str, object], told: str) -> None:
    assert words(Strike(positions=(0,), fault="refused", **strike)) == told  # type: ignore[arg-type]


def one(positions: tuple[int, ...] = (0,), fault: str = "refused", **more: object) -> Strike:
    options = {"options": {name: option.default for name, option in FAULTS[fault].options.items()}}
    return Strike(positions=positions, fault=fault, **{**options, **more})  # type: ignore[arg-type]


def asked(striking: Striking, *requests: tuple[int, float]) -> list[bool]:
    """Whether each request, for a position at a time since the break, met a fault."""
    return [striking.effect(position, SINCE + at, lambda _: True) is not None for position, at in requests]


def test_a_cascade_breaks_the_second_target_after_so_many_requests_for_it() -> None:
    striking = Striking([one(), one((1,), after_requests=2)], since=SINCE, rng=Random(1))
    assert asked(striking, *[(0, 0.0), (1, 0.0)] * 4) == [True, False, True, False, True, True, True, True]
    assert striking.met == {0: 4, 1: 2}


def test_a_cascade_by_time_counts_the_shape_from_its_own_beginning() -> None:
    late = one((1,), after_seconds=10.0, shape="first_n", shape_options={"n": 2})
    striking = Striking([late], since=SINCE, rng=Random(1))
    requests = [(1, 0.0), (1, 9.9), (1, 10.0), (1, 11.0), (1, 12.0)]
    assert asked(striking, *requests) == [False, False, True, True, False]


def test_time_after_a_number_of_requests_counts_from_the_first_that_it_could_meet() -> None:
    late = one(after_requests=1, shape="flapping", shape_options={"down": 5.0, "up": 5.0})
    striking = Striking([late], since=SINCE, rng=Random(1))
    assert asked(striking, (0, 0.0), (0, 7.0), (0, 11.9), (0, 12.1), (0, 17.1)) == [False, True, True, False, True]


def test_two_faults_on_one_target_strike_together() -> None:
    slow = one(fault="delay", options={"seconds": 3.0, "jitter": 0.0})
    striking = Striking([slow, one(fault="unavailable")], since=SINCE, rng=Random(1))
    effect = striking.effect(0, SINCE, lambda _: True)
    assert effect is not None
    assert effect.delay > 0
    assert effect.error is not None
    assert striking.met == {0: 1}


def test_what_a_fault_has_nothing_to_do_with_is_not_counted() -> None:
    striking = Striking([one(shape="first_n", shape_options={"n": 1})], since=SINCE, rng=Random(1))
    assert striking.effect(0, SINCE, lambda _: False) is None
    assert striking.effect(0, SINCE, lambda _: True) is not None


def test_a_request_for_all_targets_meets_every_strike_that_is_due() -> None:
    striking = Striking([one(), one((1, 2), after_requests=1)], since=SINCE, rng=Random(1))
    assert [striking.falling(SINCE) for _ in range(2)] == [(0,), (0, 1)]
    assert striking.met == {0: 2, 1: 1, 2: 1}


def test_of_two_effects_waits_add_up_and_the_first_word_counts() -> None:
    made = together([Effect(delay=1.0, cut_after=2), Effect(delay=2.0, cut_after=5, rewrite="starved")])
    assert made == Effect(delay=3.0, cut_after=2, rewrite="starved")
    assert together([]) == Effect()
