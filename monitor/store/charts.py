"""The questions of charts: a day and more, counted by the database into buckets, from one index alone. Pure.

A bucket is named by its number: seconds since the epoch divided by the width of a bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, Select, case, cast, func, select, union_all

from monitor.model import Origin, Status
from monitor.store.schema import OUTCOMES

PLAIN_KINDS = ("completion", "stream")
"""How long a tool call or a long prompt takes is not how long an answer takes."""

_COUNTING = tuple(origin.value for origin in Origin if origin.counts)
_ANSWERED = (Status.OK.value, Status.DEGRADED.value)


def served(chains: Sequence[str], *, since: float, width: float) -> Select[Any]:
    """(chain, bucket, position, path, count): who answered whole chains, from outcomes whose origin counts."""
    table = OUTCOMES.c
    bucket = _bucket(table.at, width)
    return (
        select(table.chain, bucket, table.position, table.path, func.count())
        .where(table.chain.in_(chains), table.target.is_(None), table.at >= since)
        .where(table.origin.in_(_COUNTING), table.drill.is_(None), table.path.is_not(None))
        .group_by(table.chain, bucket, table.position, table.path)
        .order_by(table.chain, bucket)
    )


def quantiles(chain: str, targets: Sequence[str], column: str, *, since: float, width: float) -> Select[Any]:
    """(target or None for the whole chain, bucket, count, median, worst) of ``duration`` or ``first_token``, of
    questions that were asked as scheduled and answered; live traffic has its own metrics."""
    whole = _answered(chain, OUTCOMES.c.target.is_(None), column, since=since, width=width)
    own = _answered(chain, OUTCOMES.c.target.in_(targets), column, since=since, width=width)
    answered = union_all(whole, own).subquery()  # two searches of the index, where an OR would read all of the chain
    group = (answered.c.target, answered.c.bucket)
    ranked = select(
        *answered.c,
        func.row_number().over(partition_by=group, order_by=answered.c.value).label("rank"),
        func.count().over(partition_by=group).label("answers"),
    ).subquery()
    middle = case((ranked.c.rank == cast((ranked.c.answers + 1) / 2, Integer), ranked.c.value))
    found = select(
        ranked.c.target, ranked.c.bucket, func.max(ranked.c.answers), func.max(middle), func.max(ranked.c.value)
    )
    return found.group_by(ranked.c.target, ranked.c.bucket).order_by(ranked.c.bucket)


def _answered(chain: str, target: ColumnElement[bool], column: str, *, since: float, width: float) -> Select[Any]:
    table, value = OUTCOMES.c, OUTCOMES.c[column]
    return (
        select(table.target, _bucket(table.at, width), value.label("value"))
        .where(table.chain == chain, target, table.at >= since, table.origin == Origin.SCHEDULED.value)
        .where(table.kind.in_(PLAIN_KINDS), table.status.in_(_ANSWERED), value.is_not(None))
    )


def _bucket(at: Column[Any], width: float) -> ColumnElement[int]:
    return cast(at / width, Integer).label("bucket")
