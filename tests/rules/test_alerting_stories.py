"""Whatever happens, what people hear makes sense: properties of alerting over random series of conditions."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting import AlertState, Decision, Silence, acknowledge, changes, decide, load_state
from monitor.conditions import Cause, CauseKind, Condition
from monitor.config.model import AlertsFile
from monitor.model import NoticeCause, NoticeState, Severity

CHAINS = frozenset({"chat", "search"})
NAMES = ("slack", "log")
WHEN = {
    "down": "chain_down",
    "degraded": "chain_degraded",
    "rate": "fallback_rate",
    "mild": "fallback_rate",
    "drill": "drill_deviated",
}
ALERTS = AlertsFile.model_validate(
    {
        "notifiers": [{"name": name, "kind": "log"} for name in NAMES],
        "routes": [{"notify": ["slack", "log"]}],
        "rules": [
            {"name": "down", "when": "chain_down", "severity": "critical", "repeat": "10m"},
            {"name": "degraded", "when": "chain_degraded", "for": "60s"},
            {"name": "rate", "when": "fallback_rate", "above": "10%", "window": "100s"},
            {"name": "mild", "when": "fallback_rate", "severity": "info", "rise": 3, "window": "100s"},
            {"name": "drill", "when": "drill_deviated", "resolve": False},
        ],
    }
)
CAUSES = (
    None,
    Cause(kind=CauseKind.PROVIDER, name="groq"),
    Cause(kind=CauseKind.ENDPOINT, name="router"),
    Cause(kind=CauseKind.CHAIN, name="chat"),
)


def condition(alert: str, chain: str = "chat", matters: tuple[str, ...] = (), cause: Cause | None = None) -> Condition:
    return Condition(
        alert=alert,
        when=WHEN[alert],
        chain=chain,
        severity={"down": Severity.CRITICAL, "mild": Severity.INFO}.get(alert, Severity.WARNING),
        title=f"{chain} {alert}",
        summary="why",
        matters=matters,
        cause=cause,
    )


class Watch:
    """A series of decisions, each going on from the one before."""

    def __init__(self) -> None:
        self.state = AlertState()
        self.muted: frozenset[str] = frozenset()
        self.settled = CHAINS
        self.silences: tuple[Silence, ...] = ()
        self.numbers = itertools.count()

    def at(self, now: float, *conditions: Condition) -> Decision:
        decision = decide(
            self.state,
            conditions,
            ALERTS,
            now,
            self.muted,
            chains=CHAINS,
            settled=self.settled,
            ids=lambda: f"id{next(self.numbers):06}",
            silences=self.silences,
        )
        self.state = decision.state
        return decision

    def restart(self) -> None:
        stored = {key: raw for key, raw in changes(AlertState(), self.state).items() if raw is not None}
        assert load_state(stored) == self.state
        self.state = load_state(stored)

    def acknowledge_all(self, now: float) -> None:
        for id_ in [one.id for one in self.state.incidents.values() if one.is_open]:
            self.state = acknowledge(self.state, id_, "ada", now) or self.state


@dataclass(frozen=True)
class Moment:
    step: float
    seen: frozenset[tuple[str, str, Cause | None]]
    matters: tuple[str, ...]
    settled: frozenset[str]
    muted: frozenset[str]
    restart: bool
    acknowledged: bool
    silenced: bool

    def conditions(self) -> list[Condition]:
        """At most one for each alert and chain, in a settled order."""
        by_key = {(alert, chain): cause for alert, chain, cause in sorted(self.seen, key=str)}
        return [condition(alert, chain, self.matters, cause) for (alert, chain), cause in sorted(by_key.items())]


SEEN = st.tuples(st.sampled_from(sorted(WHEN)), st.sampled_from(sorted(CHAINS)), st.sampled_from(CAUSES))
MOMENTS = st.lists(
    st.builds(
        Moment,
        step=st.floats(0.5, 900.0),
        seen=st.frozensets(SEEN, max_size=6),
        matters=st.sampled_from([(), ("a",), ("a", "b")]),
        settled=st.sampled_from([CHAINS, CHAINS, frozenset()]),
        muted=st.sampled_from([frozenset(), frozenset(), frozenset({"slack"})]),
        restart=st.booleans(),
        acknowledged=st.booleans(),
        silenced=st.sampled_from([False, False, True]),
    ),
    max_size=25,
)
ALL = tuple(Silence(id=chain, chain=chain, alert=None, starts=0.0, ends=1e9, why="", by="") for chain in sorted(CHAINS))


def play(watch: Watch, now: float, moment: Moment) -> Decision:
    watch.settled, watch.muted = moment.settled, moment.muted
    watch.silences = ALL if moment.silenced else ()
    if moment.restart:
        watch.restart()
    if moment.acknowledged:
        watch.acknowledge_all(now)
    return watch.at(now, *moment.conditions())


@given(MOMENTS)
def test_whatever_happens_people_hear_a_story_that_makes_sense(moments: list[Moment]) -> None:
    watch, now = Watch(), 0.0
    open_messages: set[tuple[str, str]] = set()
    never_told: set[tuple[str, str]] = set()
    for moment in moments:
        now += moment.step
        known = watch.state
        decision = play(watch, now, moment)
        present = {f"{one.alert}:{one.chain}" for one in moment.conditions()}
        assert {key for key, _ in decision.reasons} == known.alerts.keys() | present, "everything has its reason"
        told = [(notice.notifier, notice.incident) for notice in decision.notices]
        assert len(set(told)) == len(told), "nobody is told twice of one incident in one breath"
        for notice in decision.notices:
            place = (notice.notifier, notice.incident)
            assert notice.notifier not in moment.muted
            if notice.state is NoticeState.RESOLVED:
                assert place in open_messages, "resolved is what was open"
                open_messages.discard(place)
                never_told.discard(place)
                continue
            assert not moment.silenced, "nothing but an end is told in a silence"
            assert (notice.cause is not NoticeCause.FIRST) or place not in open_messages, "one message per incident"
            open_messages.add(place)
            never_told.discard(place)
            if {one.alert for one in firing(notice)} == {"drill"}:
                never_told.add(place)  # its rule says `resolve: false`
            assert notice.severity is max((one.severity for one in firing(notice)), key=list(Severity).index)
        ended = {one.id for one in watch.state.incidents.values() if not one.is_open}
        never_told |= {place for place in open_messages if place[0] in moment.muted and place[1] in ended}
        hold_together(watch.state)
    watch.settled, watch.muted, watch.silences = CHAINS, frozenset(), ()
    for later in (1000.0, 2000.0, 3000.0):
        for notice in watch.at(now + later).notices:
            open_messages.discard((notice.notifier, notice.incident))
    assert watch.state == AlertState(), "everything comes to an end"
    assert open_messages <= never_told, "and whoever was told of it is told its end"


def firing(notice):
    return [one for one in notice.members if one.state is NoticeState.FIRING]


def hold_together(state: AlertState) -> None:
    """Every firing alert has one open incident, every open incident has a firing alert, no cause has two."""
    homes = {one.incident for one in state.alerts.values() if one.is_firing}
    open_ = {one.id: one for one in state.incidents.values() if one.is_open}
    assert homes == open_.keys()
    causes = [one.cause for one in open_.values()]
    assert len(set(causes)) == len(causes)


@given(MOMENTS)
def test_an_acknowledged_incident_is_never_repeated(moments: list[Moment]) -> None:
    watch, now = Watch(), 0.0
    for moment in moments:
        now += moment.step
        for notice in play(watch, now, moment).notices:
            incident = watch.state.incidents[notice.incident]
            if incident.acknowledged is not None and notice.state is NoticeState.FIRING:
                assert notice.cause is not NoticeCause.REPEAT_DUE
                assert notice.acknowledged == incident.acknowledged
        for incident in watch.state.incidents.values():
            if incident.acknowledged is not None:
                burden = {part for one in watch.state.members(incident.id) if one.is_firing for part in one.burden}
                assert burden <= set(incident.burden), "it ends as soon as something is added"


@given(MOMENTS)
def test_the_same_past_leads_to_the_same_decision(moments: list[Moment]) -> None:
    one, two, now = Watch(), Watch(), 0.0
    for moment in moments:
        now += moment.step
        first = play(one, now, moment)
        two.settled, two.muted, two.silences = one.settled, one.muted, one.silences
        if moment.acknowledged:
            two.acknowledge_all(now)
        assert first == two.at(now, *reversed(moment.conditions()))
        two.state = AlertState(
            alerts=dict(reversed(two.state.alerts.items())), incidents=dict(reversed(two.state.incidents.items()))
        )


@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.booleans()), max_size=60))
def test_nobody_is_told_before_the_condition_has_held_long_enough(moments) -> None:
    watch, now, since = Watch(), 0.0, None
    for step, holds in moments:
        now += step
        since = (now if since is None else since) if holds else None
        decision = watch.at(now, *([condition("degraded")] if holds else []))
        if any(notice.state is NoticeState.FIRING for notice in decision.notices):
            assert since is not None
            assert now - since >= 60.0
