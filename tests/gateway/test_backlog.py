"""What a gateway keeps for a daemon: each outcome once, in order, whoever starts anew; nothing without bound."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.backlog import Backlog, dump_page, read_page
from monitor.model import Origin
from tests.fakes.values import outcome

ONES = [outcome(id=f"o{number}", origin=Origin.LIVE) for number in range(40)]


def backlog(count: int, *, kept: int = 100, page: int = 100) -> Backlog:
    made = Backlog(kept, page)
    for one in ONES[:count]:
        made.add(one)
    return made


def ids(found: object) -> list[str]:
    return [one.id for one in found.outcomes]  # type: ignore[attr-defined]  # a page


def test_who_asks_for_the_first_time_gets_what_is_kept_and_has_lost_nothing() -> None:
    page = backlog(10, kept=4).page("", 0)
    assert (ids(page), page.next, page.lost, page.more) == (["o6", "o7", "o8", "o9"], 10, 0, False)


def test_who_comes_too_late_is_told_how_many_went_by() -> None:
    made = backlog(2, kept=4)
    first = made.page("", 0)
    for one in ONES[2:10]:
        made.add(one)
    page = made.page(first.of, first.next)
    assert (ids(page), page.lost) == (["o6", "o7", "o8", "o9"], 4)


def test_a_gateway_that_was_started_anew_is_read_from_its_beginning() -> None:
    page = backlog(3).page("another run", 2)
    assert (ids(page), page.next, page.lost) == (["o0", "o1", "o2"], 3, 0)


@pytest.mark.parametrize("after", [-1, 7])
def test_a_number_that_was_never_given_is_none(after: int) -> None:
    made = backlog(3)
    assert ids(made.page(made.of, after)) == ["o0", "o1", "o2"]


@given(steps=st.lists(st.integers(0, 5), max_size=8), page=st.integers(1, 7))
def test_each_is_read_once_and_in_order_however_they_come(steps: list[int], page: int) -> None:
    made, read, place, come = Backlog(100, page), [], ("", 0), 0
    for step in steps:
        for one in ONES[come : come + step]:
            made.add(one)
        come += step
        more = True
        while more:
            found = made.page(*place)
            read += ids(found)
            place, more = (found.of, found.next), found.more
    assert read == [one.id for one in ONES[:come]]


def test_a_page_is_the_same_after_its_way() -> None:
    made = Backlog()
    made.add(outcome(id="o1", origin=Origin.LIVE, duration=math.inf))
    made.add(outcome(id="o2", origin=Origin.LIVE, detail="é says the provider"))
    page = made.page("", 0)
    assert read_page(dump_page(page)) == page


def test_half_a_character_does_not_end_the_reading() -> None:
    made = backlog(2)
    made.add(outcome(id="o3", origin=Origin.LIVE, detail="\ud800 says the provider"))
    read = read_page(dump_page(made.page("", 0)))
    assert read is not None
    assert [one.detail for one in read.outcomes] == ["", "", "? says the provider"]
