"""What is remembered about the health of targets and chains, and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from monitor.model import Health, Path, Reason, Status, Subject
from monitor.model.quick import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswer:
    """The last answer that came from outside the chain. ``right`` counts the right answers in a row since."""

    at: float
    model: str | None
    provider: str | None
    outcome: str
    right: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Who gave the last end-to-end answer. ``label`` is None when nobody of the chain did.

    ``since``: from when on it has been this one; ``at``: when it was last seen.
    """

    label: str | None
    position: int | None
    path: Path | None
    model: str | None
    since: float
    at: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class KindState:
    """Health of one subject as one kind of probe sees it.

    ``window`` holds the results since the last change, oldest first, at most as many as configured. ``good`` counts
    plainly good results in a row, ``answered`` good or degraded ones, ``limits`` rate limits in a row.
    """

    kind: str
    health: Health
    since: float
    reason: Reason = Reason.NONE
    detail: str = ""
    outcome: str | None = None
    window: tuple[Status, ...] = ()
    good: int = 0
    answered: int = 0
    limits: int = 0
    limited_until: float | None = None
    last_good: float | None = None
    last_bad: float | None = None
    wrong: WrongAnswer | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectState:
    """Health of a target, or of a chain's own end-to-end results: the worst of its kinds.

    ``kind``, ``reason``, ``detail`` and ``outcome`` are those of the worst kind. ``limited_until``: do not ask before.
    ``serving`` is kept for whole chains only.
    """

    subject: Subject
    health: Health
    since: float
    kind: str | None = None
    reason: Reason = Reason.NONE
    detail: str = ""
    outcome: str | None = None
    limited_until: float | None = None
    last_good: float | None = None
    last_bad: float | None = None
    serving: Serving | None = None
    wrong: WrongAnswer | None = None
    kinds: tuple[KindState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A target that is limited, degraded or down. ``since`` is when it became so; ``lacks``: what it cannot do of what
    the chain needs, whatever else is wrong with it. ``providers``: those pinned ones that are in trouble."""

    label: str
    position: int
    health: Health
    reason: Reason
    since: float
    detail: str
    outcome: str | None = None
    lacks: tuple[str, ...] = ()
    endpoint: str = ""
    model: str = ""
    providers: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """Health of a whole chain with its evidence: who serves now, which targets are in trouble and why.

    ``own``: what is wrong with its end-to-end answers alone; ``detail`` holds that and what is wrong with the targets.
    """

    chain: str
    health: Health
    since: float
    reason: Reason = Reason.NONE
    detail: str = ""
    own: str = ""
    last_good: float | None = None
    last_bad: float | None = None
    serving: Serving | None = None
    wrong: WrongAnswer | None = None
    troubles: tuple[Trouble, ...] = ()


_SUBJECT: TypeAdapter[SubjectState] = TypeAdapter(SubjectState)
_CHAIN: TypeAdapter[ChainState] = TypeAdapter(ChainState)


def dump_state(state: SubjectState | ChainState) -> bytes:
    return _SUBJECT.dump_json(state) if isinstance(state, SubjectState) else _CHAIN.dump_json(state)


def load_state(raw: bytes) -> SubjectState | None:
    """None for what another version wrote or what is damaged: the subject then starts as unknown."""
    try:
        return _SUBJECT.validate_json(raw)
    except ValidationError:
        return None


def load_chain_state(raw: bytes) -> ChainState | None:
    """None for what another version wrote or what is damaged: the chain is then judged afresh."""
    try:
        return _CHAIN.validate_json(raw)
    except ValidationError:
        return None
