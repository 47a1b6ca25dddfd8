"""What nobody wants to hear of, and when: silences, maintenance windows, daylight-saving changes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.alerting import DecisionReason, Silence, dump_silence, load_silence
from monitor.alerting.silences import is_open, silenced
from monitor.config.model import AlertsFile, WindowConfig
from monitor.model import NoticeCause, NoticeState, Severity
from tests.rules.test_alerting import Watch, alerts, condition

R = DecisionReason
LONG = 1e9


def silence(**changed) -> Silence:
    plain = {"id": "s1", "chain": "chat", "alert": None, "starts": 100.0, "ends": 200.0, "why": "why", "by": "me"}
    return Silence(**{**plain, **changed})


def window(**changed) -> WindowConfig:
    return WindowConfig.model_validate({"from": "22:00", "to": "23:30", "zone": "Europe/Berlin", **changed})


def at(text: str, zone: str = "Europe/Berlin") -> float:
    """``2026-03-29 01:59`` on the clocks of the zone; with ``*`` behind it, the second time that they show it."""
    wall = datetime.fromisoformat(text.rstrip("*"))
    return wall.replace(tzinfo=ZoneInfo(zone), fold=int(text.endswith("*"))).timestamp()


@pytest.mark.parametrize(
    ("held", "chain", "alert", "now", "expected"),
    [
        (silence(), "chat", "down", 150.0, True),
        (silence(), "other", "down", 150.0, False),
        (silence(alert="down"), "chat", "down", 150.0, True),
        (silence(alert="down"), "chat", "rate", 150.0, False),
        (silence(), "chat", "down", 99.9, False),
        (silence(), "chat", "down", 100.0, True),
        (silence(), "chat", "down", 199.9, True),
        (silence(), "chat", "down", 200.0, False),
    ],
)
def test_what_a_silence_covers(held, chain, alert, now, expected):
    assert silenced(chain, alert, [held], [], now) is expected


@pytest.mark.parametrize(
    ("settings", "chain", "alert", "expected"),
    [
        ({}, "chat", "down", True),
        ({"chains": ("chat",)}, "chat", "down", True),
        ({"chains": ("other",)}, "chat", "down", False),
        ({"alerts": ("down",)}, "chat", "down", True),
        ({"alerts": ("rate",)}, "chat", "down", False),
        ({"chains": ("chat",), "alerts": ("rate",)}, "chat", "down", False),
    ],
)
def test_what_a_window_is_for(settings, chain, alert, expected):
    assert silenced(chain, alert, [], [window(**settings)], at("2026-11-24 22:30")) is expected


@pytest.mark.parametrize(
    ("settings", "moment", "expected"),
    [
        ({}, "2026-11-24 21:59", False),
        ({}, "2026-11-24 22:00", True),
        ({}, "2026-11-24 23:29", True),
        ({}, "2026-11-24 23:30", False),
        # 2026-11-24 is a Tuesday.
        ({"days": ("tue",)}, "2026-11-24 22:30", True),
        ({"days": ("mon", "wed")}, "2026-11-24 22:30", False),
        # Over midnight: it belongs to the day on which it begins.
        ({"to": "02:00", "days": ("tue",)}, "2026-11-25 01:59", True),
        ({"to": "02:00", "days": ("tue",)}, "2026-11-25 02:00", False),
        ({"to": "02:00", "days": ("tue",)}, "2026-11-24 01:59", False),
        ({"to": "02:00", "days": ("wed",)}, "2026-11-25 01:59", False),
        ({"from": "00:00", "to": "24:00", "days": ("tue",)}, "2026-11-24 23:59", True),
        ({"from": "00:00", "to": "24:00", "days": ("tue",)}, "2026-11-25 00:00", False),
        # Spring: on 2026-03-29 the clocks go from 01:59 to 03:00.
        ({"from": "01:00", "to": "02:30"}, "2026-03-29 01:59", True),
        ({"from": "01:00", "to": "02:30"}, "2026-03-29 03:00", False),
        ({"from": "02:30", "to": "04:00"}, "2026-03-29 01:59", False),
        ({"from": "02:30", "to": "04:00"}, "2026-03-29 03:00", True),
        ({"from": "02:30", "to": "04:00"}, "2026-03-29 03:59", True),
        ({"from": "02:10", "to": "02:50"}, "2026-03-29 03:00", False),
        ({"from": "02:10", "to": "02:50"}, "2026-03-29 01:59", False),
        # Autumn: on 2026-10-25 the clocks show 02:00 to 02:59 twice.
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:14", False),
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:15", True),
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:50", True),
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:14*", True),
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:44*", True),
        ({"from": "02:15", "to": "02:45"}, "2026-10-25 02:45*", False),
        ({"from": "22:00", "to": "23:30"}, "2026-03-29 22:00", True),
        ({"from": "22:00", "to": "23:30"}, "2026-10-25 22:00", True),
        ({"from": "22:00", "to": "23:30"}, "2026-10-25 21:59", False),
    ],
)
def test_a_window_follows_the_clocks_of_its_zone(settings, moment, expected):
    assert is_open(window(**settings), at(moment)) is expected


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("UTC", "2026-03-29 22:00", True),
        ("America/New_York", "2026-03-08 22:00", True),
        ("America/New_York", "2026-03-08 21:59", False),
        ("Australia/Lord_Howe", "2026-04-05 22:00", True),  # half an hour of summer time
        ("Asia/Kathmandu", "2026-06-01 23:29", True),
    ],
)
def test_any_zone_will_do(zone, moment, expected):
    assert is_open(window(zone=zone), at(moment, zone)) is expected


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"zone": "Europe/Atlantis"}, "no time zone has this name"),
        ({"zone": "../etc"}, "no time zone has this name"),
        ({"to": "22:00"}, "from and to are the same"),
        ({"from": "24:00"}, "pattern"),
        ({"from": "7:00"}, "pattern"),
        ({"days": ("monday",)}, "'mon', 'tue'"),
    ],
)
def test_a_window_that_cannot_be_is_a_mistake(settings, sentence):
    with pytest.raises(ValidationError, match=sentence):
        window(**settings)


class Silent(Watch):
    """As ``Watch``, with silences."""

    def __init__(self, *silences: Silence, file: AlertsFile | None = None) -> None:
        super().__init__(file)
        self.silences = silences


def test_nothing_is_told_while_silenced_and_what_still_fires_is_told_afterwards():
    watch = Silent(silence())
    assert watch.reasons(150.0, condition()) == [R.SILENCED]
    assert watch.notices == []
    assert watch.alerts["down:chat"].since == 150.0
    assert watch.reasons(200.0, condition()) == [R.FIRST]
    assert [notice.since for notice in watch.notices] == [150.0]


def test_what_was_told_before_a_silence_and_still_fires_after_it_is_told_again():
    watch = Silent(silence())
    watch.at(50.0, condition())
    assert watch.reasons(150.0, condition(matters=("worse",))) == [R.SILENCED]
    assert watch.reasons(150.0 + 1, condition()) == [R.SILENCED]
    assert watch.reasons(200.0, condition()) == [R.SILENCE_OVER]
    assert watch.reasons(201.0, condition()) == [R.NOT_DUE]
    assert [notice.cause for notice in watch.notices] == [NoticeCause.FIRST, NoticeCause.REPEAT_DUE]


def test_the_end_of_what_was_told_before_is_told_in_a_silence_too():
    watch = Silent(silence())
    watch.at(50.0, condition())
    watch.at(150.0, condition())
    assert watch.reasons(160.0) == [R.RESOLVED]
    assert [notice.state for notice in watch.notices] == [NoticeState.FIRING, NoticeState.RESOLVED]
    assert not watch.incident().silenced


def test_what_began_and_ended_in_a_silence_is_never_told():
    watch = Silent(silence())
    watch.at(150.0, condition())
    assert watch.reasons(160.0) == [R.RESOLVED_QUIETLY]
    watch.at(300.0)
    assert watch.notices == []


def test_a_silenced_outage_does_not_hide_what_is_not_silenced():
    watch = Silent(silence(alert="down"))
    degraded = condition("degraded")
    watch.at(100.0, condition(), degraded)
    watch.at(160.0, condition(), degraded)
    assert [notice.alert for notice in watch.notices] == ["degraded"]


def test_a_maintenance_window_keeps_silent_and_then_tells():
    night = {"from": "22:00", "to": "23:30", "zone": "Europe/Berlin", "days": ["tue"]}
    watch = Silent(file=alerts(windows=[night]))
    assert watch.reasons(at("2026-11-24 22:10"), condition()) == [R.SILENCED]
    assert watch.reasons(at("2026-11-24 23:30"), condition()) == [R.FIRST]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.booleans()), max_size=40),
    st.lists(st.tuples(st.integers(0, 800), st.integers(1, 300)), max_size=4),
)
def test_nothing_fires_in_a_silence_and_what_fires_after_it_is_known(steps, stretches):
    silences = [
        silence(id=str(number), starts=start, ends=start + length) for number, (start, length) in enumerate(stretches)
    ]
    watch, now = Silent(*silences), 0.0
    for step, down, worse in steps:
        now += step
        fires = [condition(matters=("worse",) if worse else ())] if down else []
        decision = watch.at(now, *fires)
        quiet = silenced("chat", "down", silences, [], now)
        if quiet:
            assert all(notice.state is NoticeState.RESOLVED for notice in decision.notices)
        elif down:
            assert watch.incident().is_announced
            assert not watch.incident().silenced
        told = [notice for notice in watch.notices if notice.severity is Severity.CRITICAL]
        assert sum(n.cause is NoticeCause.RESOLVED for n in told) <= sum(
            n.cause is not NoticeCause.RESOLVED for n in told
        )


def test_a_silence_is_kept_as_it_is():
    assert load_silence(dump_silence(silence(alert="down"))) == silence(alert="down")
    assert load_silence(b"{}") is None
