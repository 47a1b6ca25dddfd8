"""How outcomes move the health of one subject: m of the last n, a recover-after count, 429 as a state of its own.

from                becomes     when
unknown             healthy     the first good result
any but down        down        m of the last n failed
any but down        limited     a target answered 429; a chain got no answer, and nothing but 429 stood in the way
limited             down        a chain is refused so for ``limited_for``, m times in a row by now
unknown to limited  degraded    m of the last n failed or were too slow
down, limited       degraded    so many answers in a row, not all of them good
limited to down     healthy     so many good results in a row

A limit of requests a minute passes by itself, which an outage does not: so a chain that is refused for a moment is not
down yet. Where the 429 itself says that it will last as long as ``limited_for``, there is nothing to wait for.

A kind that asks for a capability is never worse than degraded: whether its target is down is for the others to say. It
asks seldom, so what would soon be seen by another kind (an outage, a 429) must not stick to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from monitor.capability import is_capability
from monitor.clock import utc
from monitor.config.model import HealthConfig
from monitor.health.state import KindState, Serving, SubjectState, WrongAnswer
from monitor.model import Health, Outcome, Path, Reason, Status, Subject, Transition

FIRST_BACKOFF = 30.0
"""Seconds to leave a rate-limited target alone when it named no time itself; doubled with every further 429."""
LONGEST_BACKOFF = 900.0
"""Seconds; a longer Retry-After is cut to this, so that a target is not out of sight for a day."""
_DETAIL = 200
_IN_TROUBLE = (Health.LIMITED, Health.DEGRADED, Health.DOWN)
_RANK = {health: rank for rank, health in enumerate(Health)}


class Confirm(StrEnum):
    """Why a question is asked again at once."""

    FIRST_FAILURE = "first_failure"
    FIRST_RECOVERY = "first_recovery"


def advance(
    state: SubjectState | None, outcome: Outcome, settings: HealthConfig
) -> tuple[SubjectState, Transition | None]:
    """The state after an outcome, and the change of health if there was one.

    Outcomes that we could not judge (status ``error``), and those of drills and people, leave it as it is.
    """
    subject = Subject(chain=outcome.chain, target=outcome.target, provider=outcome.provider)
    before = state or SubjectState(subject=subject, health=Health.UNKNOWN, since=outcome.at)
    if not outcome.origin.counts or outcome.status is Status.ERROR:
        return before, None
    kinds = {kind.kind: kind for kind in before.kinds}
    if _says_nothing(outcome, before, settings):
        return before, None
    old = kinds.get(outcome.kind) or KindState(kind=outcome.kind, health=Health.UNKNOWN, since=outcome.at)
    kinds[outcome.kind] = _advance_kind(old, outcome, settings)
    after = _summed(before, tuple(kinds.values()), outcome.at, _serving(before.serving, outcome))
    if after.health is before.health:
        return after, None
    return after, Transition(
        at=outcome.at,
        subject=subject,
        before=before.health,
        after=after.health,
        reason=after.reason,
        detail=after.detail,
        outcome=outcome.id,
    )


def should_confirm(state: SubjectState | None, outcome: Outcome, settings: HealthConfig) -> Confirm | None:
    """Whether to ask again at once, and why. ``state`` is the one before the outcome.

    A first failure and a first good result of something down are worth a burst, unless one result decides alone. A
    rate-limited target is left in peace, and what we could not judge says nothing.
    """
    if not settings.confirm or not outcome.origin.counts or _is_limit(outcome, settings):
        return None
    kind = next((kind for kind in state.kinds if kind.kind == outcome.kind), None) if state else None
    down = kind is not None and kind.health is Health.DOWN
    if is_capability(outcome.kind) and not outcome.is_chain:
        return _should_confirm_lack(kind, outcome, settings)
    if outcome.status is Status.FAILED and not down and settings.down_after > 1:
        recent = kind.window[-(settings.window - 1) :] if kind and settings.window > 1 else ()
        decides = recent.count(Status.FAILED) + 1 >= settings.down_after
        return None if decides or recent[-1:] == (Status.FAILED,) else Confirm.FIRST_FAILURE
    if outcome.status is Status.OK and down and settings.recover_after > 1:
        return Confirm.FIRST_RECOVERY if kind is not None and kind.good == 0 else None
    return None


def _should_confirm_lack(kind: KindState | None, outcome: Outcome, settings: HealthConfig) -> Confirm | None:
    """Both that a capability is gone and that it is back: the next scheduled question may be hours away."""
    lacking = kind is not None and kind.health is Health.DEGRADED
    if outcome.reason is Reason.MISSING_CAPABILITY and not lacking and settings.down_after > 1:
        return Confirm.FIRST_FAILURE
    if outcome.status is Status.OK and lacking and settings.recover_after > 1:
        return Confirm.FIRST_RECOVERY if kind is not None and kind.good == 0 else None
    return None


def may_ask(state: SubjectState | None, now: float) -> bool:
    """False while a rate limit asks to be left alone."""
    return state is None or state.limited_until is None or now >= state.limited_until


def retain(state: SubjectState, kinds: Collection[str]) -> SubjectState | None:
    """The state without the kinds that are no longer asked, which could never recover. None if none is left."""
    kept = tuple(kind for kind in state.kinds if kind.kind in kinds)
    if kept == state.kinds:
        return state
    return _summed(state, kept, max(kind.since for kind in kept), state.serving) if kept else None


def _says_nothing(outcome: Outcome, state: SubjectState, settings: HealthConfig) -> bool:
    """A question for a capability that met a rate limit, or an outage of which another kind has already told."""
    if not is_capability(outcome.kind) or outcome.is_chain:
        return False
    told = any(kind.health in _IN_TROUBLE for kind in state.kinds if not is_capability(kind.kind))
    return _is_limit(outcome, settings) or (outcome.status is Status.FAILED and told)


def _is_limit(outcome: Outcome, settings: HealthConfig) -> bool:
    """A 429 of a target; of a chain, when every target that was called said so and it is to pass soon."""
    if outcome.reason is not Reason.RATE_LIMITED or outcome.status is Status.OK:
        return False
    if not outcome.is_chain:
        return True
    refused = all(attempt.reason in (Reason.RATE_LIMITED, Reason.NONE) for attempt in outcome.attempts)
    return refused and (outcome.retry_after or 0.0) < settings.limited_for


def _advance_kind(old: KindState, outcome: Outcome, settings: HealthConfig) -> KindState:
    limit = _is_limit(outcome, settings)
    seen = _limited(old, outcome) if limit else _counted(old, outcome, settings)
    health = _judge_limit(seen, outcome, settings) if limit else _judge(seen, outcome, settings)
    if health is old.health:
        bad = outcome.status is not Status.OK and health not in (Health.HEALTHY, Health.UNKNOWN)
        return _explained(seen, outcome, limit=limit) if bad else seen
    changed = _explained(replace(seen, health=health, since=outcome.at), outcome, limit=limit)
    return replace(changed, window=(), good=0, answered=0)


def _counted(old: KindState, outcome: Outcome, settings: HealthConfig) -> KindState:
    good, failed = outcome.status is Status.OK, outcome.status is Status.FAILED
    return KindState(  # whole: it is done for each outcome, and ``replace`` takes five times as long
        kind=old.kind,
        health=old.health,
        since=old.since,
        reason=old.reason,
        detail=old.detail,
        outcome=old.outcome,
        window=(*old.window, outcome.status)[-settings.window :],
        good=old.good + 1 if good else 0,
        answered=0 if failed else old.answered + 1,
        last_good=outcome.at if good else old.last_good,
        last_bad=old.last_bad if good else outcome.at,
        wrong=_wrong(old.wrong, outcome, settings),
    )


def _limited(old: KindState, outcome: Outcome) -> KindState:
    """A 429 enters no window: it says neither that the target works nor that it does not. A chain is not left alone:
    its applications go on asking, and whether they get an answer again is what is to be seen."""
    seen = replace(old, good=0, answered=0, limits=old.limits + 1, last_bad=outcome.at)
    if outcome.is_chain:
        return seen
    wait = outcome.retry_after or FIRST_BACKOFF * 2 ** min(old.limits, 10)
    return replace(seen, limited_until=outcome.at + min(wait, LONGEST_BACKOFF))


def _judge_limit(seen: KindState, outcome: Outcome, settings: HealthConfig) -> Health:
    lasts = seen.health is Health.LIMITED and outcome.at - seen.since >= settings.limited_for
    lasting = outcome.is_chain and lasts and seen.limits >= settings.down_after
    return Health.DOWN if seen.health is Health.DOWN or lasting else Health.LIMITED


def _judge(seen: KindState, outcome: Outcome, settings: HealthConfig) -> Health:
    now, failed = seen.health, seen.window.count(Status.FAILED)
    can_be_down = outcome.is_chain or not is_capability(seen.kind)
    if can_be_down and now is not Health.DOWN and failed >= settings.down_after:
        return Health.DOWN
    if now not in (Health.DOWN, Health.DEGRADED) and _not_good(seen) >= settings.down_after:
        return Health.DEGRADED
    if now is Health.UNKNOWN:
        return Health.HEALTHY if outcome.status is Status.OK else now
    if now is not Health.HEALTHY and seen.good >= settings.recover_after:
        return Health.HEALTHY
    if now in (Health.DOWN, Health.LIMITED) and seen.answered >= settings.recover_after:
        return Health.DEGRADED
    return now


def _not_good(seen: KindState) -> int:
    return len(seen.window) - seen.window.count(Status.OK)


def _explained(seen: KindState, outcome: Outcome, *, limit: bool) -> KindState:
    if seen.health is Health.HEALTHY:
        reason, text = Reason.NONE, "answers"
    elif limit and outcome.is_chain:
        reason, text = outcome.reason, f"nothing but 429 for an answer, {seen.limits} in a row"
    elif limit:
        reason, text = outcome.reason, f"answers 429, left alone until {utc(seen.limited_until or outcome.at)}"
    elif outcome.reason is Reason.MISSING_CAPABILITY:
        reason, text = outcome.reason, shortened(outcome.detail, _DETAIL)
        return replace(seen, reason=reason, detail=f"{reason} ({seen.kind}): {text}", outcome=outcome.id)
    else:
        said = f": {shortened(outcome.detail, _DETAIL)}" if outcome.detail else ""
        count = f"{_not_good(seen)} of the last {len(seen.window)} not good, last " if seen.window[1:] else ""
        reason, text = outcome.reason, f"{count}{outcome.reason}{said}"
    return replace(seen, reason=reason, detail=f"{seen.kind}: {text}", outcome=outcome.id)


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut between two of its parts or words, and marked where it is."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 2]
    parts, _, rest = kept.rpartition("; ")
    whole = parts if len(parts) > len(rest) else kept.rpartition(" ")[0] or kept
    return f"{whole.rstrip(' ;,:')} …"


def _wrong(old: WrongAnswer | None, outcome: Outcome, settings: HealthConfig) -> WrongAnswer | None:
    if outcome.path is Path.WRONG_MODEL or outcome.reason is Reason.WRONG_MODEL:
        return WrongAnswer(at=outcome.at, model=outcome.model, provider=outcome.served_provider, outcome=outcome.id)
    if old is None or outcome.status is Status.FAILED:
        return old  # no answer at all does not show that answers are right again
    return replace(old, right=old.right + 1) if old.right + 1 < settings.recover_after else None


def _serving(old: Serving | None, outcome: Outcome) -> Serving | None:
    if not outcome.is_chain:
        return None
    answered = outcome.status is not Status.FAILED
    label = outcome.served_by if answered else None
    same = old is not None and old.label == label and old.model == outcome.model
    return Serving(
        label=label,
        position=outcome.position if answered else None,
        path=outcome.path,
        model=outcome.model,
        since=old.since if old is not None and same else outcome.at,
        at=outcome.at,
    )


def _summed(state: SubjectState, kinds: tuple[KindState, ...], at: float, serving: Serving | None) -> SubjectState:
    """The subject as its worst kind has it; of equals the one that has been so the longest."""
    worst = kinds[0] if len(kinds) == 1 else max(kinds, key=lambda kind: (_RANK[kind.health], -kind.since))
    return SubjectState(
        subject=state.subject,
        serving=serving,
        health=worst.health,
        since=state.since if worst.health is state.health else at,
        kind=worst.kind,
        reason=worst.reason,
        detail=worst.detail,
        outcome=worst.outcome,
        limited_until=max([kind.limited_until for kind in kinds if kind.limited_until], default=None),
        last_good=max([kind.last_good for kind in kinds if kind.last_good is not None], default=None),
        last_bad=max([kind.last_bad for kind in kinds if kind.last_bad is not None], default=None),
        wrong=next((kind.wrong for kind in kinds if kind.wrong), None),
        kinds=kinds,
    )
