"""Many incidents at once as one message, with a place for each in its thread: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.model import Notice
from monitor.notify.blocks import HEADER_LIMIT, SECTION_LIMIT, TEXT_LIMIT, Block, Message, clip, icon, plain

WINDOW = 60.0
"""Seconds: incidents that begin within it count as one burst; so long after the last one a digest is closed."""
TITLE_LIMIT = 200
SHOWN = 40
PART = 10
"""Lines of one section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """``ref`` is the message's; ``lines`` say what began, by incident, in order. Times are of the monotonic clock."""

    ref: str
    lines: tuple[tuple[str, str], ...]
    last: float

    def lists(self, incident: str) -> bool:
        return any(listed == incident for listed, _ in self.lines)


def is_crowded(posted: Sequence[float], fresh: int, now: float, above: int) -> bool:
    """Whether the messages that were posted lately and those that would be are more than people can follow."""
    return sum(now - at < WINDOW for at in posted) + fresh > above


def is_over(digest: Digest, now: float) -> bool:
    return now - digest.last >= WINDOW


def lines(fresh: Sequence[Notice]) -> tuple[tuple[str, str], ...]:
    return tuple((one.incident, f"{icon(one.severity)} {one.title[:TITLE_LIMIT]}") for one in fresh)


def extended(digest: Digest, fresh: Sequence[Notice], now: float) -> Digest | None:
    """With those that it does not list yet; None where it lists them all."""
    new = lines([one for one in fresh if not digest.lists(one.incident)])
    return replace(digest, lines=digest.lines + new, last=now) if new else None


def render_digest(listed: Sequence[tuple[str, str]]) -> Message:
    text = f"⚠️ {len(listed)} alerts began at about the same time"
    blocks: list[Block] = [{"type": "header", "text": plain(text, HEADER_LIMIT)}]
    shown = [line for _, line in listed[:SHOWN]]
    parts = ("\n".join(shown[start : start + PART]) for start in range(0, len(shown), PART))
    blocks += ({"type": "section", "text": plain(part, SECTION_LIMIT)} for part in parts)
    hint = "Each has a message of its own in this thread, which is kept up to date."
    more = f"{len(listed) - SHOWN} more are in the thread. " if len(listed) > SHOWN else ""
    blocks.append({"type": "context", "elements": [plain(f"{more}{hint}", SECTION_LIMIT)]})
    return Message(text=clip(text, TEXT_LIMIT), blocks=tuple(blocks))
