"""Which edges of which chains are proven: by which fault, when, and how long the failover took. Pure.

An edge leads from a target to the one that must answer when it (and everything before it) is broken. Only a passed
drill proves a pair of edge and fault; a later deviated one un-proves it; whatever else a run ends as says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from pydantic import TypeAdapter, ValidationError

from monitor.config.model import ChainConfig
from monitor.model import Verdict, VerdictKind

Edge = tuple[str, str]
"""Labels: the last broken target, and the one that must answer."""


class Proof(StrEnum):
    """How a pair of edge and fault stands."""

    PROVEN = "proven"
    STALE = "stale"
    BROKEN = "broken"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a drill is to prove."""

    chain: str
    edge: Edge
    fault: str

    @property
    def key(self) -> str:
        """``chain/from->to/fault``."""
        return f"{self.chain}/{self.edge[0]}->{self.edge[1]}/{self.fault}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One run that said something. ``failover`` in seconds, None where nobody answered."""

    at: float
    drill: str
    run: str
    because: str
    failover: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The last run that passed and the last that deviated. ``models``: of both ends, since a label that is given to
    another model has nothing proven."""

    pair: Pair
    models: tuple[str, str]
    passed: Mark | None = None
    deviated: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One pair as it stands now. ``at``, ``failover``, ``drill`` and ``run`` are of the last run that passed, or, while
    broken, of the one that deviated; ``proven_at`` is when it last passed. ``planned``: a configured drill aims at it.
    """

    pair: Pair
    state: Proof
    planned: bool
    at: float | None = None
    proven_at: float | None = None
    failover: float | None = None
    drill: str | None = None
    run: str | None = None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCoverage:
    """One chain: its edges in order, the faults that drills use on it, and a cell for each pair that matters."""

    chain: str
    edges: tuple[Edge, ...]
    faults: tuple[str, ...]
    cells: tuple[Cell, ...]

    def state(self, edge: Edge) -> Proof:
        """Of the edge as a whole: broken where any fault is, else proven where any is, else stale, else never."""
        states = {cell.state for cell in self.cells if cell.pair.edge == edge}
        return next((state for state in (Proof.BROKEN, Proof.PROVEN, Proof.STALE) if state in states), Proof.NEVER)


def models_of(chain: ChainConfig, edge: Edge) -> tuple[str, str] | None:
    """The models (with the pinned provider) of both ends; None where the chain has no such targets."""
    known = {target.label: f"{target.model}@{target.provider or ''}" for target in chain.all_targets()}
    return (known[edge[0]], known[edge[1]]) if edge[0] in known and edge[1] in known else None


def advance(record: Record | None, verdict: Verdict, chain: ChainConfig) -> Record | None:
    """What a verdict makes of the record of its pair; None where it says nothing about any pair."""
    if verdict.tested is None or verdict.kind not in (VerdictKind.PASSED, VerdictKind.DEVIATED):
        return None
    models = models_of(chain, verdict.tested)
    if models is None:
        return None
    pair = Pair(chain=verdict.chain, edge=verdict.tested, fault=verdict.fault)
    if record is None or record.models != models:
        record = Record(pair=pair, models=models)
    mark = Mark(at=verdict.at, drill=verdict.drill, run=verdict.run, because=verdict.because, failover=verdict.failover)
    if verdict.kind is VerdictKind.PASSED:
        return replace(record, passed=_later(record.passed, mark))
    return replace(record, deviated=_later(record.deviated, mark))


def coverage(
    chain: ChainConfig, planned: Iterable[Pair], records: Iterable[Record], *, now: float, stale_after: float
) -> ChainCoverage:
    """The table of one chain. Its edges are its steps n -> n + 1, and longer ones that a drill aims at."""
    plans = dict.fromkeys(pair for pair in planned if pair.chain == chain.name and models_of(chain, pair.edge))
    known = {
        record.pair: record
        for record in records
        if record.pair.chain == chain.name and record.models == models_of(chain, record.pair.edge)
    }
    labels = [target.label for target in chain.targets]
    steps = list(pairwise(labels))
    jumps = sorted({pair.edge for pair in (*plans, *known)} - set(steps), key=lambda edge: _places(edge, labels))
    planned_faults = dict.fromkeys(pair.fault for pair in plans)
    faults = (*planned_faults, *sorted({pair.fault for pair in known} - planned_faults.keys()))
    pairs = [Pair(chain=chain.name, edge=edge, fault=fault) for edge in (*steps, *jumps) for fault in faults]
    shown = [pair for pair in pairs if pair.edge in steps or pair in plans or pair in known]
    return ChainCoverage(
        chain=chain.name,
        edges=(*steps, *jumps),
        faults=faults,
        cells=tuple(_cell(pair, known.get(pair), planned=pair in plans, now=now, limit=stale_after) for pair in shown),
    )


def _cell(pair: Pair, record: Record | None, *, planned: bool, now: float, limit: float) -> Cell:
    passed, deviated = (record.passed, record.deviated) if record else (None, None)
    if deviated is not None and (passed is None or deviated.at >= passed.at):
        state, mark = Proof.BROKEN, deviated
    elif passed is not None:
        state, mark = Proof.PROVEN if now - passed.at <= limit else Proof.STALE, passed
    else:
        return Cell(pair=pair, state=Proof.NEVER, planned=planned)
    return Cell(
        pair=pair,
        state=state,
        planned=planned,
        at=mark.at,
        proven_at=passed.at if passed else None,
        failover=mark.failover,
        drill=mark.drill,
        run=mark.run,
        because=mark.because,
    )


def _later(known: Mark | None, mark: Mark) -> Mark:
    return mark if known is None or mark.at >= known.at else known


def _places(edge: Edge, labels: list[str]) -> tuple[int, int]:
    return labels.index(edge[0]), labels.index(edge[1])


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


def dump_record(record: Record) -> bytes:
    return _RECORD.dump_json(record)


def load_records(stored: Mapping[str, bytes]) -> dict[str, Record]:
    """By key. What another version wrote in another form has to be proven anew."""
    found = {}
    for key, raw in stored.items():
        try:
            found[key] = _RECORD.validate_json(raw)
        except ValidationError:
            continue
    return found
