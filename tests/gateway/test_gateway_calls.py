"""Which requests of an application are one call, and that a call shares one fate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.gateway.calls import Calls, Open, end, is_new, key_of
from chaos.gateway.rule import Mark, Rule, group_of
from chaos.gateway.rules import Rules
from chaos.gateway.watches import Watch, Watches, read_watch
from chaos.model import Strike
from chaos.passing import Group
from monitor.config.model import LiveConfig
from tests.fakes.clock import FakeClock

NOON = 1_790_596_800.0  # 2026-09-28T12:00:00Z
RULE = Rule(
    id="a", chain="chat", drill="gone", run="run-1", strikes=(Strike(positions=(0,), fault="unavailable"),),
    until=NOON + 60, max_count=1000, live=True, percent=0.2, control=True,
)  # fmt: skip
LIVE = LiveConfig(percent="100%", max_in_flight=1000)


def mark(call: Open | None = None, **changes: object) -> Mark:
    return replace(Mark(run=None, chain="chat", position=0, header={}.get, call=call), **changes)


@pytest.mark.parametrize(
    ("last", "position", "retry", "new"),
    [
        ({"ok": True}, 0, None, True),
        ({"ok": False}, 0, None, False),
        ({"ok": False}, 1, 0, False),
        ({"ok": False, "at": NOON - 500}, 0, None, True),
        ({"in_flight": 1}, 0, None, True),  # the same question twice at a time
        ({"in_flight": 1}, 0, 0, True),
        ({"in_flight": 1}, 0, 1, False),  # the client says that it is a retry
        ({"in_flight": 1}, 1, 0, False),  # it gave up waiting and moves on
    ],
)
def test_a_question_that_is_repeated_belongs_to_the_call_that_is_not_answered(
    last: dict[str, object], position: int, retry: int | None, new: bool
) -> None:
    before = Open(**{"id": "c", "position": 0, "at": NOON - 1, **last})  # type: ignore[arg-type]  # of the table
    assert is_new(before, position=position, retry=retry, now=NOON) is new


def test_calls_are_kept_apart_by_what_they_ask() -> None:
    calls = Calls()
    first = calls.begin("a", position=0, retry=None, now=NOON)
    assert calls.begin("b", position=0, retry=None, now=NOON) is not first
    end(first, ok=False, now=NOON)
    assert calls.begin("a", position=1, retry=0, now=NOON) is first
    end(first, ok=True, now=NOON)
    assert calls.begin("a", position=0, retry=None, now=NOON) is not first


def test_a_question_that_comes_again_anyhow_is_no_retry_of_itself() -> None:
    calls = Calls()
    for _ in range(2):  # asked again though it had its answer
        end(calls.begin("a", position=0, retry=0, now=NOON), ok=True, now=NOON)
    first = calls.begin("a", position=0, retry=0, now=NOON)
    end(first, ok=False, now=NOON)
    assert calls.begin("a", position=0, retry=1, now=NOON) is first
    end(first, ok=False, now=NOON)
    assert calls.begin("a", position=1, retry=0, now=NOON) is first
    end(first, ok=False, now=NOON)
    assert calls.begin("a", position=0, retry=0, now=NOON) is not first


def test_a_question_is_the_same_for_another_model_and_leaves_nothing_of_itself() -> None:
    one = {"model": "a", "messages": [{"content": "secret"}], "stream": True}
    assert key_of(b"1", one, None) == key_of(b"2", {**one, "model": "b", "stream": False}, None)
    assert key_of(b"1", one, None) != key_of(b"1", {**one, "messages": []}, None)
    assert "secret" not in key_of(b"1", one, None)
    assert key_of(b"1", one, "mine") == key_of(b"2", {}, "mine")
    assert key_of(b"1", None, None) != key_of(b"2", None, None)


@pytest.mark.parametrize(
    ("draw", "group"), [(0.1, Group.BROKEN), (0.3, Group.CONTROL), (0.5, Group.OTHER), (0.2, Group.CONTROL)]
)
def test_both_groups_come_from_one_draw(draw: float, group: Group) -> None:
    assert group_of(RULE, mark(), LIVE, now=NOON, draw=draw) is group


def test_the_config_allows_less_and_a_control_group_needs_its_half() -> None:
    assert group_of(RULE, mark(), LiveConfig(percent="10%"), now=NOON, draw=0.15) is Group.CONTROL
    greedy = replace(RULE, percent=None)
    assert group_of(greedy, mark(), LIVE, now=NOON, draw=0.6) is Group.CONTROL
    assert group_of(replace(RULE, control=False), mark(), LIVE, now=NOON, draw=0.3) is Group.OTHER
    assert group_of(RULE, mark(), LiveConfig(percent="50%", hours="13:00-14:00"), now=NOON, draw=0.1) is Group.OTHER


def test_the_groups_are_equally_large_and_repeat_from_the_seed() -> None:
    def groups() -> list[Group]:
        table = Rules({"chat": 2}, {"chat": LIVE}, FakeClock(NOON))
        table.arm(RULE)
        calls = [Open(id=str(number), position=0, at=NOON) for number in range(1000)]
        for call in calls:
            table.strike(mark(call))
        return [call.group for call in calls]

    found = groups()
    assert found == groups()
    assert 150 < found.count(Group.BROKEN) < 250
    assert 150 < found.count(Group.CONTROL) < 250


def test_a_retry_shares_the_fate_of_its_call_and_a_fallback_is_the_drills() -> None:
    table = Rules({"chat": 2}, {"chat": LIVE}, FakeClock(NOON))
    table.arm(RULE)
    for number in range(200):
        call = Open(id=str(number), position=0, at=NOON)
        met = table.strike(mark(call)) is not None
        assert [table.strike(mark(call)) is not None for _ in range(3)] == [met] * 3
        assert table.strike(mark(call, position=1)) is None
        assert call.drill == ("gone" if met else None)


def test_the_mark_of_another_run_draws_nothing() -> None:
    table = Rules({"chat": 2}, {"chat": LIVE}, FakeClock(NOON))
    table.arm(replace(RULE, percent=1.0, control=False))
    call = Open(id="c", position=0, at=NOON)
    assert table.strike(mark(call, run="run-2")) is None
    assert call.group is Group.OTHER
    assert table.strike(mark(Open(id="d", position=0, at=NOON), run="run-1")) is not None


def test_a_watch_ends_by_itself() -> None:
    clock = FakeClock(NOON)
    watches = Watches(clock)
    watches.begin(Watch(run="r", chain="chat", until=NOON + 5))
    assert watches.passed("r", 0) == (0, ())
    clock.advance(6)
    assert watches.passed("r", 0) is None
    assert not watches
    with pytest.raises(ValueError, match="until must lie ahead"):
        watches.begin(Watch(run="r", chain="chat", until=NOON))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "write a JSON object of run, chain, until, nonce"),
        ({"run": "r", "chain": "c", "until": 1, "more": 1}, "write a JSON object"),
        ({"run": "", "chain": "c", "until": 1}, "run: a text"),
        ({"run": "r", "chain": "c"}, "until: a number is needed"),
        ({"run": "r", "chain": "c", "until": 1, "nonce": "n"}, "nonce: a text of 8 to 100"),
    ],
)
def test_a_watch_that_makes_no_sense_is_refused(body: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_watch(body)
