"""Whatever happens, what people hear makes sense: properties of alerting over random series of conditions."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerting import Decision, Incident, Stage, decide, dump_state, load_state
from monitor.conditions import Condition
from monitor.config.model import AlertsFile
from monitor.model import NoticeCause, NoticeState, Severity

CHAINS = frozenset({"chat"})
WHEN = {"down": "chain_down", "degraded": "chain_degraded", "rate": "fallback_rate", "drill": "drill_deviated"}
ALERTS = AlertsFile.model_validate(
    {
        "notifiers": [{"name": name, "kind": "log"} for name in ("slack", "log")],
        "routes": [{"notify": ["slack", "log"]}],
        "rules": [
            {"name": "down", "when": "chain_down", "repeat": "10m"},
            {"name": "degraded", "when": "chain_degraded", "for": "60s"},
            {"name": "rate", "when": "fallback_rate", "above": "10%", "window": "100s"},
            {"name": "drill", "when": "drill_deviated", "resolve": False},
        ],
    }
)


def condition(alert: str, matters: tuple[str, ...] = ()) -> Condition:
    return Condition(
        alert=alert,
        when=WHEN[alert],
        chain="chat",
        severity=Severity.WARNING,
        title=alert,
        summary="why",
        matters=matters,
    )


class Watch:
    """A series of decisions, each going on from the one before."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.muted: frozenset[str] = frozenset()
        self.settled = CHAINS
        self.numbers = itertools.count()

    def at(self, now: float, *conditions: Condition) -> Decision:
        decision = decide(
            self.incidents,
            conditions,
            ALERTS,
            now,
            self.muted,
            chains=CHAINS,
            settled=self.settled,
            ids=lambda: f"id{next(self.numbers)}",
        )
        self.incidents = dict(decision.incidents)
        return decision


MOMENTS = st.lists(
    st.tuples(
        st.floats(0.5, 900.0),
        st.sets(st.sampled_from(["down", "degraded", "rate", "drill"])),
        st.sampled_from([(), ("a",), ("a", "b")]),
        st.sampled_from([CHAINS, frozenset()]),
        st.sampled_from([frozenset(), frozenset({"slack"})]),
        st.booleans(),
    ),
    max_size=25,
)


def restored(watch: Watch) -> dict[str, Incident]:
    return {key: load_state(dump_state(incident)) for key, incident in watch.incidents.items()}


@given(MOMENTS)
def test_whatever_happens_people_hear_a_story_that_makes_sense(moments):
    watch, now = Watch(), 0.0
    open_for: dict[tuple[str, str], str] = {}
    for step, names, matters, settled, muted, restart in moments:
        now += step
        watch.settled, watch.muted = settled, muted
        if restart:
            assert restored(watch) == watch.incidents
            watch.incidents = restored(watch)
        known = dict(watch.incidents)
        decision = watch.at(now, *(condition(name, matters=matters) for name in sorted(names)))
        assert {key for key, _ in decision.reasons} == known.keys() | {f"{name}:chat" for name in names}
        for notice in decision.notices:
            assert notice.notifier not in muted
            place = (notice.incident, notice.notifier)
            if notice.state is NoticeState.RESOLVED:
                assert open_for.pop(place) == notice.alert, "resolved is what was open"
            elif notice.cause is NoticeCause.FIRST:
                assert place not in open_for
                open_for[place] = notice.alert
            else:
                open_for[place] = notice.alert
        firing = [i for i in watch.incidents.values() if i.stage is Stage.FIRING]
        assert len({incident.id for incident in watch.incidents.values()}) == len(watch.incidents)
        assert all(
            incident.id == known[key].id
            for key, incident in watch.incidents.items()
            if key in known and known[key].stage is Stage.FIRING
        )
        told = {(i.id, t.notifier) for i in firing for t in i.told if not t.over}
        assert told <= open_for.keys(), "what is remembered as told was told"
    watch.settled, watch.muted = CHAINS, frozenset()
    for later in (1000.0, 2000.0, 3000.0):
        watch.at(now + later)
    assert watch.incidents == {}, "every incident comes to an end"


@given(MOMENTS)
def test_the_same_past_leads_to_the_same_decision(moments):
    one, two, now = Watch(), Watch(), 0.0
    for step, names, matters, settled, muted, _ in moments:
        now += step
        for watch in (one, two):
            watch.settled, watch.muted = settled, muted
        seen = [condition(name, matters=matters) for name in sorted(names)]
        assert one.at(now, *seen) == two.at(now, *reversed(seen))
        two.incidents = dict(reversed(two.incidents.items()))


@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.booleans()), max_size=60))
def test_nobody_is_told_before_the_condition_has_held_long_enough(moments):
    watch, now, since = Watch(), 0.0, None
    for step, holds in moments:
        now += step
        since = (now if since is None else since) if holds else None
        decision = watch.at(now, *([condition("degraded")] if holds else []))
        if any(notice.state is NoticeState.FIRING for notice in decision.notices):
            assert since is not None
            assert now - since >= 60.0
