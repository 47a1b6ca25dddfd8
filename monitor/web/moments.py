"""Times that stand in a text become ``<time>`` elements, which the page shows in the reader's zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

_MOMENT = re.compile(
    r"\b(?P<whole>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
    r"|\b(?P<since>since )?(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))? UTC\b"
)


def moments(text: str, now: float) -> Markup:
    """The text with its times marked: ``2026-10-03T12:03:20Z``, and ``12:03 UTC``, which is the nearest such moment,
    and behind *since* the latest; its day is a guess, so that it is shown without one. Without a script the text reads
    as it was written, but for the letters T and Z."""
    made, end = Markup(""), 0
    for found in _MOMENT.finditer(text):
        made += escape(text[end : found.start()]) + _element(found, now)
        end = found.end()
    return made + escape(text[end:])


def _element(found: re.Match[str], now: float) -> Markup:
    since = found["since"] or ""
    at = _read(found["whole"]) if found["whole"] else _near(found, now)
    if at is None:
        return escape(found[0])
    said = at.strftime("%Y-%m-%d %H:%M:%S UTC") if found["whole"] else found[0].removeprefix(since)
    kind = "whole" if found["whole"] else "second" if found["second"] else "minute"
    marked = Markup('<time datetime="{}" data-moment="{}" title="{}">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), kind, said, said
    )
    return escape(since) + marked


def _read(text: str) -> datetime | None:
    """None where it only looks like a time: month 13, say."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _near(found: re.Match[str], now: float) -> datetime:
    last = datetime.fromtimestamp(now, UTC)
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    today = last.replace(hour=hour, minute=minute, second=second, microsecond=0)
    days = [today + timedelta(days=away) for away in ((-1, 0) if found["since"] else (-1, 0, 1))]
    if found["since"]:
        days = [day for day in days if day <= last]
    return min(days, key=lambda day: abs(day - last))
