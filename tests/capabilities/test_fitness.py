"""A target that is up but unfit: how its lack is learnt, how it ends, and what else it must not become."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.conditions.evidence import chain_facts, troubled
from monitor.conditions.world import World
from monitor.config.model import HealthConfig
from monitor.health import (
    Confirm,
    Standing,
    SubjectState,
    abilities,
    advance,
    dump_state,
    judge_chain,
    lacks,
    load_chain_state,
    should_confirm,
)
from monitor.model import Health, Origin, Outcome, Reason, Status, Target

SETTINGS = HealthConfig(window=3, down_after=2, recover_after=2, confirm=2)
RESULTS = {
    "G": (Status.OK, Reason.NONE),
    "M": (Status.DEGRADED, Reason.MISSING_CAPABILITY),
    "F": (Status.FAILED, Reason.SERVER_ERROR),
    "L": (Status.FAILED, Reason.RATE_LIMITED),
    "E": (Status.ERROR, Reason.OURS),
}
KINDS = {"t": "tools", "v": "vision", "c": "completion"}


def outcome(step: str, at: float, **changes: Any) -> Outcome:
    """``cG``: a good completion; ``tM``: a question for tools that showed a lack."""
    status, reason = RESULTS[step[1]]
    plain = Outcome(
        id=f"o{at:g}", at=at, chain="chat", target="secondary", probe="p", kind=KINDS[step[0]],
        origin=Origin.SCHEDULED, status=status, reason=reason,
        detail="the call came as text" if step[1] == "M" else "",
    )  # fmt: skip
    return replace(plain, **changes)


def run(steps: str, state: SubjectState | None = None) -> SubjectState:
    for at, step in enumerate(steps.split(), 1):
        state, _ = advance(state, outcome(step, float(at)), SETTINGS)
    assert state is not None
    return state


STORIES: dict[str, tuple[str, Health, Reason, tuple[str, ...]]] = {
    "fit": ("cG tG", Health.HEALTHY, Reason.NONE, ()),
    "one lack is confirmed first": ("cG tM", Health.HEALTHY, Reason.NONE, ()),
    "a lack": ("cG tM tM", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools",)),
    "two lacks": ("cG tM tM vM vM", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools", "vision")),
    "a lack never takes down": ("cG tM tM tM tM tM tM", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools",)),
    "good answers do not hide it": ("tM tM cG cG cG cG", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools",)),
    "it comes back": ("cG tM tM tG tG", Health.HEALTHY, Reason.NONE, ()),
    "one good one is not enough": ("cG tM tM tG", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools",)),
    "other kinds decide down": ("cG tM tM cF cF", Health.DOWN, Reason.SERVER_ERROR, ("tools",)),
    "and up again": ("cG tM tM cF cF cG cG", Health.DEGRADED, Reason.MISSING_CAPABILITY, ("tools",)),
    "failing with tools alone is no fitness": ("cG tF tF", Health.DEGRADED, Reason.SERVER_ERROR, ()),
    "and never takes down": ("cG tF tF tF tF tF tF", Health.DEGRADED, Reason.SERVER_ERROR, ()),
    "an outage is not a lack": ("cG tG cF cF tF tF cG cG", Health.HEALTHY, Reason.NONE, ()),
    "a rate limit is not a lack": ("cG tG tL tL tL", Health.HEALTHY, Reason.NONE, ()),
    "what could not be judged says nothing": ("cG tM tE tE", Health.HEALTHY, Reason.NONE, ()),
    "known by its capabilities alone": ("tG", Health.HEALTHY, Reason.NONE, ()),
}


@pytest.mark.parametrize(("steps", "health", "reason", "lacking"), STORIES.values(), ids=STORIES)
def test_the_health_of_a_target_follows_its_fitness(
    steps: str, health: Health, reason: Reason, lacking: tuple[str, ...]
) -> None:
    state = run(steps)
    assert (state.health, state.reason, lacks(state)) == (health, reason, lacking)


def test_the_detail_names_the_capability_and_why() -> None:
    assert run("cG tM tM").detail == "missing_capability (tools): the call came as text"


@pytest.mark.parametrize(
    ("before", "step", "wanted"),
    [
        ("cG tG", "tM", Confirm.FIRST_FAILURE),
        ("cG", "tM", Confirm.FIRST_FAILURE),
        ("cG tM tM", "tM", None),
        ("cG tM tM", "tG", Confirm.FIRST_RECOVERY),
        ("cG tM tM tG", "tG", None),
        ("cG tG", "tG", None),
        ("cG tG", "tF", None),
        ("cG tG", "tL", None),
        ("cG tG", "cF", Confirm.FIRST_FAILURE),
    ],
)
def test_a_lack_and_its_end_are_made_sure_of_at_once(before: str, step: str, wanted: Confirm | None) -> None:
    assert should_confirm(run(before), outcome(step, 9.0), SETTINGS) is wanted


def test_what_people_ask_does_not_count() -> None:
    state = run("cG tG")
    again, change = advance(state, outcome("tM", 9.0, origin=Origin.MANUAL), SETTINGS)
    assert (again, change) == (state, None)


ABILITIES: dict[str, tuple[str, tuple[Standing, Standing]]] = {
    "nothing known": ("cG", (Standing.UNKNOWN, Standing.UNKNOWN)),
    "one shown": ("tG", (Standing.PROVEN, Standing.UNKNOWN)),
    "one missing": ("tM tM vG", (Standing.MISSING, Standing.PROVEN)),
    "one failing": ("cG tF tF vG", (Standing.UNKNOWN, Standing.PROVEN)),
    "suspected": ("tM", (Standing.UNKNOWN, Standing.UNKNOWN)),
}


@pytest.mark.parametrize(("steps", "standings"), ABILITIES.values(), ids=ABILITIES)
def test_each_need_has_a_standing_at_each_target(steps: str, standings: tuple[Standing, Standing]) -> None:
    found = abilities(["tool_calling", "vision"], run(steps))
    assert tuple(one.standing for one in found) == standings
    assert all(one.detail for one in found if one.standing is not Standing.PROVEN)


def test_without_a_state_nothing_is_known() -> None:
    assert [(one.capability.value, one.standing, one.at) for one in abilities(["tools"], None)] == [
        ("tools", Standing.UNKNOWN, None)
    ]


SECONDARY = Target(
    chain="chat", position=1, label="secondary", model="b/two", provider=None, endpoint="router", timeout=30.0
)
PRIMARY = replace(SECONDARY, position=0, label="primary", model="a/one")


def test_a_chain_with_an_unfit_fallback_is_degraded_and_names_the_lack() -> None:
    state, change = judge_chain("chat", None, [(PRIMARY, run("cG")), (SECONDARY, run("cG tM tM vM vM"))], None, 100.0)
    assert (state.health, state.reason) == (Health.DEGRADED, Reason.MISSING_CAPABILITY)
    assert change is not None
    assert state.detail == "secondary degraded: missing_capability (tools, vision) since 00:00 UTC"
    facts = dict(chain_facts(World(chains={"chat": state}), "chat"))
    assert facts["degraded"] == "secondary (missing_capability (tools, vision) since 00:00 UTC)"
    assert facts["unfit"] == "secondary lacks tools, vision"
    assert troubled(state) == ("secondary degraded tools vision",)
    assert load_chain_state(dump_state(state)) == state


def test_a_dead_target_that_is_unfit_too_is_told_as_both() -> None:
    state, _ = judge_chain("chat", None, [(PRIMARY, run("cG")), (SECONDARY, run("cG tM tM cF cF"))], None, 100.0)
    facts = dict(chain_facts(World(chains={"chat": state}), "chat"))
    assert facts["dead targets"].startswith("secondary (server_error since")
    assert facts["unfit"] == "secondary lacks tools"
