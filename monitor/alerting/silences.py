"""When people do not want to hear of an incident: silences that somebody asked for, and maintenance windows. Pure.

A window is a stretch of local time: it begins and ends when the clocks of its zone say so, whatever the daylight-saving
rules do in between. A beginning or end that the clocks skip is the moment at which they skip it; of one that they show
twice, a window begins at the first and ends at the second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from monitor.config.model import WindowConfig

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Holds from ``starts`` until ``ends``. ``alert`` None: all of the chain's. ``incident``: of this one alone; chain
    and alert then only say what it was about. ``why`` and ``by`` are for people."""

    id: str
    chain: str
    alert: str | None
    starts: float
    ends: float
    why: str
    by: str
    incident: str | None = None

    def is_over(self, now: float) -> bool:
        return now >= self.ends

    def covers(self, chain: str, alert: str, incident: str) -> bool:
        if self.incident is not None:
            return self.incident == incident
        return self.chain == chain and self.alert in (None, alert)


_SILENCE: TypeAdapter[Silence] = TypeAdapter(Silence)


def silenced(
    chain: str,
    alert: str,
    silences: Collection[Silence],
    windows: Collection[WindowConfig],
    now: float,
    *,
    incident: str = "",
) -> bool:
    """Whether nobody is to hear of an alert of a chain now. ``incident``: the one that it is part of."""
    return any(one.covers(chain, alert, incident) and one.starts <= now < one.ends for one in silences) or any(
        chain in (one.chains or (chain,)) and alert in (one.alerts or (alert,)) and is_open(one, now) for one in windows
    )


def is_open(window: WindowConfig, now: float) -> bool:
    return any(start <= now < end for start, end in around(window, now))


def around(window: WindowConfig, now: float) -> Iterator[tuple[float, float]]:
    """The window on the days around now, as (start, end) since the epoch; the day is the one on which it begins."""
    zone = ZoneInfo(window.zone)
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        if not window.days or WEEKDAYS[day.weekday()] in window.days:
            last = day + timedelta(days=1) if window.to <= window.from_ else day
            yield _instant(day, window.from_, zone, late=False), _instant(last, window.to, zone, late=True)


def dump_silence(silence: Silence) -> bytes:
    return _SILENCE.dump_json(silence)


def load_silence(raw: bytes) -> Silence | None:
    """None for what another version wrote or what is damaged."""
    try:
        return _SILENCE.validate_json(raw)
    except ValidationError:
        return None


def _instant(day: date, clock: str, zone: ZoneInfo, *, late: bool) -> float:
    """``clock`` is ``HH:MM``, ``24:00`` the end of the day. ``late``: of two such moments, the second."""
    hours, minutes = map(int, clock.split(":"))
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes)  # noqa: DTZ001 - wall time
    first, second = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if second < first:  # the clocks skip it
        return _skip(second, first, zone)
    return second if late else first


def _skip(before: float, after: float, zone: ZoneInfo) -> float:
    """The second, between two others, from which the zone's offset is the later one's."""
    low, high = int(before), int(after)
    new = _offset(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == new else (middle, high)
    return float(high)


def _offset(at: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
