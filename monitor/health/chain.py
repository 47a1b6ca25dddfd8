"""How the health of a chain follows from its own end-to-end results and from its targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.clock import utc_minute
from monitor.health.fitness import lacks, named
from monitor.health.state import ChainState, SubjectState, Trouble
from monitor.model import Health, Reason, Subject, Target, Transition
from monitor.model.quick import quick

_TROUBLED = (Health.LIMITED, Health.DEGRADED, Health.DOWN)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class _Rung:
    """One target with everything that is known of it, its pinned providers summed up."""

    health: Health
    trouble: Trouble | None = None


def judge_chain(
    chain: str,
    own: SubjectState | None,
    targets: Sequence[tuple[Target, SubjectState | None]],
    previous: ChainState | None,
    now: float,
) -> tuple[ChainState, Transition | None]:
    """The chain's state and its change, if any.

    ``targets`` may name a position several times: on its own and once for each pinned provider. Down is a chain whose
    own results are down, or whose targets are all down while nothing is known end to end. Limited is one that nobody
    answers now for rate limits alone.
    """
    rungs = _rungs(targets)
    troubles = tuple(rung.trouble for rung in rungs if rung.trouble)
    health = _judge(own, rungs)
    before = previous.health if previous else Health.UNKNOWN
    reason, detail, outcome = _cause(health, own, troubles)
    state = ChainState(
        chain=chain,
        health=health,
        since=previous.since if previous and health is before else now,
        reason=reason,
        detail=detail,
        own=own.detail if own and own.health in _TROUBLED else "",
        last_good=own.last_good if own else None,
        last_bad=own.last_bad if own else None,
        serving=own.serving if own else None,
        wrong=own.wrong if own else None,
        troubles=troubles,
    )
    if health is before:
        return state, None
    subject = Subject(chain=chain)
    return state, Transition(
        at=now, subject=subject, before=before, after=health, reason=reason, detail=detail, outcome=outcome
    )


def _judge(own: SubjectState | None, rungs: Sequence[_Rung]) -> Health:
    known = own.health if own else Health.UNKNOWN
    if known in (Health.DOWN, Health.LIMITED):
        return known
    if known is Health.UNKNOWN and rungs and all(rung.health is Health.DOWN for rung in rungs):
        return Health.DOWN
    if known is Health.DEGRADED or any(rung.trouble for rung in rungs):
        return Health.DEGRADED
    if own is None and any(rung.health is Health.HEALTHY for rung in rungs):
        return Health.HEALTHY
    return known


def _cause(health: Health, own: SubjectState | None, troubles: Sequence[Trouble]) -> tuple[Reason, str, str | None]:
    """Reason, text, and the id of the outcome that shows it: the chain's own trouble first, then its targets'."""
    texts = [f"{trouble.label} {trouble.health}: {trouble.detail}" for trouble in troubles]
    if own and own.health in _TROUBLED:
        return own.reason, "; ".join([f"end to end {own.health}: {own.detail}", *texts]), own.outcome
    if troubles:
        worst = next((trouble for trouble in troubles if trouble.health is Health.DOWN), troubles[0])
        return worst.reason, "; ".join(texts), worst.outcome
    text = "answers" if health is Health.HEALTHY else ""
    return Reason.NONE, text, own.outcome if own else None


def _rungs(targets: Sequence[tuple[Target, SubjectState | None]]) -> list[_Rung]:
    positions: dict[int, list[tuple[Target, SubjectState | None]]] = {}
    for target, state in targets:
        positions.setdefault(target.position, []).append((target, state))
    return [_rung(positions[position]) for position in sorted(positions)]


def _rung(entries: Sequence[tuple[Target, SubjectState | None]]) -> _Rung:
    pins = [entry for entry in entries if entry[0].provider is not None] if len(entries) > 1 else []
    target, state = next((entry for entry in entries if entry not in pins), (entries[0][0], None))
    own = _own_rung(target, state)
    return _with_pins(own, target, pins) if pins else own


def _own_rung(target: Target, state: SubjectState | None) -> _Rung:
    if state is None or state.health not in _TROUBLED:
        return _Rung(health=state.health if state else Health.UNKNOWN)
    return _Rung(
        health=state.health,
        trouble=Trouble(
            label=target.label,
            position=target.position,
            health=state.health,
            reason=state.reason,
            since=state.since,
            detail=_why(state),
            outcome=state.outcome,
            lacks=lacks(state),
            endpoint=target.endpoint,
            model=target.model,
            providers=(target.provider,) if target.provider else (),
        ),
    )


def _with_pins(own: _Rung, target: Target, pins: Sequence[tuple[Target, SubjectState | None]]) -> _Rung:
    """A target is no better than degraded while one of its providers is: the router has fewer places to go to."""
    bad = [(pin, state) for pin, state in pins if state and state.health in _TROUBLED]
    if not bad:
        known = own.health is not Health.UNKNOWN or not any(s and s.health is Health.HEALTHY for _, s in pins)
        return own if known else replace(own, health=Health.HEALTHY)
    providers = _providers(bad)
    if own.trouble:
        detail = _with_its_pins(own.trouble, bad, len(pins))
        return replace(own, trouble=replace(own.trouble, detail=detail, providers=providers))
    health = _pins_health(own.health, [state.health for _, state in bad], len(pins))
    first = min((state for _, state in bad), key=lambda state: state.since)
    trouble = Trouble(
        label=target.label,
        position=target.position,
        health=health,
        reason=first.reason,
        since=first.since,
        detail=_pins_described(bad, len(pins)),
        outcome=first.outcome,
        endpoint=target.endpoint,
        model=target.model,
        providers=providers,
    )
    return _Rung(health=health, trouble=trouble)


def _providers(bad: Sequence[tuple[Target, SubjectState]]) -> tuple[str, ...]:
    """Those that are down; without one, those that are in lesser trouble."""
    down = [pin.provider for pin, state in bad if state.health is Health.DOWN]
    return tuple(name for name in down or [pin.provider for pin, _ in bad] if name)


def _pins_health(own: Health, bad: Sequence[Health], pins: int) -> Health:
    if own is Health.UNKNOWN and bad.count(Health.DOWN) == pins:
        return Health.DOWN
    return Health.LIMITED if all(health is Health.LIMITED for health in bad) else Health.DEGRADED


def _with_its_pins(own: Trouble, bad: Sequence[tuple[Target, SubjectState]], pins: int) -> str:
    """A target with one provider is in the same trouble as that provider, which is said once."""
    pin, state = bad[0]
    if pins == 1 and (state.health, state.reason) == (own.health, own.reason):
        return f"{own.detail} at {pin.provider}"
    return f"{own.detail}, {_pins_described(bad, pins)}"


def _pins_described(bad: Sequence[tuple[Target, SubjectState]], pins: int) -> str:
    if pins == 1:
        pin, state = bad[0]
        return f"its provider {pin.provider} is {state.health} ({_why(state)})"
    parts = []
    for health in reversed(_TROUBLED):
        which = [(pin, state) for pin, state in bad if state.health is health]
        if which:
            names = ", ".join(f"{pin.provider} ({_why(state)})" for pin, state in which)
            parts.append(f"{len(which)} of {pins} providers {health}: {names}")
    return ", ".join(parts)


def _why(state: SubjectState) -> str:
    return f"{named(state)} since {utc_minute(state.since)}"
