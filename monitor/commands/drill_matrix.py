"""What a series of drills would do and cost, before it does."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.table import Table

from chaos.wording import seconds
from monitor.commands import options
from monitor.commands.drill_places import Json


def show_plan(found: Json, as_json: bool) -> None:
    """Of a matrix, or of the drills of a file."""
    if as_json:
        options.print_json(found)
        return
    for note in found.get("notes", ()):
        print(f"Note: {note}")
    if "left_out" not in found:
        print(f"{len(found['drills'])} in the file: {', '.join(one['name'] for one in found['drills'])}")
        return
    table = Table("edge", "faults", box=None, pad_edge=False)
    for ends, cells in groupby(found["drills"], key=lambda one: f"{one['from']} -> {one['to']}"):
        table.add_row(ends, ", ".join(one["fault"] for one in cells))
    options.console().print(table)
    print(_sum(found))
    for line in _left_out(found["left_out"]):
        print(line)
    print()


def _sum(found: Json) -> str:
    money = "no price is known"
    if found["usd"] is not None:
        money = f"some ${found['usd_usual']:.4f}, at most ${found['usd']:.4f}"
    left = "" if found["remaining"] is None else f" (${found['remaining']:.4f} left of today's budget)"
    count = len(found["drills"])
    drills = f"{count} drill{'' if count == 1 else 's'}"
    return f"{drills}, at most {found['requests']} questions: {money}{left}; at most {seconds(found['seconds'])}."


def _left_out(left_out: Iterable[Json]) -> Iterable[str]:
    """One line for each reason."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for one in left_out:
        edges = by_reason.setdefault(one["because"], {})
        edges.setdefault(f"{one['from']} -> {one['to']}", []).append(one["fault"])
    for because, edges in by_reason.items():
        told = "; ".join(f"{edge}: {', '.join(faults)}" for edge, faults in edges.items())
        yield f"Left out, {because}: {told}"
