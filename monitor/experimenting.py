"""Experiments inside the daemon. Implements ``monitor.web.laboratory.Laboratory``."""

from __future__ import annotations

import asyncio
from typing import Any

from chaos.journals import journal_from_json
from chaos.model import Journal
from chaos.reports import html, markdown, style_source
from monitor.drilling import Drilling
from monitor.store import Store
from monitor.web.laboratory_views import ExperimentView, MatrixView
from monitor.web.views import Refused, Started


class Experimenting:
    def __init__(self, *, store: Store, drilling: Drilling) -> None:
        self._store = store
        self._drilling = drilling

    async def report_html(self, run: str) -> tuple[str, str] | None:
        journal = await self._journal(run)
        return None if journal is None else (html(journal), style_source())

    async def report_markdown(self, run: str) -> str | None:
        journal = await self._journal(run)
        return None if journal is None else markdown(journal)

    def matrix(self, chain: str) -> MatrixView | None:
        try:
            return self._drilling.workbook.matrix(chain)
        except KeyError:
            return None

    def read(self, file: str, text: bytes) -> ExperimentView:
        return self._drilling.workbook.read(file, text)

    async def start(self, entry: Any, *, asked_by: str) -> Started | Refused:
        drill = self._drilling.workbook.drill(entry)
        run, task = self._drilling.start_drill(drill, asked_by=asked_by)
        await asyncio.sleep(0)  # the guard decides before the run waits for anything
        await asyncio.sleep(0)
        if task.done() and not task.cancelled() and task.exception() is None:
            return Refused(because=task.result().verdict.because)
        return Started(run=run)

    def end(self, run: str, *, asked_by: str) -> bool:
        return self._drilling.runner.abort(run, f"ended by {asked_by}")

    async def _journal(self, run: str) -> Journal | None:
        """Raises JournalError for one that an older version wrote in another form."""
        raw = self._drilling.fresh(run)
        if raw is None:
            stored = await self._store.journal(run)
            raw = stored[1] if stored else None
        return None if raw is None else journal_from_json(raw)
