"""What a gateway in a process of its own keeps of its exchanges, for a daemon that asks for them in its own time."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from itertools import islice

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from monitor.model import Outcome, new_id

KEPT = 20_000
"""Outcomes, the latest; some kB each."""
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``of``: the run of the gateway that they are of; ``next``: where the page after this one begins; ``lost``: so
    many before these were let go of, unasked; ``more``: others wait."""

    of: str
    next: int
    lost: int
    more: bool
    outcomes: tuple[Outcome, ...]


_PAGE: TypeAdapter[Page | None] = TypeAdapter(Page | None, config=ConfigDict(ser_json_inf_nan="constants"))


def dump_page(page: Page) -> bytes:
    try:
        return _PAGE.dump_json(page, warnings=False)
    except PydanticSerializationError:  # half of a character, which a provider may send
        plain = _PAGE.dump_python(page, mode="json")
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")


def read_page(data: bytes) -> Page | None:
    """Raises ValueError for what is no page."""
    return _PAGE.validate_json(data)


class Backlog:
    """The latest outcomes, each with its number."""

    def __init__(self, kept: int = KEPT, page: int = PAGE) -> None:
        self.of = new_id()
        self._kept: deque[Outcome] = deque(maxlen=kept)
        self._page = page
        self._next = 0

    def add(self, outcome: Outcome) -> None:
        self._kept.append(outcome)
        self._next += 1

    def page(self, of: str, after: int) -> Page:
        """From the number ``after`` on, as a page of the run ``of`` said; all that is kept for who says another. What
        went by before anybody asked for the first time is not lost to him."""
        first = self._next - len(self._kept)
        wanted = after if of == self.of and 0 <= after <= self._next else 0
        start = max(first, wanted)
        found = tuple(islice(self._kept, start - first, start - first + self._page))
        end = start + len(found)
        return Page(of=self.of, next=end, lost=start - wanted if of else 0, more=end < self._next, outcomes=found)
