"""One cause is one incident and one message, however many chains it hits; and what an acknowledgement does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.alerting import PATIENCE, REOPEN_WITHIN, THROTTLE, AlertState, DecisionReason, Silence, acknowledge
from monitor.alerting.incident import changes, load_state
from monitor.alerting.lifecycle import CAUSE_LASTS, WIDER_LASTS
from monitor.conditions import Cause, CauseKind, Condition
from monitor.model import NoticeCause, NoticeState, Severity
from tests.rules.test_alerting import Watch, alerts, condition

R = DecisionReason
CHAINS = tuple(f"chain{number}" for number in range(8))
GROQ = Cause(kind=CauseKind.PROVIDER, name="groq")
AZURE = Cause(kind=CauseKind.PROVIDER, name="azure")


def of(chain: str, cause: Cause | None = GROQ, alert: str = "down", **changed) -> Condition:
    return replace(condition(alert, chain), cause=cause, **changed)


class Many(Watch):
    def __init__(self, **changed) -> None:
        super().__init__(alerts(**changed))
        self.chains = self.settled = frozenset(CHAINS)

    @property
    def open(self):
        return {one.id: one for one in self.state.incidents.values() if one.is_open}

    def acknowledge(self, now: float, by: str = "ada") -> None:
        (incident,) = self.open
        self.state = acknowledge(self.state, incident, by, now)


def test_one_outage_of_a_provider_that_hits_eight_chains_is_one_incident_that_lists_them() -> None:
    watch = Many()
    first = watch.at(0.0, *(of(chain) for chain in CHAINS[:3]))
    (notice,) = first.notices
    assert (notice.title, notice.shared) == ("Provider groq: 3 chains are hit", "provider groq")
    assert notice.summary == "down: chain0, chain1, chain2."
    assert [member.chain for member in notice.members] == ["chain0", "chain1", "chain2"]
    assert watch.at(5.0, *(of(chain) for chain in CHAINS)).notices == (), "changes are told one at a time"
    (notice,) = watch.at(THROTTLE, *(of(chain) for chain in CHAINS)).notices
    assert (notice.cause, notice.worse, notice.chains) == (NoticeCause.CHANGED, True, CHAINS)
    assert notice.changes == tuple(f"New: {chain} down" for chain in CHAINS[3:])
    (over,) = watch.at(100.0).notices
    assert (over.state, over.title) == (NoticeState.RESOLVED, "Provider groq: 8 chains were hit")
    assert over.summary == f"Over for: {', '.join(CHAINS)}."
    assert len({notice.incident for notice in watch.notices}) == 1


def test_what_is_the_same_of_several_chains_is_said_once() -> None:
    same = [of(chain, brief="credit ends") for chain in CHAINS[:3]]
    (notice,) = Many().at(0.0, *same, of("chain3", brief="credit and a model end")).notices
    assert notice.facts == (("chain0, chain1, chain2", "credit ends"), ("chain3", "credit and a model end"))


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        (Cause(kind=CauseKind.CATALOGUE, name="router"), "Catalogue of router: 2 chains are concerned"),
        (Cause(kind=CauseKind.BUDGET, name="provider groq"), "Budget of provider groq: 2 chains are hit"),
    ],
)
def test_what_chains_share_without_an_outage_is_one_incident_too(cause: Cause, title: str) -> None:
    watch = Many()
    (notice,) = watch.at(0.0, of("chain0", cause), of("chain1", cause), of("chain2", GROQ)).notices[:1]
    assert (notice.title, notice.shared) == (title, str(cause))
    watch.at(THROTTLE, of("chain0", cause), of("chain1", cause))
    assert len({one.incident for one in watch.notices}) == 2, "an outage of its own is another one"


def test_what_became_more_severe_is_told_at_once_and_once() -> None:
    watch = Many()
    mild = replace(of("chain0"), severity=Severity.WARNING)
    watch.at(0.0, mild)
    (notice,) = watch.at(1.0, of("chain0")).notices
    assert (notice.severity, notice.cause, notice.worse) == (Severity.CRITICAL, NoticeCause.CHANGED, True)
    for now, seen in ((2.0, mild), (3.0, of("chain0")), (4.0, mild)):
        assert watch.at(now, seen).notices == (), "a flicker is told one at a time"
    (notice,) = watch.at(1.0 + THROTTLE, mild).notices
    assert (notice.severity, notice.worse) == (Severity.WARNING, False)


def test_what_flickers_among_many_chains_waits_and_what_gets_worse_does_not() -> None:
    watch = Many()
    watch.at(0.0, *(of(chain) for chain in CHAINS[:3]))
    assert watch.at(PATIENCE - 1, *(of(chain) for chain in CHAINS[:2])).notices == ()
    (notice,) = watch.at(PATIENCE, *(of(chain) for chain in CHAINS[:2])).notices
    assert (notice.cause, notice.worse) == (NoticeCause.CHANGED, False)
    (notice,) = watch.at(PATIENCE + THROTTLE, *(of(chain) for chain in CHAINS[:5])).notices
    assert (notice.cause, notice.worse) == (NoticeCause.CHANGED, True)


def test_nothing_moves_to_another_model_while_it_fires() -> None:
    watch = Many()
    mini, nano = Cause(kind=CauseKind.MODEL, name="mini"), Cause(kind=CauseKind.MODEL, name="nano")
    watch.at(0.0, of("chain0", mini), of("chain1", mini))
    for now in (40.0, 40.0 + CAUSE_LASTS, 80.0 + 2 * CAUSE_LASTS):
        watch.at(now, of("chain0", nano), of("chain1", mini))
    assert [str(one.cause) for one in watch.open.values()] == ["model mini"]
    for now in (200.0 + 3 * CAUSE_LASTS, 240.0 + 4 * CAUSE_LASTS):
        watch.at(now, of("chain0", AZURE), of("chain1", mini))
    assert sorted(str(one.cause) for one in watch.open.values()) == ["model mini", "provider azure"]


def test_a_single_chain_is_told_in_its_own_words() -> None:
    watch = Many()
    (notice,) = watch.at(0.0, of("chain0")).notices
    assert (notice.title, notice.summary, notice.facts) == ("chain0 down", "why", (("last good", "12:00"),))
    assert (notice.alert, notice.chain, notice.chains) == ("down", "chain0", ("chain0",))


def test_chains_that_recover_leave_the_incident_and_the_last_one_ends_it() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"), of("chain1"))
    left = watch.at(40.0, of("chain1"))
    (notice,) = left.notices
    assert ("down:chain0", R.LEFT) in left.reasons
    assert (notice.cause, notice.worse, notice.changes) == (NoticeCause.CHANGED, False, ("Over: chain0 down",))
    assert [(one.chain, one.state) for one in notice.members] == [
        ("chain0", NoticeState.RESOLVED),
        ("chain1", NoticeState.FIRING),
    ]
    assert notice.chains == ("chain1",)
    (over,) = watch.at(2 * REOPEN_WITHIN).notices
    assert [(one.chain, one.state) for one in over.members] == [
        ("chain0", NoticeState.RESOLVED),
        ("chain1", NoticeState.RESOLVED),
    ], "what ended long ago is part of it to its end"
    watch.at(4 * REOPEN_WITHIN)
    assert watch.state == AlertState()


def test_alerts_of_one_chain_are_one_incident_that_escalates() -> None:
    watch = Many()
    chain = Cause(kind=CauseKind.CHAIN, name="chain0")
    degraded, down = of("chain0", chain, "degraded"), of("chain0", chain)
    watch.at(0.0, degraded)
    watch.at(60.0, degraded)
    (notice,) = watch.at(100.0, degraded, down).notices
    assert (notice.cause, notice.severity, notice.worse) == (NoticeCause.CHANGED, Severity.CRITICAL, True)
    (notice,) = watch.at(200.0, degraded).notices
    assert (notice.state, notice.severity, notice.worse) == (NoticeState.FIRING, Severity.WARNING, False)
    assert len({notice.incident for notice in watch.notices}) == 1


def test_routes_by_chain_are_respected_inside_an_incident() -> None:
    routes = [
        {"match": {"chains": ["chain0", "chain1"]}, "notify": ["slack"]},
        {"match": {"chains": ["chain2"]}, "notify": ["pager"]},
    ]
    watch = Many(routes=routes)
    watch.at(0.0, *(of(chain) for chain in CHAINS[:4]))
    heard = {notice.notifier: notice.chains for notice in watch.notices}
    assert heard == {"slack": ("chain0", "chain1"), "pager": ("chain2",)}
    decision = watch.at(40.0, *(of(chain) for chain in (CHAINS[0], CHAINS[1], CHAINS[3])))
    (over,) = decision.notices
    assert (over.notifier, over.state, over.chains) == ("pager", NoticeState.RESOLVED, ("chain2",))
    assert ("down:chain3", R.NO_ROUTE) in decision.reasons
    back = watch.at(50.0, *(of(chain) for chain in CHAINS[:4]))
    (again,) = back.notices
    assert (again.notifier, again.state, again.incident) == ("pager", NoticeState.FIRING, over.incident)


def test_an_incident_whose_alerts_all_find_the_cause_takes_it_over_and_keeps_its_message() -> None:
    watch = Many()
    vague = Cause(kind=CauseKind.CHAIN, name="chain0")
    watch.at(0.0, of("chain0", vague))
    watch.at(10.0, of("chain0"))
    watch.at(9.0 + WIDER_LASTS, of("chain0"))
    assert [one.cause for one in watch.open.values()] == [vague], "it must last"
    watch.at(10.0 + WIDER_LASTS, of("chain0"))
    assert [one.cause for one in watch.open.values()] == [GROQ]
    (notice,) = watch.at(100.0, of("chain0"), of("chain1")).notices
    assert (notice.incident, notice.chains) == (watch.notices[0].incident, ("chain0", "chain1"))


def test_two_incidents_that_turn_out_to_be_one_are_merged() -> None:
    watch = Many()
    vague = Cause(kind=CauseKind.CHAIN, name="chain1")
    watch.at(0.0, of("chain0"), of("chain1", vague))
    watch.at(40.0, of("chain0"), of("chain1"))
    decision = watch.at(40.0 + WIDER_LASTS, of("chain0"), of("chain1"))
    told = {notice.state: notice for notice in decision.notices}
    first, second = sorted(watch.notices[:2], key=lambda one: one.chains)
    assert told[NoticeState.FIRING].incident == first.incident
    assert told[NoticeState.FIRING].chains == ("chain0", "chain1")
    ended = told[NoticeState.RESOLVED]
    assert (ended.incident, ended.merged_into) == (second.incident, first.incident)
    assert ended.summary == f"It goes on as part of incident {first.incident}, which is about provider groq."
    assert len(watch.open) == 1


@pytest.mark.parametrize("numbers", [range(10, 90), range(89, 9, -1)], ids=["rising", "falling"])
def test_what_begins_at_once_is_told_and_merged_in_one_order_whatever_ids_are_drawn(numbers: range) -> None:
    watch = Many()
    watch.numbers = iter(numbers)
    vague = Cause(kind=CauseKind.CHAIN, name="chain1")
    watch.at(0.0, of("chain0"), of("chain1", vague))
    assert [one.chain for one in watch.notices] == ["chain1", "chain0"]
    watch.at(40.0, of("chain0"), of("chain1"))
    decision = watch.at(40.0 + WIDER_LASTS, of("chain0"), of("chain1"))
    assert [one.state for one in decision.notices] == [NoticeState.RESOLVED, NoticeState.FIRING]


def test_an_incident_splits_when_one_of_its_chains_finds_another_cause() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"), of("chain1"))
    watch.at(40.0, of("chain0"), of("chain1", AZURE))
    watch.at(39.0 + CAUSE_LASTS, of("chain0"), of("chain1", AZURE))
    assert len(watch.open) == 1, "it must last, and longer than a cause that explains more"
    watch.at(40.0 + CAUSE_LASTS, of("chain0"), of("chain1", AZURE))
    assert sorted(str(one.cause) for one in watch.open.values()) == ["provider azure", "provider groq"]
    shown = {notice.incident: notice.chains for notice in watch.notices}
    assert sorted(shown.values()) == [("chain0",), ("chain1",)]
    watch.at(PATIENCE + CAUSE_LASTS, of("chain0"), of("chain1", AZURE))
    said = next(notice for notice in reversed(watch.notices) if notice.chains == ("chain0",))
    assert said.changes == ("Goes on elsewhere: chain1 down",)


@pytest.mark.parametrize("flicker", [Cause(kind=CauseKind.CHAIN, name="chain1"), AZURE])
def test_a_cause_that_says_less_or_does_not_last_moves_nothing(flicker: Cause) -> None:
    watch = Many()
    watch.at(0.0, of("chain0"), of("chain1"))
    for step in range(20):
        lasting = flicker.kind is CauseKind.CHAIN
        watch.at(10.0 * step + 1, of("chain0"), of("chain1", flicker if lasting or step % 3 else GROQ))
    assert len(watch.open) == 1
    assert len(watch.notices) == 1


def test_the_same_cause_soon_after_is_the_same_incident_and_much_later_another() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"))
    watch.at(10.0)
    (again,) = watch.at(20.0, of("chain1")).notices
    assert (again.incident, again.cause, again.chains) == (
        watch.notices[0].incident,
        NoticeCause.CHANGED,
        ("chain1",),
    )
    watch.at(30.0)
    (new,) = watch.at(40.0 + REOPEN_WITHIN, of("chain2")).notices
    assert new.incident != again.incident


CHAIN0 = Cause(kind=CauseKind.CHAIN, name="chain0")


def test_a_chain_is_followed_in_one_place() -> None:
    """What shows when the outage is over belongs to it: it is an edit of its message, never a second message."""
    watch = Many()
    (first,) = watch.at(0.0, of("chain0")).notices
    (told,) = watch.at(THROTTLE, of("chain0"), of("chain0", CHAIN0, "rate")).notices or (first,)
    assert told.incident == first.incident
    (edit,) = watch.at(2 * THROTTLE, of("chain0", CHAIN0, "rate")).notices
    assert (edit.incident, edit.cause) == (first.incident, NoticeCause.CHANGED)
    assert edit.changes == ("Over: chain0 down", "New: chain0 rate"), "what is over comes first where it got better"
    assert len(watch.open) == 1


def test_what_was_covered_joins_the_incident_of_what_covered_it() -> None:
    watch = Many()
    (first,) = watch.at(0.0, of("chain0", CHAIN0)).notices
    decision = watch.at(1.0, of("chain0", CHAIN0), of("chain0", AZURE, "rate"))
    assert ("rate:chain0", R.INHIBITED) in decision.reasons
    assert [watch.state.alerts[key].incident for key in ("down:chain0", "rate:chain0")] == [first.incident] * 2
    assert [one.id for one in watch.open.values()] == [first.incident]


def test_the_first_to_show_a_wider_cause_takes_over_what_there_is_of_its_chain() -> None:
    watch = Many()
    (first,) = watch.at(0.0, of("chain0", CHAIN0, "rate")).notices
    (edit,) = watch.at(1.0, of("chain0", CHAIN0, "rate"), of("chain0", GROQ)).notices
    assert (edit.incident, edit.shared, edit.cause) == (first.incident, "provider groq", NoticeCause.CHANGED)
    (joined,) = watch.at(40.0, of("chain0", CHAIN0, "rate"), of("chain0", GROQ), of("chain1", GROQ)).notices
    assert (joined.incident, joined.title) == (first.incident, "Provider groq: 2 chains are hit")
    assert len(watch.open) == 1


def test_what_is_narrower_joins_the_incident_that_its_chain_is_in() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"), of("chain1"))
    model = Cause(kind=CauseKind.MODEL, name="mini")
    watch.at(1.0, of("chain0"), of("chain1"), of("chain0", model, "rate"), of("chain2", model, "rate"))
    assert sorted(str(one.cause) for one in watch.open.values()) == ["model mini", "provider groq"]
    homes = {key: str(watch.state.incidents[one.incident].cause) for key, one in watch.state.alerts.items()}
    assert (homes["rate:chain0"], homes["rate:chain2"]) == ("provider groq", "model mini")


def test_what_is_covered_follows_what_covers_it_and_leaves_no_message_open() -> None:
    watch = Many()
    (own,) = watch.at(0.0, of("chain0", CHAIN0, "rate")).notices
    (wide,) = watch.at(1.0, of("chain0", CHAIN0, "rate"), of("chain1")).notices
    notices = watch.at(40.0, of("chain0", CHAIN0, "rate"), of("chain1"), of("chain0")).notices
    moved = next(notice for notice in notices if notice.incident == own.incident)
    assert (moved.state, moved.merged_into) == (NoticeState.RESOLVED, wide.incident)
    assert list(watch.open) == [wide.incident]


def test_what_shares_a_cause_with_others_does_not_follow_its_chain() -> None:
    watch = Many()
    watch.at(0.0, of("chain0", CHAIN0, "rate"))
    (second,) = watch.at(1.0, of("chain0", CHAIN0, "rate"), of("chain1", GROQ)).notices
    assert (second.cause, len(watch.open)) == (NoticeCause.FIRST, 2)


def test_a_graver_degree_says_it_all() -> None:
    grave = of("chain0", CHAIN0, "rate", severity=Severity.CRITICAL)
    mild = of("chain0", CHAIN0, "mild", severity=Severity.INFO)
    watch = Many()
    decision = watch.at(0.0, grave, mild)
    assert [notice.alert for notice in decision.notices] == ["rate"]
    assert ("mild:chain0", R.INHIBITED) in decision.reasons
    watch.at(1000.0, mild)
    (told,) = watch.at(1100.0, mild).notices
    assert (told.alert, told.severity, told.cause) == ("mild", Severity.INFO, NoticeCause.CHANGED)


def test_what_is_over_is_told_soon_however_many_lesser_alerts_go_on() -> None:
    watch = Many()
    low = [of(chain, alert="rate") for chain in CHAINS[1:5]]
    watch.at(0.0, of("chain0"), *low)
    (trifle,) = watch.at(PATIENCE, of("chain0"), replace(low[0], matters=("x",)), *low[1:]).notices
    assert trifle.severity is Severity.CRITICAL
    assert watch.at(PATIENCE + THROTTLE - 1, *low).notices == ()
    (told,) = watch.at(PATIENCE + THROTTLE, *low).notices
    assert (told.severity, told.worse, told.changes[0]) == (Severity.WARNING, False, "Over: chain0 down")


def test_what_is_over_and_came_back_too_lately_to_be_told_is_said_to_be_over() -> None:
    watch = Many()
    slow = of("chain0", alert="degraded")
    watch.at(0.0, of("chain1"), slow)
    watch.at(60.0, of("chain1"), slow)
    watch.at(61.0, of("chain1"))
    (told,) = watch.at(60.0 + PATIENCE, of("chain1"), slow).notices
    assert told.changes == ("Over: chain0 degraded",)


def test_a_change_says_what_is_new_and_what_is_no_longer_so() -> None:
    watch = Many()
    watch.at(0.0, of("chain0", matters=("a down", "b down")))
    (told,) = watch.at(THROTTLE, of("chain0", matters=("b down", "c limited"))).notices
    assert told.changes == ("chain0 down: now c limited, no longer a down",)


def test_the_end_says_when_each_part_was() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"), of("chain1"))
    watch.at(40.0, of("chain1"))
    (over,) = watch.at(100.0).notices
    assert over.facts[:2] == (
        ("chain0", "down 00:00 to 00:00 UTC (40s)"),
        ("chain1", "down 00:00 to 00:01 UTC (1m40s)"),
    )
    alone = Many()
    alone.at(0.0, of("chain2"), of("chain2", alert="drill"))
    (end,) = alone.at(60.0).notices
    assert dict(end.facts)["course"] == "chain2 down: 00:00 to 00:01 UTC (1m); chain2 drill: 00:00 to 00:01 UTC (1m)"


def test_a_message_says_what_to_do() -> None:
    watch = Many()
    (first,) = watch.at(0.0, of("chain0")).notices
    assert "`fallbackd probe chain0` asks once more" in first.advice
    assert first.advice.endswith("sees it with the next probe.")


def test_conditions_without_a_cause_stand_alone() -> None:
    watch = Many()
    watch.at(0.0, of("chain0", None), of("chain1", None))
    assert [notice.shared for notice in watch.notices] == [None, None]
    assert len(watch.open) == 2


@pytest.mark.parametrize(
    ("outage", "about", "covered"),
    [
        (of("chain0"), of("chain0", alert="drill", target="primary"), True),
        (of("chain0"), of("chain0", alert="drill"), False),
        (of("chain0"), of("chain1", alert="drill", target="primary"), False),
        (of("chain0", alert="rate"), of("chain0", alert="drill", target="primary"), False),
        (of("chain0", alert="rate"), of("chain1", alert="drill", target="a", provider="groq"), True),
        (of("chain0", alert="rate"), of("chain0", alert="drill", target="a", provider="groq"), True),
        (of("chain0", alert="rate"), of("chain1", alert="drill", target="a", provider="azure"), False),
        (of("chain0", AZURE, "rate"), of("chain1", alert="drill", target="a", provider="groq"), False),
    ],
)
def test_the_tree_of_a_chain_says_what_an_outage_covers(outage: Condition, about: Condition, covered: bool) -> None:
    watch = Many()
    decision = watch.at(0.0, outage, replace(about, cause=None))
    assert ((f"drill:{about.chain}", R.INHIBITED) in decision.reasons) is covered


def test_an_acknowledged_incident_is_not_repeated_and_its_end_is_told() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"))
    watch.acknowledge(10.0)
    (notice,) = watch.at(11.0, of("chain0")).notices
    assert (notice.cause, notice.acknowledged.by, notice.acknowledged.at) == (NoticeCause.ACKNOWLEDGED, "ada", 10.0)
    assert (notice.changes, notice.worse, notice.until) == (("Acknowledged by ada",), False, None)
    assert watch.reasons(12.0, of("chain0")) == [R.TAKEN_ON]
    assert watch.reasons(90_000.0, of("chain0")) == [R.TAKEN_ON]
    (over,) = watch.at(90_001.0).notices
    assert (over.cause, over.acknowledged) == (NoticeCause.RESOLVED, None)
    assert watch.reasons(90_010.0, of("chain0")) == [R.AGAIN], "what comes back wants to be acknowledged anew"


@pytest.mark.parametrize(
    ("then", "holds"),
    [
        ([of("chain0", matters=("a dead", "b dead"))], True),
        ([of("chain0", matters=("a dead",))], True),
        ([of("chain0", matters=("a dead", "c dead"))], False),
        ([of("chain0", matters=("a dead", "b dead"), summary="another number")], True),
        ([of("chain0", matters=("a dead", "b dead")), of("chain1")], False),
        ([of("chain0", matters=("a dead", "b dead"), severity=Severity.WARNING)], False),
    ],
)
def test_an_acknowledgement_holds_until_something_is_added(then: list[Condition], holds: bool) -> None:
    watch = Many()
    watch.at(0.0, of("chain0", matters=("a dead", "b dead")))
    watch.acknowledge(10.0)
    watch.at(11.0, of("chain0", matters=("a dead", "b dead")))
    watch.at(100.0, *then)
    (incident,) = watch.open.values()
    assert (incident.acknowledged is not None) is holds
    if not holds:
        assert "No longer acknowledged: something was added to it" in watch.notices[-1].changes
        assert watch.reasons(4000.0, *then)[0] is R.REPEAT_DUE


def test_only_an_open_incident_can_be_acknowledged_and_it_is_kept() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"))
    assert acknowledge(watch.state, "nothing", "ada", 1.0) is None
    before = watch.state
    watch.acknowledge(1.0)
    stored = {key: raw for key, raw in changes(AlertState(), watch.state).items() if raw}
    assert load_state(stored) == watch.state != before
    watch.at(10.0)
    (ended,) = watch.state.incidents
    assert acknowledge(watch.state, ended, "ada", 11.0) is None


def silence(incident: str, *, starts: float = 10.0, ends: float = 100.0) -> Silence:
    return Silence(
        id="s", chain="chain0", alert=None, starts=starts, ends=ends, why="known", by="ada", incident=incident
    )


def test_a_silenced_incident_says_nothing_whatever_joins_it() -> None:
    watch = Many()
    watch.at(0.0, of("chain0"))
    (incident,) = watch.open
    watch.silences = (silence(incident),)
    both = of("chain0"), of("chain1")
    assert watch.at(50.0, *both).reasons == (("down:chain0", R.SILENCED), ("down:chain1", R.SILENCED))
    other = of("chain2", AZURE)
    assert watch.at(60.0, *both, other).notices[0].chains == ("chain2",), "another incident is no silenced one"
    (notice,) = watch.at(100.0, *both, other).notices
    assert (notice.cause, notice.chains, notice.incident) == (
        NoticeCause.REPEAT_DUE,
        ("chain0", "chain1"),
        incident,
    )


def test_a_silenced_chain_is_left_out_of_an_incident_that_goes_on() -> None:
    watch = Many()
    watch.silences = (Silence(id="s", chain="chain1", alert=None, starts=0.0, ends=100.0, why="w", by="b"),)
    watch.at(0.0, of("chain0"), of("chain1"))
    assert watch.notices[0].chains == ("chain0",)
    (notice,) = watch.at(100.0, of("chain0"), of("chain1")).notices
    assert (notice.chains, notice.worse) == (("chain0", "chain1"), True)


def test_what_is_wrong_with_fallbackd_itself_is_one_incident_of_no_chain() -> None:
    watch = Many(rules=[{"name": "unwell", "when": "daemon_unwell"}])
    watch.settled = frozenset()
    itself = Cause(kind=CauseKind.DAEMON, name="itself")
    symptoms = [
        replace(
            condition(), alert="unwell", when="daemon_unwell", chain="", subject=subject, title=subject, cause=itself
        )
        for subject in ("lag", "network")
    ]
    (notice,) = watch.at(0.0, *symptoms).notices
    assert (notice.chain, notice.chains, notice.title) == ("", ("",), "lag")
    assert ("also", "network") in notice.facts
    assert watch.at(40.0, symptoms[0]).notices == (), "the other is held for half a minute"
    assert [one.changes for one in watch.at(70.0, symptoms[0]).notices] == [("Over: network",)]
    watch.at(80.0)
    assert watch.at(110.0).notices[0].state is NoticeState.RESOLVED, "though nothing is known of any chain"


def test_a_rule_is_linked_to_what_the_readme_says_of_it() -> None:
    watch = Many(docs="https://example.com/fallbackd")
    (notice,) = watch.at(0.0, of("chain0")).notices
    assert notice.docs == "https://example.com/fallbackd#chain_down"
    for link in ("https://fallbackd.example.com", "https://fallbackd.example.com/"):
        (notice,) = Many(link=link).at(0.0, of("chain0")).notices
        assert notice.docs == "https://fallbackd.example.com/rules#chain_down", "without that, on the page"
    (notice,) = Many(link=None).at(0.0, of("chain0")).notices
    assert notice.docs is None
