"""The picture in the terminal, at the size of an old one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console, RenderableType

from monitor.commands.top import Picture, chain_view, overview

NOW = 1_700_000_000.0


def target(position: int, health: str = "healthy", **changed: Any) -> dict[str, Any]:
    return {
        "position": position, "label": f"target-{position}", "health": health, "latency": 0.25, "last_good": NOW - 30,
        "last_bad": None, "detail": "503 from somewhere, [markup] and more" * 3, "providers": [], **changed,
    }  # fmt: skip


def chain(name: str, health: str = "healthy", **changed: Any) -> dict[str, Any]:
    serving = {"label": "target-0", "path": "primary"}
    return {
        "name": name, "health": health, "detail": "answers", "serving": serving, "latency": 1.25,
        "targets": [target(0), target(1, "down")], "fallback": [{"window": "1h", "share": 0.25}], **changed,
    }  # fmt: skip


def alert(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "key": f"k{number}", "alert": "chain-down", "chain": "a", "state": "firing",
        "title": f"Chain a has trouble {number}", "since": NOW - 130, "severity": "critical", **changed,
    }  # fmt: skip


def picture(*chains: dict[str, Any], alerts: int = 0, incidents: Sequence[dict[str, Any]] = ()) -> Picture:
    status = {"version": "1", "started": NOW - 7300, "outcomes": 12, "stopped": None}
    run = {
        "run": "1",
        "drill": "gone",
        "chain": "a",
        "state": "running",
        "at": NOW - 5,
        "asked_by": "me",
        "verdict": None,
    }
    ended = {**run, "run": "0", "state": "finished", "asked_by": None, "drill": "before"}
    ended["verdict"] = {"kind": "passed", "because": "the second answered all requests"}
    firing = [alert(number) for number in range(alerts)]
    return Picture(status=status, chains=chains, alerts=firing, incidents=incidents, runs=[ended, run])


def shown(what: RenderableType) -> list[str]:
    console = Console(width=80, height=24, file=io.StringIO(), highlight=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_gravest_chain_comes_first_with_who_serves_it() -> None:
    lines = shown(
        overview(
            picture(chain("fine"), chain("bad", "down", serving={"label": None, "path": "exhausted"})),
            height=24,
            now=NOW,
        )
    )
    rows = [line for line in lines if "fine" in line or "bad" in line]
    assert "◆ bad" in rows[0]
    assert "nobody" in rows[0]
    assert "target-0" in rows[1]
    assert "25 %" in rows[1]
    assert "1 of 2 chains in trouble" in lines[0]
    assert any("gone breaks a for 5s now, asked for by me" in line for line in lines)


@pytest.mark.parametrize(
    ("healths", "told"),
    [
        (["healthy"], "the chain is fine"),
        (["healthy", "healthy"], "all 2 chains fine"),
        (["healthy", "unknown"], "1 of 2 chains not known yet"),
        (["degraded", "unknown"], "1 of 2 chains in trouble"),
    ],
)
def test_the_first_line_says_how_it_stands(healths: list[str], told: str) -> None:
    chains = [chain(f"c{number}", health) for number, health in enumerate(healths)]
    assert shown(overview(picture(*chains), height=24, now=NOW))[0].endswith(f"12 results  {told}")


@pytest.mark.parametrize("count", [0, 1, 15, 100])
@pytest.mark.parametrize("alerts", [0, 3, 40])
def test_it_fits_into_80_by_24(count: int, alerts: int) -> None:
    chains = [chain(f"a-chain-with-quite-a-long-name-{number}") for number in range(count)]
    lines = shown(overview(picture(*chains, alerts=alerts), height=24, now=NOW))
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    if count == 100:
        assert any("more chains" in line for line in lines)
    assert any("gone breaks a for 5s now" in line for line in lines)
    if alerts:
        assert any("trouble 0" in line for line in lines)
    if alerts == 40:
        assert lines[-1].endswith("more lines")


INCIDENT = {
    "id": "i1", "cause": "model openai/gpt-5-mini", "severity": "critical", "since": NOW - 300,
    "alerts": ["k0", "k1", "k2"], "chains": ["a", "b"], "acknowledged": None,
}  # fmt: skip


def test_alerts_of_one_incident_are_one_line_with_their_cause() -> None:
    lines = shown(overview(picture(chain("a"), alerts=4, incidents=[INCIDENT]), height=24, now=NOW))
    told = [line for line in lines if line.startswith("firing")]
    assert told == [
        "firing   Chain a has trouble 0, and 2 more (5m): model openai/gpt-5-mini",
        "firing   Chain a has trouble 3 (2m)",
    ]


def test_an_incident_that_somebody_has_seen_says_so() -> None:
    seen = {**INCIDENT, "acknowledged": {"by": "me", "at": NOW - 10}}
    lines = shown(overview(picture(chain("a"), alerts=3, incidents=[seen]), height=24, now=NOW))
    assert any("and 2 more (5m, acknowledged): model" in line for line in lines)


def test_a_chain_shows_its_own_alerts_and_what_breaks_it_first() -> None:
    one, other = chain("a"), chain("b")
    seen = picture(one, other, alerts=1)
    text = "\n".join(shown(chain_view(seen, one, height=24, now=NOW)))
    assert text.index("gone breaks a for 5s now") < text.index("Chain a has trouble 0") < text.index("before passed")
    assert "trouble" not in "\n".join(shown(chain_view(seen, other, height=24, now=NOW)))


def test_a_chain_of_many_targets_fits_into_80_by_24() -> None:
    one = chain("a", targets=[target(position, "down") for position in range(12)])
    lines = shown(chain_view(picture(one, alerts=9), one, height=24, now=NOW))
    assert len(lines) <= 24
    assert lines[-1].endswith("more lines")


def test_a_chain_shows_its_targets_in_order_and_why_one_is_down() -> None:
    pinned = {"provider": "azure", "health": "limited", "latency": None, "last_good": None, "last_bad": NOW - 4000}
    one = chain("a", "degraded", targets=[target(0, providers=[pinned]), target(1, "down")])
    lines = shown(chain_view(picture(one), one, height=24, now=NOW))
    text = "\n".join(lines)
    assert text.index("target-0") < text.index("azure") < text.index("target-1")
    assert "66m" in text
    assert "target-1: 503 from somewhere, [markup]" in text
    assert max(map(len, lines)) <= 80


def test_what_is_only_pending_is_one_line_below_what_fires() -> None:
    seen = picture(chain("a"), chain("b"), alerts=1)
    waiting = [
        alert(7, state="pending", alert="chain-degraded"), alert(8, state="pending", alert="chain-degraded", chain="b"),
        alert(9, state="pending", alert="probe-stale", chain="b"),
    ]  # fmt: skip
    seen = replace(seen, alerts=[*waiting, *seen.alerts])
    told = [line for line in shown(overview(seen, height=24, now=NOW)) if line.startswith(("firing", "pending"))]
    assert told == ["firing   Chain a has trouble 0 (2m)", "pending  chain-degraded of a, b; probe-stale of b"]
    own = shown(chain_view(seen, seen.chains[1], height=24, now=NOW))
    assert "pending  chain-degraded of b; probe-stale of b" in own


def test_a_network_of_our_own_that_is_down_is_said_and_takes_no_room() -> None:
    up = picture(chain("a"))
    down = replace(up, status={**up.status, "network_down_since": NOW - 65})
    for view in (overview, lambda seen, **size: chain_view(seen, seen.chains[0], **size)):
        without, lines = shown(view(up, height=24, now=NOW)), shown(view(down, height=24, now=NOW))
        assert lines[1] == "our own network is down for 65s: nothing is judged until it is back"
        assert lines[2:] == without[2:]


def test_a_long_line_is_whole_while_there_is_room_and_cut_when_there_is_none() -> None:
    one = chain("a", targets=[target(0, "down")])
    lines = shown(chain_view(picture(one), one, height=24, now=NOW))
    first = next(number for number, line in enumerate(lines) if line.startswith("why      target-0: 503"))
    assert lines[first + 1].startswith("         ")
    assert lines[first + 1].strip()
    cut = shown(chain_view(picture(one), one, height=10, now=NOW))
    (line,) = [line for line in cut if line.startswith("why")]
    assert line.endswith("…")
