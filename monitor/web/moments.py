"""Times that stand in a text become ``<time>`` elements, which the page shows in the reader's zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

_MOMENT = re.compile(r"\b(?P<whole>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)|\b(?P<minute>(?:[01]\d|2[0-3]):[0-5]\d) UTC\b")


def moments(text: str, now: float) -> Markup:
    """The text with its times marked: ``2026-10-03T12:03:20Z``, and ``12:03 UTC`` as the latest such moment there was.
    Without a script it reads as it was written, but for the letters T and Z."""
    made, end = Markup(""), 0
    for found in _MOMENT.finditer(text):
        made += escape(text[end : found.start()]) + _element(found, now)
        end = found.end()
    return made + escape(text[end:])


def _element(found: re.Match[str], now: float) -> Markup:
    whole = found["whole"]
    at = _read(whole) if whole else _latest(found["minute"], now)
    if at is None:
        return escape(found[0])
    said = at.strftime("%Y-%m-%d %H:%M:%S UTC") if whole else found[0]
    return Markup('<time datetime="{}" data-moment="{}" title="{} UTC">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), "second" if whole else "minute", at.strftime("%Y-%m-%d %H:%M:%S"), said
    )


def _read(text: str) -> datetime | None:
    """None where it only looks like a time: month 13, say."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _latest(minute: str, now: float) -> datetime:
    last = datetime.fromtimestamp(now, UTC)
    hour, minutes = map(int, minute.split(":"))
    at = last.replace(hour=hour, minute=minutes, second=0, microsecond=0)
    return at if at <= last else at - timedelta(days=1)
