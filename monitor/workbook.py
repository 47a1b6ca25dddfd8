"""Experiments against what is configured now: read from a file, or planned as the matrix of a chain.

Used by the daemon and by commands that run without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chaos.drills import resolve_one
from chaos.guard import GuardView
from chaos.injectors.injector import Injector
from chaos.matrix import Matrix, affordable, plan
from chaos.model import Drill
from chaos.runner import Runner
from monitor.config.experiments import read_entry, read_experiment
from monitor.config.model import Config, DrillConfig
from monitor.vocabulary import vocabulary
from monitor.web.laboratory_views import ExperimentView, LeftOutView, MatrixView, PlannedView


class Workbook:
    """``config`` and ``view`` are asked anew each time; ``view`` raises KeyError for a chain that is not configured."""

    def __init__(
        self,
        *,
        config: Callable[[], Config],
        view: Callable[[str], GuardView],
        runner: Runner,
        injectors: Mapping[str, Injector],
    ) -> None:
        self._config = config
        self._view = view
        self._runner = runner
        self._injectors = injectors

    def matrix(self, name: str) -> MatrixView:
        """Raises KeyError for a chain that is not configured."""
        config, view = self._config(), self._view(name)
        chain = config.chain(name)
        whole = plan(chain, self._injectors, self._runner.may, config.endpoints[chain.endpoint].dialect)
        found = affordable(whole, cost=view.cost, remaining=view.budget)
        return matrix_view(found, cost=view.cost, remaining=view.budget)

    def read(self, file: str, text: bytes) -> ExperimentView:
        """Raises ConfigError with every mistake."""
        found = read_experiment(text, file, self._config(), vocabulary())
        drills = tuple(map(written, found.drills))
        if found.script is None:
            return ExperimentView(drills=drills)
        own = found.script
        return ExperimentView(
            drills=drills, title=own.title, hypothesis=own.hypothesis, steps=own.steps, notes=own.notes
        )

    def drill(self, entry: Any) -> Drill:
        """The experiment that an entry describes. Raises ConfigError with every mistake."""
        config = self._config()
        found = read_entry(entry, config, vocabulary())
        chain = config.chain(found.chain)
        return resolve_one(found, chain, config.endpoints[chain.endpoint].dialect)


def written(drill: DrillConfig) -> Mapping[str, Any]:
    """A drill as it would stand under ``drills:``."""
    return drill.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)


def matrix_view(matrix: Matrix, *, cost: float | None, remaining: float | None) -> MatrixView:
    return MatrixView(
        chain=matrix.chain,
        drills=tuple(
            PlannedView(
                start=one.edge[0],
                end=one.edge[1],
                fault=one.drill.fault,
                name=one.drill.name,
                entry=one.entry,
                requests=one.drill.most_requests,
                usd=_times(one.drill.most_requests, cost),
            )
            for one in matrix.drills
        ),
        left_out=tuple(
            LeftOutView(start=one.edge[0], end=one.edge[1], fault=one.fault, because=one.because)
            for one in matrix.left_out
        ),
        requests=matrix.most_requests,
        usd=_times(matrix.most_requests, cost),
        usd_usual=_times(matrix.usual_requests, cost),
        remaining=remaining,
        seconds=sum(one.drill.max_duration for one in matrix.drills),
    )


def _times(requests: int, cost: float | None) -> float | None:
    return None if cost is None else requests * cost
