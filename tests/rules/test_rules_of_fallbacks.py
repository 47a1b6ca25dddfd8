"""The rules about fallbacks: dead ones, first ones, silent ones, slow ones, unfit ones, unproven ones; and itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.cascades import Cascades
from monitor.conditions import ActiveFault, CauseKind, Itself, World, evaluate
from monitor.config.model import RuleConfig
from monitor.coverage import Cell, ChainCoverage, Pair, Proof
from monitor.fallback import FallbackHistory
from monitor.health import ChainState, Trouble
from monitor.model import Health, Origin, Path, Reason, Status, Target
from monitor.wellbeing import Diary, Wellbeing
from tests.fakes.values import NOW, outcome

DAY, HOUR = 86400.0, 3600.0


def rule(when: str, **settings) -> RuleConfig:
    return RuleConfig.model_validate({"name": f"my-{when}", "when": when, **settings})


def trouble(label: str, position: int, health: Health = Health.DOWN, **more) -> Trouble:
    plain = {"reason": Reason.TIMEOUT, "since": NOW - 60, "detail": "timeout", "endpoint": "r", "model": label}
    return Trouble(label=label, position=position, health=health, **{**plain, **more})


def state(*troubles: Trouble, health: Health = Health.DEGRADED) -> ChainState:
    return ChainState(chain="chat", health=health, since=NOW - 60, troubles=troubles)


def targets(count: int) -> dict[str, tuple[Target, ...]]:
    return {
        "chat": tuple(
            Target(chain="chat", position=n, label=f"t{n}", model=f"m{n}", provider=None, endpoint="r", timeout=9.0)
            for n in range(count)
        )
    }


def holds(wanted: RuleConfig, world: World, now: float = NOW) -> bool:
    return bool(evaluate([wanted], world, now))


@pytest.mark.parametrize(
    ("count", "seen", "expected"),
    [
        (3, state(trouble("t1", 1), trouble("t2", 2)), True),
        (3, state(trouble("t1", 1)), False),
        (3, state(trouble("t1", 1), trouble("t2", 2, Health.DEGRADED)), False),
        (3, state(trouble("t0", 0), trouble("t1", 1), trouble("t2", 2)), False),
        (3, state(trouble("t0", 0, Health.LIMITED), trouble("t1", 1), trouble("t2", 2)), True),
        (3, state(trouble("t1", 1), trouble("t2", 2), health=Health.DOWN), False),
        (1, state(), False),
        (2, state(trouble("t1", 1)), True),
    ],
)
def test_a_chain_without_a_living_fallback_while_its_primary_is_fine(count, seen, expected):
    assert holds(rule("all_fallbacks_dead"), World(chains={"chat": seen}, targets=targets(count))) is expected


def history(*stretches: tuple[float, float, int, int]) -> FallbackHistory:
    """(seconds ago it began, seconds ago it ended, answers of the primary, of a fallback), spread evenly."""
    kept = FallbackHistory()
    for begun, ended, primaries, fallbacks in stretches:
        total = primaries + fallbacks
        for n in range(total):
            at = NOW - begun + (n + 0.5) * (begun - ended) / total
            # Spread both sorts evenly too.
            is_fallback = (n + 1) * fallbacks // total > n * fallbacks // total
            kept.add(at, Path.FAILED_OVER if is_fallback else Path.PRIMARY)
    return kept


FIRST = {"lasting": "1d", "window": "15m", "min_samples": 100}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (history((DAY, 900, 200, 0), (900, 0, 14, 1)), True),
        (history((DAY, 900, 200, 0), (900, 0, 15, 0)), False),
        (history((DAY, 900, 199, 1), (900, 0, 14, 1)), False),
        (history((DAY, 900, 99, 0), (900, 0, 14, 1)), False),  # too few to call it quiet
        (history((2 * DAY, 1.1 * DAY, 50, 50), (DAY, 900, 200, 0), (900, 0, 0, 3)), True),
    ],
)
def test_the_first_fallback_after_a_quiet_day(kept, expected):
    assert holds(rule("first_fallback", **FIRST), World(fallbacks={"chat": kept})) is expected


SILENT = {"lasting": "2d", "min_samples": 100}


@pytest.mark.parametrize(
    ("kept", "told", "expected"),
    [
        (history((2 * DAY, 0, 0, 400)), False, True),
        (history((2 * DAY, 0, 0, 400)), True, False),
        (history((2 * DAY, 0, 150, 250)), False, True),
        (history((2 * DAY, 0, 250, 150)), False, False),
        (history((2 * DAY, 0.3 * DAY, 0, 400), (0.3 * DAY, 0, 60, 0)), False, False),  # the primary is back
        (history((0.9 * DAY, 0, 0, 400)), False, False),  # not for days
        (history((2 * DAY, 0, 0, 60)), False, False),
    ],
)
def test_days_on_a_fallback_of_which_nobody_was_told(kept, told, expected):
    world = World(fallbacks={"chat": kept}, itself=Itself(told_of=frozenset({"chat"} if told else ())))
    assert holds(rule("silent_fallback", **SILENT), world) is expected


def usual(day: int, fallbacks: int, hour: float = 0.0) -> tuple[float, float, int, int]:
    """Sixty answers in the same hour of an earlier day (or ``hour`` hours off)."""
    begun = day * DAY + HOUR + hour * HOUR
    return begun, begun - HOUR, 60 - fallbacks, fallbacks


SAME = {"rise": 3, "window": "1h", "same_hour_days": 3, "min_samples": 30}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (history(usual(3, 6), usual(2, 6), usual(1, 6), usual(0, 12)), False),  # this hour is always like that
        (history(usual(3, 6), usual(2, 6), usual(1, 6), usual(0, 32)), True),
        # The nights are quiet, the noons are not: only the same hour counts.
        (history(usual(3, 0), usual(2, 0), usual(1, 0), usual(1, 50, -6), usual(0, 12)), True),
        (history(usual(4, 6), usual(0, 32)), False),  # four days ago is too long ago to know what is usual
    ],
)
def test_a_rise_over_the_same_hour_of_the_days_before(kept, expected):
    assert holds(rule("fallback_rate", **SAME), World(fallbacks={"chat": kept})) is expected


def cascades(*durations: float, path: Path = Path.FAILED_OVER, **changed) -> Cascades:
    kept = Cascades()
    for n, duration in enumerate(durations):
        kept.take(outcome(at=NOW - 60 - n, path=path, duration=duration, served_by="t1", position=1, **changed))
    return kept


SLOW = {"window": "15m", "min_samples": 3, "slower_than": "5s"}


@pytest.mark.parametrize(
    ("kept", "settings", "promised", "expected"),
    [
        (cascades(6, 7, 8), {}, {}, True),
        (cascades(1, 7, 8), {}, {}, True),
        (cascades(1, 1, 80), {}, {}, False),  # one slow answer moves no median
        (cascades(6, 7), {}, {}, False),
        (cascades(6, 7, 8, path=Path.PRIMARY), {}, {}, False),
        (cascades(6, 7, 8, path=Path.FILTERED), {}, {}, False),
        (cascades(6, 7, 8, origin=Origin.DRILL, drill="gone"), {}, {}, False),
        (cascades(6, 7, 8, status=Status.ERROR), {}, {}, False),
        (cascades(6, 7, 8), {"slower_than": None}, {"chat": 5.0}, True),
        (cascades(6, 7, 8), {"slower_than": None}, {"chat": 10.0}, False),
        (cascades(6, 7, 8), {"slower_than": None}, {}, False),
    ],
)
def test_failovers_that_take_too_long(kept, settings, promised, expected):
    world = World(cascades={"chat": kept}, latencies=promised)
    wanted = rule("slow_cascade", **{name: value for name, value in {**SLOW, **settings}.items() if value})
    assert holds(wanted, world) is expected
    assert not holds(wanted, world, NOW + 3600), "what is long ago is over"


def test_a_lost_capability_is_one_alert_for_each_target():
    seen = state(
        trouble("t0", 0, Health.DEGRADED, lacks=("tools",)),
        trouble("t1", 1, Health.DEGRADED, lacks=("tools", "vision")),
        trouble("t2", 2),
    )
    found = evaluate([rule("capability_lost")], World(chains={"chat": seen}), NOW)
    assert [(one.subject, one.target, one.matters) for one in found] == [
        ("t0", "t0", ("tools",)),
        ("t1", "t1", ("tools", "vision")),
    ]
    assert found[1].title == "chat/t1 cannot do what the chain needs: tools, vision"


def covered(*proven: float | None) -> ChainCoverage:
    """The steps of a chain; when each was last proven, in seconds ago."""
    edges = tuple((f"t{n}", f"t{n + 1}") for n in range(len(proven)))
    cells = tuple(
        Cell(
            pair=Pair(chain="chat", edge=edge, fault="overloaded"),
            state=Proof.NEVER if ago is None else Proof.PROVEN,
            planned=True,
            proven_at=None if ago is None else NOW - ago,
        )
        for edge, ago in zip(edges, proven, strict=True)
    )
    return ChainCoverage(chain="chat", edges=edges, faults=("overloaded",), cells=cells)


@pytest.mark.parametrize(
    ("proven", "watched", "missing"),
    [
        ((DAY, DAY), 7.5 * DAY, []),
        ((DAY, 8 * DAY), 7.5 * DAY, ["t1->t2"]),
        ((None, DAY), 7.5 * DAY, ["t0->t1"]),
        ((None, None), 6 * DAY, []),  # it has not been watched for so long
        ((None, None), 7.5 * DAY, ["t0->t1", "t1->t2"]),
        ((8 * DAY, DAY), 0.0, ["t0->t1"]),
    ],
)
def test_a_step_that_no_drill_has_proven_for_long(proven, watched, missing):
    kept = history((watched, watched - 60, 1, 0)) if watched else FallbackHistory()
    world = World(coverage=(covered(*proven),), fallbacks={"chat": kept})
    found = evaluate([rule("edge_unproven", lasting="7d")], world, NOW)
    assert [name for one in found for name in one.matters] == missing


@pytest.mark.parametrize(("late", "expected"), [(-60.0, False), (0.0, False), (9.0, False), (11.0, True)])
def test_a_fault_that_outlives_its_end(late, expected):
    fault = ActiveFault(chain="chat", drill="gone", run="r1", fault="stall", injector="gateway", until=NOW - late)
    assert holds(rule("fault_stuck"), World(itself=Itself(faults=(fault,)))) is expected


@pytest.mark.parametrize(
    ("seen", "subjects"),
    [
        (Wellbeing(), []),
        (Wellbeing(late=10.0, lost=4, outbox={"slack": NOW - 300}, unwritten=300.0), []),
        (Wellbeing(late=10.5), ["lag"]),
        (Wellbeing(lost=5), ["skipped"]),
        (Wellbeing(outbox={"slack": NOW - 301, "log": NOW}), ["outbox:slack"]),
        (Wellbeing(unwritten=301.0), ["store"]),
        (Wellbeing(reload_failed=NOW - 5), ["reload"]),
        (Wellbeing(network_down=NOW - 5, lost=9), ["network", "skipped"]),
    ],
)
def test_fallbackd_says_when_it_is_unwell_itself(seen, subjects):
    found = evaluate([rule("daemon_unwell")], World(itself=Itself(wellbeing=seen)), NOW)
    assert [one.subject for one in found] == subjects
    assert {one.chain for one in found} <= {""}
    assert {one.cause.kind for one in found} <= {CauseKind.DAEMON}


def test_a_diary_forgets_what_is_ten_minutes_old_and_what_was_meant():
    diary = Diary()
    diary.lagged(NOW - 700, 50.0)
    diary.lagged(NOW - 60, 20.0)
    diary.lagged(NOW - 50, 0.2)
    for reason in ("missed", "crashed", "still_running", "budget", "rate_limited", "passive"):
        diary.skipped(NOW - 60, reason)
    diary.skipped(NOW - 700, "missed")
    assert (diary.late(NOW), diary.lost(NOW)) == (20.0, 3)
    diary.reloaded(NOW, successful=False)
    diary.reloaded(NOW + 5, successful=False)
    assert diary.reload_failed == NOW
    diary.reloaded(NOW + 9, successful=True)
    assert diary.reload_failed is None


def test_real_trouble_during_a_drill_names_the_drill():
    world = World(chains={"chat": state(health=Health.DOWN)}, itself=Itself(drills={"chat": ("gone",)}))
    (found,) = evaluate([rule("chain_down")], world, NOW)
    assert dict(found.facts)["drill under way"] == "gone; its questions do not count, so this is real"
    (plain,) = evaluate([rule("chain_down")], replace(world, itself=Itself()), NOW)
    assert "drill under way" not in dict(plain.facts)
