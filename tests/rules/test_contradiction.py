"""Which targets an end-to-end answer makes worth asking at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.contradiction import contradicted
from monitor.model import Attempt, Health, Origin, Outcome, Reason, Status

OK = Attempt(model="b", position=1, status_code=200)
LIMITED = Attempt(model="a", position=0, status_code=429, reason=Reason.RATE_LIMITED)
OTHER = Attempt(model="x", status_code=500, reason=Reason.SERVER_ERROR)


def answer(position: int | None, *attempts: Attempt) -> Outcome:
    return Outcome(
        id="1", at=0, chain="chat", probe="chat:completion", kind="completion", origin=Origin.SCHEDULED,
        status=Status.OK, reason=Reason.NONE, position=position, attempts=attempts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "known", "expected"),
    [
        (answer(0), {0: Health.HEALTHY, 1: Health.HEALTHY}, ()),
        (answer(1, LIMITED, OK), {0: Health.HEALTHY, 1: Health.HEALTHY}, (0,)),
        (answer(1, LIMITED, OK), {0: Health.UNKNOWN, 1: Health.UNKNOWN}, (0,)),
        (answer(1, LIMITED, OK), {0: Health.LIMITED, 1: Health.HEALTHY}, ()),
        (answer(1, LIMITED, OK), {0: Health.DOWN, 1: Health.DOWN}, (1,)),
        (answer(0), {0: Health.DOWN, 1: Health.HEALTHY}, (0,)),
        (answer(0, replace(LIMITED, position=0), replace(OK, position=0)), {0: Health.HEALTHY}, ()),
        (answer(None, LIMITED), {0: Health.HEALTHY}, (0,)),
        (answer(1, OTHER, OK), {0: Health.HEALTHY, 1: Health.HEALTHY}, ()),
        (answer(1, OK), {0: Health.HEALTHY}, ()),
    ],
)
def test_what_does_not_fit_is_asked(outcome: Outcome, known: dict[int, Health], expected: tuple[int, ...]) -> None:
    assert contradicted(outcome, known) == expected


def test_drills_and_single_targets_contradict_nothing() -> None:
    surprise = answer(1, LIMITED, OK)
    known = {0: Health.HEALTHY, 1: Health.HEALTHY}
    assert contradicted(replace(surprise, origin=Origin.DRILL), known) == ()
    assert contradicted(replace(surprise, target="primary"), known) == ()
