"""Values to rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

import structlog
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from monitor.model import Notice, Outcome, Transition, Verdict

log = structlog.get_logger("store")

Value = TypeVar("Value")
Row = dict[str, Any]

OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
TRANSITION: TypeAdapter[Transition] = TypeAdapter(Transition)
VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)
NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)
_WRITING: TypeAdapter[Outcome | None] = TypeAdapter(Outcome | None, config=ConfigDict(ser_json_inf_nan="constants"))
"""Knows the fields, which ``to_json`` looks up for each value. A dataclass alone takes no config."""


def encode(value: Value, adapter: TypeAdapter[Value]) -> bytes:
    """JSON that ``decode`` reads back equal, but for lone surrogates (an upstream may send them): they become ``?``."""
    try:
        return to_json(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        plain = adapter.dump_python(value, mode="json")
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")


def _encode_outcome(outcome: Outcome) -> bytes:
    """As ``encode``, in a third of the time: there are many of them."""
    try:
        return _WRITING.serializer.to_json(outcome, warnings=False)
    except PydanticSerializationError:
        return encode(outcome, OUTCOME)


def decode(data: bytes, adapter: TypeAdapter[Value]) -> Value:
    """Raises pydantic.ValidationError for what ``encode`` did not write."""
    return adapter.validate_json(data)


def decode_all(rows: Iterable[bytes], adapter: TypeAdapter[Value]) -> list[Value]:
    """What can be read. One damaged row must not hide the others."""
    found: list[Value] = []
    for row in rows:
        try:
            found.append(decode(row, adapter))
        except ValidationError as error:
            log.warning("a stored row cannot be read and is left out", why=str(error).splitlines()[0])
    return found


def _row(**columns: Any) -> Row:
    # A lone surrogate is no valid UTF-8: one of them would block every later row.
    for name, value in columns.items():
        if type(value) is str and not value.isascii():
            columns[name] = value.encode("utf-8", "replace").decode()
    return columns


def outcome_row(outcome: Outcome) -> Row:
    return _row(
        id=outcome.id,
        at=outcome.at,
        chain=outcome.chain,
        target=outcome.target,
        provider=outcome.provider,
        probe=outcome.probe,
        origin=outcome.origin.value,
        drill=outcome.drill,
        status=outcome.status.value,
        path=outcome.path.value if outcome.path else None,
        cost=outcome.cost,
        value=_encode_outcome(outcome),
        kind=outcome.kind,
        position=outcome.position,
        duration=outcome.duration,
        first_token=outcome.first_token,
    )


def transition_row(transition: Transition) -> Row:
    return _row(at=transition.at, chain=transition.subject.chain, value=encode(transition, TRANSITION))


def journal_row(verdict: Verdict, journal: bytes) -> Row:
    return _row(
        run=verdict.run,
        at=verdict.at,
        drill=verdict.drill,
        chain=verdict.chain,
        value=encode(verdict, VERDICT),
        journal=journal,
    )


def notice_row(notice: Notice, fate: str) -> Row:
    return _row(
        id=notice.id,
        notifier=notice.notifier,
        incident=notice.incident,
        at=notice.at,
        fate=fate,
        value=encode(notice, NOTICE),
    )
