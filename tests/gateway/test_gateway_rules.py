"""Which exchange meets a fault; that every fault ends by itself; and the control that arms them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from chaos.edits import Edit
from chaos.gateway.calls import Open
from chaos.gateway.reshaping import edited
from chaos.gateway.rule import Mark, Rule, meets
from chaos.gateway.rule_reading import read_rule
from chaos.gateway.rules import LONGEST, Rules
from chaos.model import Effect, Strike
from chaos.passing import Group
from monitor.config.model import LiveConfig
from tests.fakes.clock import FakeClock
from tests.gateway.conftest import Endpoint, Start

pytestmark = pytest.mark.anyio

NOON = 1_790_596_800.0  # 2026-09-28T12:00:00Z
STRIKE = Strike(positions=(0,), fault="unavailable")
RULE = Rule(id="a", chain="chat", drill="gone", run="run-1", strikes=(STRIKE,), until=NOON + 60, max_count=3)
LIVE = replace(RULE, live=True)
HALF = LiveConfig(percent="50%")


def mark(run: str | None = "run-1", **changes: Any) -> Mark:
    header = changes.pop("headers", {}).get
    return replace(Mark(run=run, chain="chat", position=0, header=header), **changes)


@pytest.mark.parametrize(
    ("rule", "seen", "live", "met"),
    [
        pytest.param(RULE, mark(), None, True, id="the drill's own request"),
        pytest.param(RULE, mark("run-2"), None, False, id="another drill's request"),
        pytest.param(RULE, mark(None), HALF, False, id="live traffic, of which the rule says nothing"),
        pytest.param(LIVE, mark(None), None, False, id="live traffic of a chain that is not opted in"),
        pytest.param(LIVE, mark(None), HALF, True, id="live traffic within its share"),
        pytest.param(LIVE, mark(None), LiveConfig(percent="30%"), False, id="live traffic beyond its share"),
        pytest.param(LIVE, mark(None, in_flight=5), HALF, False, id="as many as may be broken at a time"),
        pytest.param(RULE, mark(chain="other"), None, False, id="another chain"),
        pytest.param(RULE, mark(chain=None), None, False, id="no chain"),
        pytest.param(RULE, mark(position=1), None, False, id="another target"),
        pytest.param(RULE, mark(position=None), None, False, id="no target"),
        pytest.param(
            LIVE, mark(None, headers={"X-T": "a"}), LiveConfig(percent="50%", headers={"X-T": "a"}), True, id="header"
        ),
        pytest.param(
            LIVE,
            mark(None, headers={"X-T": "b"}),
            LiveConfig(percent="50%", headers={"X-T": "a"}),
            False,
            id="no header",
        ),
        pytest.param(LIVE, mark(None), LiveConfig(percent="50%", hours="09:00-17:00"), True, id="in the hours"),
        pytest.param(LIVE, mark(None), LiveConfig(percent="50%", hours="22:00-06:00"), False, id="outside the night"),
        pytest.param(LIVE, mark(None), LiveConfig(percent="50%", hours="22:00-12:01"), True, id="over midnight"),
        pytest.param(
            LIVE, mark(None), LiveConfig(percent="50%", hours="09:00-12:00"), False, id="the end is not in it"
        ),
    ],
)
def test_which_exchange_meets_a_fault(rule: Rule, seen: Mark, live: LiveConfig | None, met: bool) -> None:
    assert meets(rule, seen, live, now=NOON, draw=0.4) is met


def test_no_exchange_meets_a_fault_after_its_deadline() -> None:
    assert not meets(RULE, mark(), None, now=NOON + 60, draw=0.4)
    assert not meets(EDITING, whole(), None, now=NOON + 60, draw=0.4)


WITHOUT = Strike(positions=(0,), fault="ignore")
EDITING = replace(RULE, strikes=(WITHOUT,), edits=(Edit(kind="ignore", values=("anthropic",)),))
EDITING_LIVE = replace(EDITING, live=True, control=True)


def whole(run: str | None = "run-1", raw: bytes = b"{}", **changes: Any) -> Mark:
    """A request for the chain as it is configured."""
    return mark(run, **{"position": None, "exact": True, "edit": lambda edits: edited(raw, edits), **changes})


@pytest.mark.parametrize(
    ("rule", "seen", "live", "met"),
    [
        pytest.param(EDITING, whole(), None, True, id="the drill's own request"),
        pytest.param(EDITING, whole("run-2"), None, False, id="another drill's request"),
        pytest.param(EDITING, whole(exact=False), None, False, id="other models than the chain's"),
        pytest.param(EDITING, whole(chain="other"), None, False, id="another chain"),
        pytest.param(EDITING, whole(None), HALF, False, id="live traffic, of which the rule says nothing"),
        pytest.param(EDITING_LIVE, whole(None), None, False, id="live traffic of a chain that is not opted in"),
        pytest.param(EDITING_LIVE, whole(None), HALF, True, id="live traffic within its share"),
        pytest.param(EDITING_LIVE, whole(None), LiveConfig(percent="30%"), False, id="beyond its share"),
        pytest.param(EDITING_LIVE, whole(None, in_flight=5), HALF, False, id="as many as may be at a time"),
        pytest.param(EDITING_LIVE, whole(None, exact=False), HALF, False, id="live, other models"),
        pytest.param(
            EDITING_LIVE, whole(None), LiveConfig(percent="50%", hours="22:00-06:00"), False, id="outside the hours"
        ),
        pytest.param(
            EDITING_LIVE, whole(None), LiveConfig(percent="50%", headers={"X-T": "a"}), False, id="without the header"
        ),
        pytest.param(RULE, whole(), None, False, id="a rule for requests that name one target"),
    ],
)
def test_which_request_for_a_whole_chain_is_changed(rule: Rule, seen: Mark, live: LiveConfig | None, met: bool) -> None:
    assert meets(rule, seen, live, now=NOON, draw=0.4) is met


async def test_a_request_is_changed_and_counted_until_the_rule_ends() -> None:
    clock = FakeClock(NOON)
    table = rules(clock)
    table.arm(EDITING)
    struck = table.strike(whole())
    assert struck is not None
    assert (struck.body, struck.gone) == (b'{"provider": {"ignore": ["anthropic"]}}', (0,))
    assert struck.effect == Effect()
    assert table.course("a")[0] == {0: 1}
    clock.advance(61)
    assert table.strike(whole()) is None
    assert not table


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (whole(raw=b"["), "is no JSON object"),
        (whole(exact=False), "does not ask for the chain as it is configured"),
        (mark(position=None, exact=True), "has no body"),
    ],
)
async def test_what_cannot_be_changed_passes_uncounted_and_says_why(seen: Mark, why: str) -> None:
    table = rules(FakeClock(NOON))
    table.arm(EDITING)
    assert table.strike(seen) is None
    assert why in table.spared("chat")
    assert table.spared("other") == ""
    assert table.listed()[0][1] == 0
    assert table.strike(whole()) is not None
    assert table.spared("chat") == ""


async def test_the_control_group_holds_nothing_that_could_not_have_been_changed() -> None:
    table = rules(FakeClock(NOON), chat=LiveConfig(percent="50%", max_in_flight=1000))
    table.arm(replace(EDITING_LIVE, max_count=1000))

    def group(raw: bytes) -> Group:
        call = Open(id="c", position=None, at=NOON)
        table.strike(whole(None, raw=raw, call=call))
        return call.group

    assert {group(b"[]") for _ in range(100)} == {Group.OTHER}
    assert {group(b"{}") for _ in range(100)} == {Group.BROKEN, Group.CONTROL}


async def test_of_a_cascade_only_what_strikes_now_is_changed() -> None:
    table = rules(FakeClock(NOON))
    late = replace(WITHOUT, positions=(1,), after_requests=1)
    table.arm(replace(EDITING, strikes=(WITHOUT, late), edits=(*EDITING.edits, Edit(kind="only", values=("azure",)))))
    struck = [table.strike(whole()) for _ in range(2)]
    assert [one and one.gone for one in struck] == [(0,), (0, 1)]
    assert [one and one.body for one in struck] == [
        b'{"provider": {"ignore": ["anthropic"]}}',
        b'{"provider": {"ignore": ["anthropic"], "only": ["azure"]}}',
    ]


def rules(clock: FakeClock, **live: LiveConfig) -> Rules:
    return Rules({"chat": 2}, live, clock)


async def test_a_rule_ends_by_its_count() -> None:
    clock = FakeClock(NOON)
    table = rules(clock)
    table.arm(RULE)
    assert [table.strike(mark()) is not None for _ in range(5)] == [True, True, True, False, False]


async def test_a_rule_ends_by_its_deadline_with_nobody_there_to_end_it() -> None:
    clock = FakeClock(NOON)
    table = rules(clock)
    table.arm(RULE)
    clock.advance(61)
    assert table.strike(mark()) is None
    assert not table


async def test_what_a_rule_holds_up_goes_on_when_it_is_released() -> None:
    clock = FakeClock(NOON)
    table = rules(clock)
    table.arm(replace(RULE, strikes=(replace(STRIKE, fault="silent"),)))
    struck = table.strike(mark())
    assert struck is not None
    assert table.release("a")
    await struck.hold()
    assert not table.release("a")


@pytest.mark.parametrize("walked", [False, True])
async def test_at_most_so_many_live_exchanges_are_broken_at_a_time(walked: bool) -> None:
    table = rules(FakeClock(NOON), chat=LiveConfig(percent="100%", max_in_flight=1))
    table.arm(replace(EDITING, live=True) if walked else LIVE)
    seen = whole(None) if walked else mark(None)
    first = table.strike(seen)
    assert first is not None
    assert table.strike(seen) is None
    first.end()
    assert table.strike(seen) is not None


async def test_live_traffic_is_left_alone_until_the_rule_is_opened() -> None:
    table = rules(FakeClock(NOON), chat=LiveConfig(percent="100%"))
    table.arm(replace(LIVE, waits=True, max_count=10))
    early = Open(id="c", position=0, at=NOON)
    assert table.strike(mark(None, call=early)) is None
    assert table.strike(mark()) is not None  # the drill's own request meets it at once
    assert table.open("a")
    assert table.open("a")
    assert not table.open("b")
    assert table.strike(mark(None)) is not None
    assert table.strike(mark(None, call=early)) is None  # a call that began whole stays whole
    assert table.course("a")[0] == {0: 2}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chain": "other"}, "is no chain of this gateway"),
        ({"strikes": (replace(STRIKE, positions=(2,)),)}, "targets 0 to 1"),
        ({"strikes": (replace(STRIKE, positions=()),)}, "targets 0 to 1"),
        ({"strikes": ()}, "targets 0 to 1"),
        ({"until": NOON}, "until must lie ahead"),
        ({"until": NOON + LONGEST + 1}, "no more than 3600 s"),
        ({"max_count": 0}, "max_count must be from 1"),
        ({"strikes": (replace(STRIKE, fault="unavailabel"),)}, 'did you mean "unavailable"'),
        ({"strikes": (replace(STRIKE, options={"speed": 1.0}),)}, 'no options, so "speed" cannot be set'),
        ({"live": True}, "not opted in to live traffic"),
        ({"edits": EDITING.edits * 2}, "edits: one for each of the 1 strikes"),
    ],
)
async def test_a_rule_that_may_not_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rules(FakeClock(NOON)).arm(replace(RULE, **changes))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "write a JSON object"),
        ([], "write a JSON object"),
        ({"id": "a", "speed": 1}, "unknown: speed"),
        ({}, "id: a text"),
        ({**dict.fromkeys(("id", "chain", "drill", "run", "fault"), "x"), "positions": 0}, "positions: a list"),
        (
            {**dict.fromkeys(("id", "chain", "drill", "run", "fault"), "x"), "positions": [True]},
            "positions: a list",
        ),
    ],
)
def test_a_body_that_is_no_rule_is_told_why(body: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_rule(body)


@pytest.mark.parametrize(
    ("strikes", "why"),
    [
        ([], "strikes: a list of one or more"),
        ("x", "strikes: a list of one or more"),
        ([3], "a strike is an object of positions, fault"),
        ([{"positions": [0], "fault": "cut", "when": 1}], "unknown: when; known are positions"),
        ([{"positions": [0], "fault": "cutt"}], '"cutt" is not a fault; did you mean "cut"?'),
        ([{"positions": [0], "fault": "cut", "shape": "flap"}], '"flap" is not a shape; did you mean "flapping"?'),
        ([{"positions": [0], "fault": "cut", "after_seconds": -1}], "after_seconds: a number from 0"),
        ([{"positions": [0], "fault": "cut", "options": 3}], "options: an object of numbers"),
    ],
)
def test_strikes_that_are_none_are_told_why(strikes: object, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_rule({**dict.fromkeys(("id", "chain", "drill", "run"), "x"), "strikes": strikes})


def test_a_rule_that_changes_requests_is_read() -> None:
    head = {**dict.fromkeys(("id", "chain", "drill", "run"), "x"), "until": NOON, "max_count": 1}
    strike = {"positions": [0], "fault": "max_price"}
    rule = read_rule({**head, "strikes": [strike], "edits": [{"kind": "max_price", "values": ["prompt", "0.5"]}]})
    assert rule.edits == (Edit(kind="max_price", values=("prompt", "0.5")),)
    assert rule.strikes[0].shape == "always"
    for edits in (3, [3]):
        with pytest.raises(ValueError, match="edits: a list of objects"):
            read_rule({**head, **strike, "edits": edits})
    with pytest.raises(ValueError, match='"max_price" is not a fault'):
        read_rule({**head, **strike})


def test_a_rule_is_read_in_both_forms() -> None:
    head = {**dict.fromkeys(("id", "chain", "drill", "run"), "x"), "until": NOON, "max_count": 1}
    strike = {"positions": [0], "fault": "delay", "options": {"seconds": 2}, "shape": "first_n"}
    rule = read_rule({**head, **strike})
    assert rule == read_rule({**head, "strikes": [strike]})
    (one,) = rule.strikes
    assert (one.options, one.shape_options) == ({"seconds": 2.0, "jitter": 0.1}, {"n": 2.0})


async def test_a_rule_of_several_strikes_says_what_met_which() -> None:
    table = rules(FakeClock(NOON))
    late = replace(STRIKE, positions=(1,), fault="reset", after_requests=1)
    table.arm(replace(RULE, strikes=(STRIKE, late), max_count=10))
    seen = [table.strike(mark(position=position)) is not None for position in (0, 1, 0, 1)]
    assert seen == [True, False, True, True]
    assert table.course("a")[0] == {0: 2, 1: 1}


async def test_who_cannot_see_is_only_met_by_a_question_with_a_picture() -> None:
    table = rules(FakeClock(NOON))
    table.arm(replace(RULE, strikes=(replace(STRIKE, fault="blind"),)))
    text = {"messages": [{"role": "user", "content": "hi"}]}
    picture = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}
    met = [table.strike(mark(body=lambda body=body: body)) is not None for body in (text, picture, None)]
    assert met == [False, True, True]


async def test_faults_are_armed_listed_and_released_by_the_control(start: Start, endpoint: Endpoint) -> None:
    passing = await start(endpoint.url)
    control = passing.gateway.control_url
    rule = {
        "id": "a", "chain": "chat", "drill": "gone", "run": "r", "fault": "unavailable", "positions": [0],
        "until": passing.gateway._clock.now() + 30, "max_count": 5,
    }  # fmt: skip
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{control}/rules", json=rule) as answer:
            assert answer.status == 201
        headers = {"X-Fallbackd-Drill": "r", "X-Fallbackd-Chain": "chat", "X-Fallbackd-Position": "0"}
        async with session.post(f"{passing.base}/x", data=b"{}", headers=headers) as answer:
            assert (answer.status, answer.headers["X-Fallbackd-Injected"]) == (503, "a")
        async with session.get(f"{control}/rules") as answer:
            assert [one["count"] for one in (await answer.json())["rules"]] == [1]
        for name, opened in (("a", 1), ("b", 0)):
            async with session.post(f"{control}/rules/{name}/open") as answer:
                assert await answer.json() == {"opened": opened}
        async with session.delete(f"{control}/rules/a") as answer:
            assert await answer.json() == {"released": 1}
        async with session.get(control) as answer:
            assert (await answer.json())["rules"] == 0
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{", 422),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, b"{}", 403),
        ({"Content-Type": "application/json", "Host": "evil.example"}, b"{}", 403),
    ],
)
async def test_the_control_takes_nothing_from_a_web_page(
    start: Start, endpoint: Endpoint, headers: dict[str, str], body: bytes, status: int
) -> None:
    passing = await start(endpoint.url)
    url = f"{passing.gateway.control_url}/rules"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        assert answer.status == status
        assert json.loads(await answer.read())["error"]["message"]
