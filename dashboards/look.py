"""Colours and words of the panels. Colours are Grafana's own by name: it shades each of them for light and dark."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

GOOD = "green"
NOTICE = "yellow"
WARNING = "orange"
BAD = "red"
UNKNOWN = "blue"
BROKEN_ON_PURPOSE = "purple"

HEALTH = {"unknown": 0, "healthy": 1, "limited": 2, "degraded": 3, "down": 4}
"""The number that stands for a state in a query; the worst is the greatest."""

HEALTH_COLOURS = dict(zip(HEALTH, (UNKNOWN, GOOD, NOTICE, WARNING, BAD), strict=True))

PATH_COLOURS = {
    "primary": GOOD,
    "failed_over": WARNING,
    "filtered": NOTICE,
    "fell_back": "light-orange",
    "wrong_model": "dark-purple",
    "exhausted": BAD,
}

POSITION_COLOURS = {"primary": GOOD, "fallback 1": NOTICE, "fallback 2": WARNING, "nobody": BAD}

VERDICT_COLOURS = {"passed": GOOD, "deviated": BAD, "inconclusive": NOTICE, "aborted": WARNING}

NEVER = -1
BROKEN = -2
STALE = -3
"""Stand in a query for what has no time or is past it; panels show the word."""


def words(meaning: Mapping[str, tuple[str, str]]) -> ValueMapping:
    """Show a value as (text, colour)."""
    options = {
        value: ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(meaning.items())
    }
    return ValueMap(options=options)


def without_a_number(text: str) -> ValueMapping:
    """What stands where a query gives no number, for want of anything to count."""
    shown = ValueMappingResult(text=text, color=UNKNOWN)
    return SpecialValueMap(options=DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=shown))


HEALTH_WORDS = words({str(number): (state, HEALTH_COLOURS[state]) for state, number in HEALTH.items()})
NEVER_WORDS = words({str(NEVER): ("never", UNKNOWN)})
PROVEN_WORDS = words({str(NEVER): ("never", UNKNOWN), str(BROKEN): ("broken", BAD), str(STALE): ("stale", WARNING)})
ABLE_WORDS = words({"1": ("can", GOOD), "0": ("cannot", BAD), str(NEVER): ("nothing special", UNKNOWN)})
NO_ANSWERS = without_a_number("no answers")
SERVING_WORDS = words(
    {
        "0": ("primary", GOOD),
        **{str(position): (f"fallback {position}", WARNING) for position in range(1, 10)},
        "": ("nobody", BAD),
    }
)
