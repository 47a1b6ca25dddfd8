"""Experiments inside the daemon. Implements ``monitor.web.laboratory.Laboratory``."""

from __future__ import annotations

from chaos.journals import journal_from_json
from chaos.model import Journal
from chaos.reports import html, markdown, style_source
from monitor.drilling import Drilling
from monitor.store import Store


class Experimenting:
    def __init__(self, *, store: Store, drilling: Drilling) -> None:
        self._drilling = drilling
        self._store = store

    async def report_html(self, run: str) -> tuple[str, str] | None:
        journal = await self._journal(run)
        return None if journal is None else (html(journal), style_source())

    async def report_markdown(self, run: str) -> str | None:
        journal = await self._journal(run)
        return None if journal is None else markdown(journal)

    async def _journal(self, run: str) -> Journal | None:
        """Raises JournalError for one that an older version wrote in another form."""
        raw = self._drilling.fresh(run)
        if raw is None:
            stored = await self._store.journal(run)
            raw = stored[1] if stored else None
        return None if raw is None else journal_from_json(raw)
