"""Performs a Chaos Toolkit experiment: its hypothesis, its method with drills that break, its hypothesis again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

from chaos.model import Phase
from chaos.reports.results import Result
from chaos.tolerance import outside
from monitor.commands.drill_places import Json, Place, Wanted
from monitor.commands.drill_progress import Progress
from monitor.commands.drill_session import Session
from monitor.model import VerdictKind

ANSWER_LIMIT = 1024 * 1024
"""Bytes of an answer that are looked at."""
RESULT_AFTER = f"  {Phase.RECOVER.value} "
"""In a line of a journal: the fault is on its way out."""


class Performance:
    """``found``: what ``/api/v1/experiments`` made of the file."""

    def __init__(self, found: Json, place: Place, session: Session, progress: Progress) -> None:
        self._title = str(found["title"])
        self._hypothesis: Sequence[Json] = found["hypothesis"]
        self._steps: Sequence[Json] = found["steps"]
        self._place = place
        self._session = session
        self._progress = progress
        self._results: list[Result] = []
        self._drill: asyncio.Task[Result] | None = None
        self._broken = asyncio.Event()
        self._mended = False

    async def run(self) -> list[Result]:
        async with self._session.listening():
            self._progress.note(self._title)
            if not await self._holds("before", VerdictKind.INCONCLUSIVE):
                return self._results
            try:
                for step in self._steps:
                    if not self._session.ended:
                        await self._perform(step)
            finally:
                await self._drilled()
            if not self._session.ended:
                await self._holds("after", VerdictKind.DEVIATED)
        return self._results

    async def _holds(self, when: str, otherwise: VerdictKind) -> bool:
        """Whether every probe of the hypothesis is within its tolerance; each is a result of its own."""
        held = True
        for probe in self._hypothesis:
            said, wrong = await ask(probe)
            held = held and wrong is None
            self._add(f"hypothesis {when}: {probe['name']}", otherwise if wrong else VerdictKind.PASSED, wrong or said)
        return held

    async def _perform(self, step: Json) -> None:
        if step["do"] == "pause":
            await self._session.pause(step["seconds"])
        elif step["do"] == "mend":
            await self._drilled()
        elif step["do"] == "probe":
            await self._probe(step)
        else:
            await self._drilled()
            await self._break(step)

    async def _break(self, step: Json) -> None:
        """In the background: until the fault is in; else to the end of the drill."""
        entry = step.get("entry")
        if entry is None:
            wanted = await self._place.named(step["name"])
        else:
            wanted = Wanted(name=entry["name"], chain=entry["chain"], entry=entry)
        self._broken, self._mended = asyncio.Event(), False
        self._drill = asyncio.create_task(self._session.one(wanted, say=self._hear))
        if step["background"]:
            waiting = asyncio.create_task(self._broken.wait())
            await asyncio.wait({self._drill, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        else:
            await self._drilled()

    def _hear(self, line: str) -> None:
        if f"  {Phase.INJECT.value} " in line:
            self._broken.set()
        elif RESULT_AFTER in line:
            self._mended = True

    async def _drilled(self) -> None:
        """Until the drill that runs in the background is over, if there is one."""
        drill, self._drill = self._drill, None
        if drill is not None:
            self._results.append(await drill)

    async def _probe(self, step: Json) -> None:
        during = self._drill is not None
        said, wrong = await ask(step)
        kind, told = (VerdictKind.DEVIATED, wrong) if wrong else (VerdictKind.PASSED, said)
        if during and (self._mended or not self._broken.is_set()):
            kind = VerdictKind.INCONCLUSIVE
            told = f"{told}; the fault was no longer in by then: raise the requests of break_target"
        self._add(str(step["name"]), kind, told)

    def _add(self, name: str, kind: VerdictKind, because: str) -> None:
        self._results.append(Result(name=name, chain=self._title, kind=kind, because=because))
        self._progress.note(f"probe {name}: {kind.value}, {because}")


async def ask(probe: Json) -> tuple[str, str | None]:
    """What the answer was, and what of it is not tolerated."""
    method, arguments = str(probe["method"]).upper(), probe["arguments"]
    kind = next((value for name, value in probe["headers"].items() if name.casefold() == "content-type"), "")
    how = {"params": arguments} if method == "GET" else {"json" if "json" in kind else "data": arguments}
    try:
        async with (
            httpx.AsyncClient(timeout=probe["timeout"], trust_env=False, follow_redirects=True) as client,
            client.stream(method, probe["url"], headers=probe["headers"], **(how if arguments else {})) as reply,
        ):
            body = b""
            async for piece in reply.aiter_bytes():
                body += piece
                if len(body) > ANSWER_LIMIT:
                    break
            status = reply.status_code
    except httpx.HTTPError as error:
        return "", f"{probe['url']} does not answer: {error or type(error).__name__}"
    wrong = outside(probe["tolerance"], status, body.decode("utf-8", "replace"))
    return f"HTTP {status}", None if wrong is None else f"the answer {wrong}"
