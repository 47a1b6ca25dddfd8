"""What clients do wrong when their requests fail, each thing with one that does it and one that does not."""

from __future__ import annotations

import pytest

from chaos.conduct import RULES, amplification, conduct
from chaos.passing import Call, Group, Passed
from chaos.plans import ClientPlan
from monitor.model import Misdeed

from .traffic_samples import call, failed, passed

PLAN = ClientPlan(attempts=3, backoff=0.2, amplification=3.0)
FALLBACK = passed(at=5.0, ended=5.5, position=1)


def found(*exchanges: Passed) -> set[Misdeed]:
    return {one.misdeed for one in conduct([call(*exchanges)], PLAN)}


@pytest.mark.parametrize(
    ("misdeed", "wrong", "right"),
    [
        (
            Misdeed.IGNORED_RETRY_AFTER,
            (failed(0.0, 429, retry_after=2.0), failed(1.0), FALLBACK),
            (failed(0.0, 429, retry_after=2.0), failed(2.0), FALLBACK),
        ),
        (Misdeed.RETRIED_IN_VAIN, (failed(0.0, 401), failed(1.0, 401), FALLBACK), (failed(0.0, 401), FALLBACK)),
        (
            Misdeed.TOO_MANY_ATTEMPTS,
            (failed(0.0), failed(1.0), failed(2.0), FALLBACK),
            (failed(0.0), failed(1.0), FALLBACK),
        ),
        (Misdeed.NO_BACKOFF, (failed(0.0), failed(0.15), FALLBACK), (failed(0.0), failed(0.5), FALLBACK)),
        (Misdeed.TOOK_A_TORSO, (failed(0.0, 200, cut=True),), (failed(0.0, 200, cut=True), FALLBACK)),
        (Misdeed.NEVER_FELL_BACK, (failed(0.0), failed(1.0)), (failed(0.0), failed(1.0), FALLBACK)),
        (
            Misdeed.RETRY_STORM,
            (failed(0.0), failed(1.0), failed(2.0), failed(3.0)),
            (failed(0.0), failed(1.0), FALLBACK),
        ),
    ],
)
def test_a_misdeed_is_found_and_the_right_thing_is_not(
    misdeed: Misdeed, wrong: tuple[Passed, ...], right: tuple[Passed, ...]
) -> None:
    assert misdeed in found(*wrong)
    assert misdeed not in found(*right)


def test_every_misdeed_has_a_rule() -> None:
    assert {*RULES, Misdeed.RETRY_STORM} == set(Misdeed)


def test_a_fallback_at_once_is_no_lack_of_backoff() -> None:
    assert found(failed(0.0), passed(at=0.1, ended=0.4, position=1)) == set()


def test_a_client_that_hung_up_on_a_stalled_stream_took_no_torso() -> None:
    assert Misdeed.TOOK_A_TORSO not in found(failed(0.0, 200, cut=True, left=True))


def test_calls_that_never_met_the_fault_are_not_judged() -> None:
    assert conduct([call(*(passed(at=float(at), ok=False) for at in range(9)))], PLAN) == ()


def test_the_requests_of_whole_calls_are_what_a_storm_is_measured_by() -> None:
    chatty = [Call(id=f"c{n}", exchanges=(passed(group=Group.CONTROL),) * 4) for n in range(3)]
    broken = [call(failed(0.0), failed(1.0), failed(2.0), failed(3.0))]
    assert amplification(broken, chatty) == 1.0
    assert amplification(broken, []) == 4.0
    assert amplification([], chatty) is None
    assert Misdeed.RETRY_STORM not in {one.misdeed for one in conduct([*broken, *chatty], PLAN)}


def test_what_is_told_counts_the_calls_and_gives_an_example() -> None:
    bad = call(failed(0.0, 429, retry_after=30.0), failed(1.1))
    told = next(one for one in conduct([bad, bad, call(failed(0.0), FALLBACK)], PLAN))
    assert (told.misdeed, told.calls, told.seen) == (Misdeed.IGNORED_RETRY_AFTER, 2, 3)
    assert told.because == "Retry-After said 30s, and the next request came after 1s"
