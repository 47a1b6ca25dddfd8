"""What the page and the API show of coverage: for each chain its edges, the faults, and how each pair stands."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ConfigDict, Field

from monitor.coverage import Cell, ChainCoverage, Proof
from monitor.web.views import View


class _Ends(View):
    """Both ends of an edge, by label; in JSON they are called ``from`` and ``to``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: str = Field(alias="from")
    end: str = Field(alias="to")


class EdgeView(_Ends):
    """``state``: broken where any fault is, else proven where any is, else stale, else never."""

    state: Proof


class CellView(_Ends):
    """A pair of edge and fault. ``at``, ``failover``, ``drill``, ``run`` and ``because`` are of the run that the state
    rests on; ``proven_at`` is when one last passed. ``planned``: a drill of the config aims at it."""

    fault: str
    state: Proof
    planned: bool
    at: float | None = None
    proven_at: float | None = None
    failover: float | None = None
    drill: str | None = None
    run: str | None = None
    because: str = ""


class ChainCoverageView(View):
    chain: str
    edges: tuple[EdgeView, ...]
    faults: tuple[str, ...]
    cells: tuple[CellView, ...]


class CoverageView(View):
    """``stale_after``: seconds for which a proof holds."""

    stale_after: float
    chains: tuple[ChainCoverageView, ...]


def coverage_view(tables: Iterable[ChainCoverage], stale_after: float) -> CoverageView:
    return CoverageView(stale_after=stale_after, chains=tuple(_chain(table) for table in tables))


def _chain(table: ChainCoverage) -> ChainCoverageView:
    return ChainCoverageView(
        chain=table.chain,
        edges=tuple(EdgeView(start=edge[0], end=edge[1], state=table.state(edge)) for edge in table.edges),
        faults=table.faults,
        cells=tuple(map(_cell, table.cells)),
    )


def _cell(cell: Cell) -> CellView:
    return CellView(
        start=cell.pair.edge[0],
        end=cell.pair.edge[1],
        fault=cell.pair.fault,
        state=cell.state,
        planned=cell.planned,
        at=cell.at,
        proven_at=cell.proven_at,
        failover=cell.failover,
        drill=cell.drill,
        run=cell.run,
        because=cell.because,
    )
