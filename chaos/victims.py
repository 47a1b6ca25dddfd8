"""Whose requests a drill breaks, in words for the person who is about to run it. Pure."""

from __future__ import annotations

from chaos.model import Drill


def whose(drill: Drill) -> str:
    """``fallbackd's own questions only``, or who else is met as well."""
    own, live, application = "fallbackd's own questions", drill.live, drill.application
    others = []
    if drill.capacity:
        others.append(f"up to {drill.capacity.up_to} more of them at a time")
    if application:
        others.append(f"what {application.url} asks meanwhile")
        others += [] if application.forwards_mark or live else ["other live traffic of the chain"]
    if live:
        others.append(f"{live.percent:.0%} of the live traffic ({live.most} requests at most)")
    *some, last = [own, *others]
    return f"{', '.join(some)} and {last}" if some else f"{own} only"
