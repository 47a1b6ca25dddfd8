"""When people are told about an incident, and when not."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from monitor.alerting import (
    REOPEN_WITHIN,
    THROTTLE,
    AlertState,
    Decision,
    DecisionReason,
    Stage,
    changes,
    decide,
    load_state,
)
from monitor.conditions import Condition
from monitor.config.model import AlertsFile
from monitor.model import NoticeCause, NoticeState, Severity

R = DecisionReason
CHAINS = frozenset({"chat", "search"})


def alerts(**changes) -> AlertsFile:
    return AlertsFile.model_validate(
        {
            "notifiers": [{"name": name, "kind": "log"} for name in ("slack", "log", "pager")],
            "routes": [{"notify": ["slack"]}],
            "rules": [
                {"name": "down", "when": "chain_down", "severity": "critical", "repeat": "1h"},
                {"name": "degraded", "when": "chain_degraded", "for": "60s", "repeat": "4h"},
                {"name": "rate", "when": "fallback_rate", "above": "10%", "window": "100s"},
                {"name": "mild", "when": "fallback_rate", "severity": "info", "rise": 3, "window": "100s"},
                {"name": "drill", "when": "drill_deviated", "resolve": False},
            ],
            "link": "http://localhost:9469/",
            **changes,
        }
    )


WHEN = {
    "down": "chain_down",
    "degraded": "chain_degraded",
    "rate": "fallback_rate",
    "mild": "fallback_rate",
    "drill": "drill_deviated",
    "old": "chain_down",
}


def condition(alert: str = "down", chain: str = "chat", **changes) -> Condition:
    base = Condition(
        alert=alert,
        when=WHEN[alert],
        chain=chain,
        severity=Severity.CRITICAL if alert == "down" else Severity.WARNING,
        title=f"{chain} {alert}",
        summary="why",
        facts=(("last good", "12:00"),),
    )
    return replace(base, **changes)


class Watch:
    """A series of decisions, each going on from the one before."""

    def __init__(self, file: AlertsFile | None = None) -> None:
        self.file = file or alerts()
        self.state = AlertState()
        self.muted: frozenset[str] = frozenset()
        self.chains = CHAINS
        self.settled = CHAINS
        self.silences = ()
        self.numbers = itertools.count()
        self.notices = []

    def at(self, now: float, *conditions: Condition) -> Decision:
        decision = decide(
            self.state,
            conditions,
            self.file,
            now,
            self.muted,
            chains=self.chains,
            settled=self.settled,
            ids=lambda: f"id{next(self.numbers)}",
            silences=self.silences,
        )
        self.state = decision.state
        self.notices += decision.notices
        return decision

    @property
    def alerts(self):
        return self.state.alerts

    def incident(self, key: str = "down:chat"):
        return self.state.incidents[self.state.alerts[key].incident]

    def reasons(self, now: float, *conditions: Condition) -> list[DecisionReason]:
        return [reason for _, reason in self.at(now, *conditions).reasons]


def test_a_first_notice_is_complete():
    watch = Watch()
    decision = watch.at(100.0, condition())
    (notice,) = decision.notices
    assert decision.reasons == (("down:chat", R.FIRST),)
    assert (notice.id, notice.incident, notice.at, notice.since) == ("id1", "id0", 100.0, 100.0)
    assert (notice.alert, notice.chain, notice.notifier) == ("down", "chat", "slack")
    assert (notice.severity, notice.state, notice.cause) == (Severity.CRITICAL, NoticeState.FIRING, NoticeCause.FIRST)
    assert (notice.title, notice.summary, notice.facts) == ("chat down", "why", (("last good", "12:00"),))
    assert notice.link == "http://localhost:9469/"


def test_a_condition_must_hold_before_anybody_is_told():
    watch = Watch()
    assert watch.reasons(0.0, condition("degraded")) == [R.PENDING]
    assert watch.reasons(59.9, condition("degraded")) == [R.PENDING]
    assert watch.reasons(60.0, condition("degraded")) == [R.FIRST]


def test_a_condition_that_ends_early_is_forgotten():
    watch = Watch()
    watch.at(0.0, condition("degraded"))
    assert watch.reasons(30.0) == [R.LAPSED]
    assert watch.state == AlertState()
    assert watch.reasons(70.0, condition("degraded")) == [R.PENDING]


def test_a_clock_that_was_set_back_delays_nothing():
    watch = Watch()
    watch.at(10_000.0, condition("degraded"))
    assert watch.reasons(100.0, condition("degraded")) == [R.PENDING]
    assert watch.reasons(160.0, condition("degraded")) == [R.FIRST]


def test_a_firing_alert_is_repeated_when_due():
    watch = Watch()
    watch.at(0.0, condition())
    assert watch.reasons(3599.0, condition()) == [R.NOT_DUE]
    assert watch.reasons(3600.0, condition()) == [R.REPEAT_DUE]
    assert watch.reasons(3700.0, condition()) == [R.NOT_DUE]
    assert [notice.incident for notice in watch.notices] == ["id0", "id0"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": "other"}, R.CHANGED),
        ({"severity": Severity.INFO}, R.CHANGED),
        ({"matters": ("second down",)}, R.CHANGED),
        ({"summary": "31% instead of 30%"}, R.NOT_DUE),
        ({"facts": (("last good", "12:01"),)}, R.NOT_DUE),
    ],
)
def test_a_change_that_matters_is_told(change, reason):
    watch = Watch()
    watch.at(0.0, condition())
    assert watch.reasons(THROTTLE, condition(**change)) == [reason]
    assert watch.reasons(2 * THROTTLE, condition(**change)) == [R.NOT_DUE]


def test_changes_are_told_one_at_a_time():
    watch = Watch()
    watch.at(0.0, condition())
    assert watch.reasons(1.0, condition(matters=("a",))) == [R.THROTTLED]
    assert watch.reasons(2.0, condition(matters=("a", "b"))) == [R.THROTTLED]
    assert watch.reasons(30.0, condition(matters=("a", "b"))) == [R.CHANGED]
    assert watch.reasons(31.0, condition()) == [R.THROTTLED]
    assert watch.reasons(33.0, condition(matters=("a", "b"))) == [R.NOT_DUE]


def test_the_end_is_told_to_whoever_was_told_the_beginning():
    watch = Watch()
    watch.at(0.0, condition())
    decision = watch.at(95.0)
    (notice,) = decision.notices
    assert decision.reasons == (("down:chat", R.RESOLVED),)
    assert (notice.state, notice.cause, notice.incident) == (NoticeState.RESOLVED, NoticeCause.RESOLVED, "id0")
    assert (notice.title, notice.summary) == ("chat down", "The chain as a whole answers again.")
    assert notice.facts == (("lasted", "1m35s"),), "how it was while it lasted is of no use now"
    assert watch.reasons(96.0) == [R.OVER]
    assert watch.reasons(95.0 + REOPEN_WITHIN + 1) == [R.FORGOTTEN]
    assert watch.state == AlertState()


def test_what_comes_back_soon_is_the_same_incident():
    watch = Watch()
    watch.at(0.0, condition())
    watch.at(10.0)
    decision = watch.at(40.0, condition())
    (notice,) = decision.notices
    assert decision.reasons == (("down:chat", R.AGAIN),)
    assert (notice.incident, notice.cause, notice.since) == ("id0", NoticeCause.CHANGED, 40.0)
    assert notice.facts[-1] == ("again", "came back 30s after it was resolved")
    assert watch.reasons(41.0, condition()) == [R.NOT_DUE]
    assert watch.reasons(42.0) == [R.RESOLVED]


def test_what_comes_back_late_is_a_new_incident():
    watch = Watch()
    watch.at(0.0, condition())
    watch.at(10.0)
    assert watch.reasons(11.0 + REOPEN_WITHIN, condition()) == [R.FIRST]
    assert watch.notices[-1].incident != "id0"


def test_what_comes_back_and_lapses_is_not_told_twice():
    watch = Watch()
    watch.at(0.0, condition("degraded"))
    watch.at(60.0, condition("degraded"))
    watch.at(70.0)
    assert watch.reasons(80.0, condition("degraded")) == [R.PENDING]
    assert watch.reasons(90.0) == [R.LAPSED]
    assert watch.reasons(100.0) == [R.OVER]
    assert len(watch.notices) == 2


def test_a_rule_without_resolve_ends_and_returns_in_silence():
    watch = Watch()
    watch.at(0.0, condition("drill"))
    assert watch.reasons(10.0) == [R.RESOLVED_QUIETLY]
    assert watch.reasons(20.0, condition("drill")) == [R.NOT_DUE]
    assert len(watch.notices) == 1


def test_a_share_is_over_only_after_a_hold():
    watch = Watch()
    watch.at(0.0, condition("rate"))
    assert watch.reasons(5.0) == [R.HELD]
    assert watch.reasons(9.0, condition("rate")) == [R.NOT_DUE]
    assert watch.reasons(20.0) == [R.HELD]
    assert watch.reasons(53.3) == [R.HELD]
    assert watch.reasons(53.4) == [R.RESOLVED]


@pytest.mark.parametrize("alert", ["degraded", "rate"])
def test_an_outage_silences_its_symptoms(alert):
    watch = Watch()
    watch.at(0.0, condition(alert))
    decision = watch.at(60.0, condition(alert), condition("down"))
    assert decision.reasons[0] == ("down:chat", R.FIRST)
    assert decision.reasons[1] == (f"{alert}:chat", R.INHIBITED)
    symptom = watch.alerts[f"{alert}:chat"]
    assert watch.reasons(70.0, condition("down"), condition(alert, matters=("x",))) == [R.NOT_DUE, R.INHIBITED]
    assert watch.reasons(80.0, condition("down"))[1] is R.INHIBITED, "neither repeated nor resolved meanwhile"
    assert watch.alerts[f"{alert}:chat"].incident == symptom.incident
    after = watch.reasons(90.0, condition(alert))
    assert after[0] is R.RESOLVED
    assert after[1] in (R.FIRST, R.CHANGED, R.NOT_DUE)


def test_a_symptom_that_is_gone_with_the_outage_is_resolved():
    watch = Watch()
    watch.at(0.0, condition("degraded"))
    watch.at(60.0, condition("degraded"))
    watch.at(70.0, condition("down"))
    assert watch.reasons(80.0) == [R.RESOLVED, R.RESOLVED]


def test_an_outage_of_one_chain_silences_no_other():
    watch = Watch()
    watch.at(0.0, condition("down"), condition("degraded", "search"))
    assert watch.reasons(60.0, condition("down"), condition("degraded", "search")) == [R.NOT_DUE, R.FIRST]


def test_an_outage_that_nobody_was_told_of_silences_nothing():
    watch = Watch(alerts(routes=[{"match": {"alerts": ["degraded"]}, "notify": ["slack"]}]))
    watch.at(0.0, condition("down"), condition("degraded"))
    assert watch.reasons(60.0, condition("down"), condition("degraded")) == [R.NO_ROUTE, R.FIRST]


ROUTES = [
    {"match": {"severity": ["critical"]}, "notify": ["pager", "slack"]},
    {"match": {"chains": ["chat"]}, "notify": ["slack"]},
    {"match": {"alerts": ["degraded"], "chains": ["search"]}, "notify": ["log"]},
]


@pytest.mark.parametrize(
    ("seen", "muted", "told", "reasons"),
    [
        (condition(), set(), ["pager", "slack"], [R.FIRST]),
        (condition(), {"pager"}, ["slack"], [R.FIRST]),
        (condition(), {"pager", "slack"}, [], [R.MUTED]),
        (condition("rate"), set(), ["slack"], [R.FIRST]),
        (condition("rate", "search"), set(), [], [R.NO_ROUTE]),
        (condition("drill", "search", severity=Severity.CRITICAL), set(), ["pager", "slack"], [R.FIRST]),
    ],
)
def test_every_fitting_route_is_used_and_nobody_is_told_twice(seen, muted, told, reasons):
    watch = Watch(alerts(routes=ROUTES))
    watch.muted = frozenset(muted)
    assert watch.reasons(0.0, seen) == reasons
    assert [notice.notifier for notice in watch.notices] == told


def test_who_is_new_in_the_routes_is_told_and_the_others_are_not_told_again():
    watch = Watch()
    watch.at(0.0, condition())
    watch.file = alerts(routes=[{"notify": ["slack", "log"]}])
    assert watch.reasons(10.0, condition()) == [R.NOT_DUE, R.FIRST]
    assert [notice.notifier for notice in watch.notices] == ["slack", "log"]
    watch.file = alerts(routes=[{"notify": ["log"]}])
    watch.at(20.0)
    assert {notice.notifier for notice in watch.notices[2:]} == {"slack", "log"}, "both were told that it began"


def test_a_notifier_that_is_gone_or_muted_is_not_told_the_end():
    watch = Watch(alerts(routes=[{"notify": ["slack", "log", "pager"]}]))
    watch.at(0.0, condition())
    watch.file = alerts(notifiers=[{"name": "slack", "kind": "log"}, {"name": "log", "kind": "log"}])
    watch.muted = frozenset({"log"})
    assert [notice.notifier for notice in watch.at(10.0).notices] == ["slack"]


@pytest.mark.parametrize(
    ("rules", "chains", "summary"),
    [
        ("degraded", CHAINS, "No longer watched: the alert down for this chain was taken out of the config."),
        (None, {"search"}, "No longer watched: the chain chat was taken out of the config."),
        ("elsewhere", CHAINS, "No longer watched: the alert down for this chain was taken out of the config."),
        ("other", CHAINS, "No longer watched: the alert down for this chain was taken out of the config."),
    ],
)
def test_what_is_no_longer_configured_is_closed_with_a_sentence(rules, chains, summary):
    watch = Watch()
    watch.at(0.0, condition())
    watch.settled = frozenset()
    watch.chains = chains
    if rules == "degraded":
        watch.file = alerts(rules=[{"name": "degraded", "when": "chain_degraded"}])
    if rules == "elsewhere":
        watch.file = alerts(rules=[{"name": "down", "when": "chain_down", "chains": ["search"]}])
    if rules == "other":
        watch.file = alerts(rules=[{"name": "down", "when": "wrong_model"}])
    assert watch.reasons(10.0) == [R.VANISHED]
    assert (watch.notices[-1].state, watch.notices[-1].summary) == (NoticeState.RESOLVED, summary)
    assert watch.reasons(11.0) == [R.OVER]


def test_a_name_that_now_means_something_else_is_a_new_incident():
    watch = Watch()
    watch.at(0.0, condition())
    watch.file = alerts(rules=[{"name": "down", "when": "chain_degraded"}])
    seen = condition(when="chain_degraded")
    assert watch.reasons(10.0, seen) == [R.VANISHED]
    assert watch.reasons(11.0, seen) == [R.FIRST]
    assert watch.notices[-1].incident != watch.notices[0].incident


def test_a_restart_resolves_nothing_before_it_knows():
    watch = Watch()
    watch.at(0.0, condition(), condition("degraded", "search"))
    watch.settled = frozenset({"search"})
    assert watch.reasons(10.0) == [R.UNSETTLED, R.LAPSED]
    assert watch.alerts["down:chat"].stage is Stage.FIRING
    assert watch.reasons(20.0, condition()) == [R.NOT_DUE]
    watch.settled = CHAINS
    assert watch.reasons(30.0) == [R.RESOLVED]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"key": "x"}', b"\x00\xff"])
@pytest.mark.parametrize("key", ["alert/down:chat", "incident/x", "other"])
def test_what_is_stored_and_cannot_be_read_is_dropped(key, raw):
    assert load_state({key: raw}) == AlertState()


def test_only_what_changed_is_stored():
    watch = Watch()
    watch.at(0.0, condition(), condition("drill"))
    before = watch.state
    watch.at(1.0, condition(matters=("x",)), condition("drill"))
    assert list(changes(before, watch.state)) == ["alert/down:chat"]
    assert set(changes(before, AlertState()).values()) == {None}
    assert set(changes(before, AlertState())) == {
        "alert/down:chat", "alert/drill:chat", *(f"incident/{id_}" for id_ in before.incidents)
    }  # fmt: skip
    assert load_state({key: raw for key, raw in changes(AlertState(), before).items() if raw}) == before
