"""A notice as a Slack message in Block Kit: pure, and within Slack's limits for any text whatever.

The limits are those of Slack's Block Kit reference. Dynamic text is of type ``plain_text``, in which Slack reads
neither markup nor mentions, and is escaped as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from monitor.config.quantity import format_duration
from monitor.model import Notice, NoticeCause, NoticeState, Severity

HEADER_LIMIT = 150
SECTION_LIMIT = 3000
FIELD_LIMIT = 2000
FIELDS_LIMIT = 10
BLOCKS_LIMIT = 50
TEXT_LIMIT = 4000
CONTEXT_LIMIT = 300
LINK_LIMIT = 1000

FACTS_SHOWN = 30
FACTS_FIRST = 9
"""Facts of a message that has a thread: the rest stands there."""
FACTS_BUDGET = 6000
"""Characters of all facts together: a message that is far too long is refused whole, whatever its blocks."""

Block = dict[str, Any]

MERGED = "↪️"

_ICONS = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.CRITICAL: "🔴"}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``text`` is what a notification shows, and what stands in for the blocks where they cannot be drawn."""

    text: str
    blocks: tuple[Block, ...]


def render(
    notice: Notice, *, announced: bool, threaded: bool = False, buttons: Block | None = None, linked: bool = True
) -> Message:
    """``announced``: people have already seen that the incident fired. ``threaded``: what does not fit into a few facts
    stands in the message's thread. ``buttons``: a block of them; ``linked``: the page is linked in words."""
    text = headline(notice, announced=announced)
    facts = told_facts(notice)
    shown = fields(facts[: FACTS_FIRST if threaded else FACTS_SHOWN])
    blocks: list[Block] = [{"type": "header", "text": plain(text, HEADER_LIMIT)}]
    if notice.summary.strip():
        blocks.append({"type": "section", "text": plain(notice.summary, SECTION_LIMIT)})
    if shown and notice.state is NoticeState.RESOLVED:
        blocks.append({"type": "context", "elements": [plain("How it was:", CONTEXT_LIMIT)]})
    blocks += in_sections(shown)
    if notice.advice and notice.state is NoticeState.FIRING:
        blocks.append({"type": "context", "elements": [plain(f"What to do: {notice.advice}", FIELD_LIMIT)]})
    if notice.acknowledged is not None and notice.state is NoticeState.FIRING:
        blocks.append({"type": "context", "elements": [plain(f"👀 Taken on by {notice.acknowledged.by}", FIELD_LIMIT)]})
    if buttons is not None:
        blocks.append(buttons)
    left_out = len(facts) - len(shown)
    where = "in the thread" if threaded else "left out"
    more = f"{left_out} more {'fact' if left_out == 1 else 'facts'} {where}" if left_out else ""
    blocks.append(_context(notice, left_out=more, linked=linked))
    said = clip(f"{text}: {notice.summary}" if notice.summary.strip() else text, TEXT_LIMIT)
    return Message(text=said, blocks=tuple(blocks))


def told_facts(notice: Notice) -> tuple[tuple[str, str], ...]:
    """Without what the headline of a resolved one says already."""
    over = notice.state is NoticeState.RESOLVED
    return tuple(fact for fact in notice.facts if not (over and fact[0] == "lasted"))


def in_sections(shown: Sequence[Block]) -> list[Block]:
    starts = range(0, len(shown), FIELDS_LIMIT)
    return [{"type": "section", "fields": shown[start : start + FIELDS_LIMIT]} for start in starts]


def icon(severity: Severity) -> str:
    return _ICONS[severity]


def lasted(notice: Notice) -> str:
    """From the beginning of the incident to this notice, as ``4m12s``."""
    return format_duration(float(max(1, round(notice.at - notice.since))))


def clip(text: str, limit: int) -> str:
    """Escaped, and at most ``limit`` characters long after that, counted as UTF-16 does (the stricter way)."""
    pieces = [_ENTITIES.get(character, character) for character in text.encode("utf-8", "replace").decode()]
    if sum(map(_length, pieces)) <= limit:
        return "".join(pieces)
    room, kept = limit - 1, []
    for piece in pieces:
        room -= _length(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _length(piece: str) -> int:
    return len(piece) + (piece > "\uffff")


def plain(text: str, limit: int) -> Block:
    # Without emoji=False a model called ":skull:" would be drawn as one.
    return {"type": "plain_text", "text": clip(text.strip() or "–", limit), "emoji": False}


def headline(notice: Notice, *, announced: bool) -> str:
    if notice.cause is NoticeCause.TEST:
        return f"🔔 Test: {notice.title}"
    if notice.state is NoticeState.FIRING:
        return f"{_ICONS[notice.severity]} {notice.severity.capitalize()}: {notice.title}"
    if notice.merged_into is not None:
        return f"{MERGED} Not over, part of another incident now ({notice.severity}): {notice.title}"
    how = "Resolved" if announced else "Fired and resolved"
    return f"✅ {how} after {lasted(notice)} ({notice.severity}): {notice.title}"


def fields(facts: Sequence[tuple[str, str]]) -> list[Block]:
    """As many of the facts, from the first on, as fit."""
    room, found = FACTS_BUDGET, []
    for name, text in facts[:FACTS_SHOWN]:
        field = plain(f"{name}\n{text}", min(FIELD_LIMIT, room))
        found.append(field)
        room -= sum(map(_length, field["text"]))
        if room < HEADER_LIMIT:
            break
    return found


def _context(notice: Notice, *, left_out: str, linked: bool) -> Block:
    """Built from our own words, numbers and a link, so it may use markup: Slack shows the time in the reader's zone."""
    since = datetime.fromtimestamp(notice.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    parts = [f"since <!date^{int(notice.since)}^{{date_short_pretty}} {{time_secs}}|{since}>"]
    if left_out:
        parts.append(left_out)
    if notice.docs is not None and (url := safe_url(notice.docs)):
        parts.append(f"<{url}|What it means>")
    if linked and notice.link is not None and (url := safe_url(notice.link)):
        parts.append(f"<{url}|Open fallbackd>")
    elements = [
        plain(" · ".join(filter(None, (f"Incident {notice.incident}", notice.alert, notice.chain))), CONTEXT_LIMIT),
        {"type": "mrkdwn", "text": " · ".join(parts), "verbatim": True},
    ]
    return {"type": "context", "elements": elements}


def safe_url(url: str) -> str:
    """Empty for a URL that is absurdly long: half a link leads nowhere."""
    safe = quote(url, safe=":/?#[]@!$&'()*+,;=%~").replace("&", "&amp;")
    return safe if len(safe) <= LINK_LIMIT else ""
