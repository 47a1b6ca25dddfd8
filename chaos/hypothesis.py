"""The steady-state hypothesis, checked: complete answers, from a target that may answer, in time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.model import Check, Drill, Phase
from chaos.plans import Hypothesis, SteadyState
from chaos.wording import described, seconds
from monitor.model import Outcome, Path, Reason, Status


def state_in(phase: Phase, hypothesis: Hypothesis) -> SteadyState | None:
    """What is to hold in a phase; None where nothing is: a request that is to be refused whole keeps no state."""
    return hypothesis.broken if phase is Phase.INJECT else hypothesis.whole


def check(state: SteadyState, outcomes: Sequence[Outcome], *, phase: Phase, now: float) -> Check:
    """Whether enough of the answers hold. Those that nobody could judge count for neither side; none at all is no."""
    judged = [outcome for outcome in outcomes if outcome.status is not Status.ERROR]
    broken = [wrong for outcome in judged if (wrong := why_not(outcome, state)) is not None]
    good = len(judged) - len(broken)
    holds = bool(judged) and good >= state.tolerance * len(judged)
    return Check(
        at=now, phase=phase, holds=holds, good=good, asked=len(judged), because=_said(state, judged, broken, outcomes)
    )


def why_not(outcome: Outcome, state: SteadyState) -> str | None:
    """What keeps an answer from being what the steady state asks for, as the rest of a sentence; None for nothing."""
    if outcome.status in (Status.FAILED, Status.ERROR):
        return described(outcome)
    # A promise of time is the state's own where it has one; the chain's objective does not expect a broken primary.
    late = outcome.reason is Reason.TOO_SLOW and state.within is not None
    if outcome.status is Status.DEGRADED and not late:
        return described(outcome)
    if outcome.served_by not in state.served_by if state.served_by else outcome.position != 0:
        return f"{described(outcome)}, not by {_whom(state)}"
    if outcome.position == 0 and outcome.path not in (None, Path.PRIMARY):
        return f"{described(outcome)} by the path {outcome.path}"
    if state.within is not None and outcome.duration > state.within:
        return f"{described(outcome)}, later than {seconds(state.within)}"
    return None


def is_steady(outcome: Outcome, drill: Drill) -> bool:
    """Whether one answer is what the chain gives while nothing is broken."""
    return why_not(outcome, drill.hypothesis.whole) is None


def _whom(state: SteadyState) -> str:
    labels = state.served_by or ("the primary",)
    return " or ".join(labels) if len(labels) < 3 else f"{', '.join(labels[:-1])} or {labels[-1]}"


def _said(state: SteadyState, judged: Sequence[Outcome], broken: Sequence[str], asked: Sequence[Outcome]) -> str:
    if not judged:
        seen = f"the request {described(asked[-1])}" if asked else "nothing was asked"
        return f"nothing to judge by: {seen}"
    limit = f" within {seconds(state.within)}" if state.within is not None else ""
    wanted = f"a whole answer by {_whom(state)}{limit}"
    share = "" if state.tolerance >= 1 else f", where {state.tolerance:.0%} are enough"
    told = f"{len(judged) - len(broken)} of {len(judged)} {'was' if len(judged) == 1 else 'were'} {wanted}{share}"
    return f"{told}; the first that was not {broken[0]}" if broken else told
