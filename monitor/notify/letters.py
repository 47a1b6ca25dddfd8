"""A notice as an e-mail: pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from monitor.clock import utc
from monitor.model import Notice, NoticeCause, NoticeState
from monitor.notify.blocks import headline

SUBJECT_LIMIT = 200
BODY_LIMIT = 100_000
_DOMAIN = "fallbackd.invalid"
"""Message ids need a domain; this one belongs to nobody (RFC 2606)."""


def message_id(notice: Notice) -> str:
    """The same for the same notice, so that who gets it twice can see that."""
    digest = hashlib.sha256(notice.id.encode("utf-8", "replace")).hexdigest()
    return f"<{digest[:32]}@{_DOMAIN}>"


def letter(notice: Notice, *, sender: str, to: Sequence[str], first: str | None) -> EmailMessage:
    """``first``: the id of the incident's first message, None when this is it."""
    made = EmailMessage()
    made["Subject"] = _one_line(headline(notice, announced=first is not None), SUBJECT_LIMIT)
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
    made["Message-ID"] = message_id(notice)
    made["Auto-Submitted"] = "auto-generated"  # so that absence notes do not answer (RFC 3834)
    if first is not None:
        made["In-Reply-To"] = made["References"] = first
    made.set_content(_clean("\n".join(_lines(notice)))[:BODY_LIMIT])
    return made


def _lines(notice: Notice) -> Iterator[str]:
    if notice.cause is NoticeCause.TEST:
        yield "This is an example that somebody asked for.\n"
    yield notice.title
    if notice.summary.strip():
        yield f"\n{notice.summary}"
    if notice.changes:
        yield "\nNew:"
        yield from (f"- {change}" for change in notice.changes)
    if notice.acknowledged is not None and notice.state is NoticeState.FIRING:
        yield f"\nTaken on by {notice.acknowledged.by}"
    if notice.facts:
        yield ""
        yield from (f"{name}: {text}" for name, text in notice.facts)
    if notice.advice:
        yield f"\nWhat to do: {notice.advice}"
    yield f"\nSince {utc(notice.since)}"
    yield " · ".join(filter(None, (f"Incident {notice.incident}", notice.alert, notice.chain)))
    yield from (f"{name}: {url}" for name, url in (("Page", notice.link), ("What it means", notice.docs)) if url)


def _clean(text: str) -> str:
    """Without halves of surrogate pairs and without control characters, which mail cannot carry."""
    whole = text.encode("utf-8", "replace").decode().replace("\r", "\n")
    return "".join(one for one in whole if one in "\n\t" or one.isprintable())


def _one_line(text: str, limit: int) -> str:
    line = " ".join(_clean(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
