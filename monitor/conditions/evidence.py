"""The facts that go into a message, worded once for every rule."""

from __future__ import annotations

from monitor.clock import utc
from monitor.conditions.world import World
from monitor.health import ChainState, Serving
from monitor.model import Health, Path

Facts = tuple[tuple[str, str], ...]


OF_THE_MOMENT = frozenset({"chain health", "last good", "last bad", "serves now"})
"""Facts that say how things are right now: of no use to whoever reads that it is over."""


def chain_facts(world: World, chain: str) -> Facts:
    """Health since when, last good, last bad, who serves now, which targets are in trouble and why, what they lack.

    Empty for a chain of which nothing is known.
    """
    state = world.chains.get(chain)
    if state is None:
        return ()
    facts = [
        ("chain health", f"{state.health} since {utc(state.since)}"),
        ("last good", _last(state.last_good, world.live_good.get(chain))),
        ("last bad", _last(state.last_bad, world.live_bad.get(chain))),
        ("serves now", _serving(state.serving)),
    ]
    for name, health in (("dead targets", Health.DOWN), ("degraded", Health.DEGRADED), ("limited", Health.LIMITED)):
        texts = [f"{trouble.label} ({trouble.detail})" for trouble in state.troubles if trouble.health is health]
        facts += [(name, "; ".join(texts))] if texts else []
    unfit = [f"{trouble.label} lacks {', '.join(trouble.lacks)}" for trouble in state.troubles if trouble.lacks]
    facts += [("unfit", "; ".join(unfit))] if unfit else []
    return tuple(facts)


def drill_facts(world: World, chain: str) -> Facts:
    """A drill breaks only fallbackd's own questions, and its answers count towards nothing: trouble seen meanwhile is
    real, and whoever reads of it must know that somebody also breaks things on purpose."""
    running = world.itself.drills.get(chain)
    return (
        (("drill under way", f"{', '.join(running)}; its questions do not count, so this is real"),) if running else ()
    )


def troubled(state: ChainState) -> tuple[str, ...]:
    """Which targets are how, and what they lack; without reasons, since they change with every attempt."""
    return tuple(" ".join((trouble.label, trouble.health, *trouble.lacks)) for trouble in state.troubles)


def answers_now(world: World, chain: str) -> bool:
    """Whether the last end-to-end answer came from the chain, and it is not down."""
    state = world.chains.get(chain)
    return (
        state is not None
        and state.health is not Health.DOWN
        and state.serving is not None
        and state.serving.label is not None
    )


def promised(share: float) -> str:
    """A promise as it was written: ``99.95%``."""
    return f"{share * 100:.6g}%"


def percent(share: float) -> str:
    return f"{share:.1%}"


def _last(asked: float | None, live: float | None) -> str:
    """By our own questions or by the traffic of applications, whichever is later."""
    if live is not None and (asked is None or live > asked):
        return f"{utc(live)} (live traffic)"
    return utc(asked) if asked is not None else "never seen"


def _serving(serving: Serving | None) -> str:
    if serving is None:
        return "unknown: the chain has not been asked end to end"
    since = utc(serving.since)
    if serving.path is Path.WRONG_MODEL:
        return f"{serving.model or 'an unnamed model'}, which is not in the chain, since {since}"
    if serving.label is None:
        return f"nobody, since {since}"
    how = f" ({serving.path})" if serving.path and serving.path is not Path.PRIMARY else ""
    return f"{serving.label}{how}, since {since}"
