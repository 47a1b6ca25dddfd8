"""The questions that are asked of the database, as statements: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Table, and_, case, cast, func, or_, select

from monitor.model import Origin, Status
from monitor.store.schema import JOURNALS, OUTCOMES, TRANSITIONS

Cursor = tuple[float, str]

_COUNTING = tuple(origin.value for origin in Origin if origin.counts)


def outcomes(
    columns: Mapping[str, str | None], *, since: float | None, before: Cursor | None, limit: int
) -> Select[Any]:
    """Newest first, of these values; ``before`` is the (at, id) of the last one already seen."""
    table = OUTCOMES.c
    conditions = _equal(OUTCOMES, columns)
    if since is not None:
        conditions.append(table.at >= since)
    if before is not None:
        at, id_ = before
        conditions.append(or_(table.at < at, and_(table.at == at, table.id < id_)))
    return select(table.value).where(*conditions).order_by(table.at.desc(), table.id.desc()).limit(limit)


def outcome(id_: str) -> Select[Any]:
    return select(OUTCOMES.c.value).where(OUTCOMES.c.id == id_)


def first_outcome(chain: str) -> Select[Any]:
    return select(func.min(OUTCOMES.c.at)).where(OUTCOMES.c.chain == chain)


def transitions(*, chain: str | None, since: float | None, limit: int) -> Select[Any]:
    table = TRANSITIONS.c
    conditions = _equal(TRANSITIONS, {"chain": chain})
    if since is not None:
        conditions.append(table.at >= since)
    return select(table.value).where(*conditions).order_by(table.at.desc(), table.seq.desc()).limit(limit)


def journals(*, drill: str | None, chain: str | None, limit: int) -> Select[Any]:
    table = JOURNALS.c
    wanted = _equal(JOURNALS, {"drill": drill, "chain": chain})
    found = select(table.value, table.journal).where(*wanted)
    return found.order_by(table.at.desc(), table.run.desc()).limit(limit)


def journal(run: str) -> Select[Any]:
    return select(JOURNALS.c.value, JOURNALS.c.journal).where(JOURNALS.c.run == run)


def fallback_buckets(since: float) -> Select[Any]:
    """(chain, minute since the epoch, path, count) of whole chains, from outcomes whose origin counts."""
    table = OUTCOMES.c
    minute = cast(table.at / 60, Integer).label("minute")
    return (
        select(table.chain, minute, table.path, func.count())
        .where(table.at >= since, table.target.is_(None), table.path.is_not(None), table.origin.in_(_COUNTING))
        .where(table.drill.is_(None))  # a live exchange with a drill was broken on purpose
        .group_by(table.chain, minute, table.path)
        .order_by(minute)
    )


def objective_buckets(since: float) -> Select[Any]:
    """(chain, minute since the epoch, answered, unanswered) of whole chains, from outcomes whose origin counts."""
    table = OUTCOMES.c
    minute = cast(table.at / 60, Integer).label("minute")
    bad = func.sum(case((table.status == Status.FAILED.value, 1), else_=0))
    return (
        select(table.chain, minute, func.count() - bad, bad)
        .where(table.at >= since, table.target.is_(None), table.origin.in_(_COUNTING))
        .where(table.drill.is_(None), table.status != Status.ERROR.value)
        .group_by(table.chain, minute)
    )


def spend(since: float) -> Select[Any]:
    """(chain, USD), whatever asked."""
    table = OUTCOMES.c
    costly = table.cost.is_not(None)
    return select(table.chain, func.sum(table.cost)).where(table.at >= since, costly).group_by(table.chain)


def last_probes() -> Select[Any]:
    """(chain, probe, at) of the newest outcome whose origin counts."""
    table = OUTCOMES.c
    asked = select(table.chain, table.probe, func.max(table.at)).where(table.origin.in_(_COUNTING))
    return asked.group_by(table.chain, table.probe)


def _equal(table: Table, columns: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in columns.items() if value is not None]
