"""What is answered: one message of plain text, within Slack's limits whatever it says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.alerting import DecisionReason
from monitor.config.quantity import format_duration
from monitor.model import Verdict, VerdictKind
from monitor.notify.blocks import SECTION_LIMIT, TEXT_LIMIT, Block, Message, clip, plain
from monitor.web.views import AlertView, ChainView, DrillView, StatusView
from monitor.web.wording import overall, span

PARTS_MOST = 4
"""Sections of one answer; the rest is said to be left out."""
PART_LENGTH = 1000
_VERDICTS = {VerdictKind.PASSED: "✅", VerdictKind.DEVIATED: "❌"}


def said(*lines: str) -> Message:
    """Nothing of it is read as markup or as a mention."""
    parts = list(_parts([line for line in lines if line]))
    shown = parts[:PARTS_MOST]
    blocks: list[Block] = [{"type": "section", "text": plain("\n".join(part), SECTION_LIMIT)} for part in shown]
    if left := sum(map(len, parts[PARTS_MOST:])):
        blocks.append({"type": "context", "elements": [plain(f"{left} more lines left out", SECTION_LIMIT)]})
    return Message(text=clip(lines[0], TEXT_LIMIT), blocks=tuple(blocks))


def _parts(lines: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        if part and sum(map(len, part)) + len(line) > PART_LENGTH:
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def status(daemon: StatusView, chains: Sequence[ChainView], alerts: Sequence[AlertView]) -> Message:
    """``chains``: those that were asked for. Alerts of others are left out, and those that a graver one covers."""
    names = {chain.name for chain in chains}
    concerned = [one for one in alerts if one.chain in names or len(names) == daemon.chains]
    firing = [one for one in concerned if one.state == "firing" and DecisionReason.INHIBITED not in one.reasons]
    stopped = f"Drills are stopped: {daemon.stopped}" if daemon.stopped else ""
    running = f"Drills under way: {daemon.runs_under_way}" if daemon.runs_under_way else ""
    return said(
        f"fallbackd: {overall({chain.name: chain.health for chain in chains}).text}",
        *map(_chain, chains),
        *(f"🔔 {one.severity.value} for {span(max(0.0, daemon.now - one.since))}: {one.title}" for one in firing),
        running,
        stopped,
        *daemon.notes,
    )


def drills(found: Sequence[DrillView]) -> Message:
    if not found:
        return said("No drill is configured for that.")
    return said("Drills:", *map(_drill, found))


def verdict(about: Verdict, by: str) -> Message:
    mark = _VERDICTS.get(about.kind, "⚪")
    took = f"The failover took {format_duration(about.failover)}." if about.failover is not None else ""
    return said(
        f"{mark} Drill {about.drill} of chain {about.chain}: {about.kind.value}",
        about.because[:SECTION_LIMIT],
        took,
        f"Asked for by {by}; run {about.run}",
    )


def _chain(chain: ChainView) -> str:
    serving = chain.serving
    serves = f", {serving.label or 'nobody'} serves" if serving is not None else ""
    why = f": {chain.detail}" if chain.detail and chain.health != "healthy" else ""
    return f"{chain.name}: {chain.health.value}{serves}{why}"


def _drill(drill: DrillView) -> str:
    last = f"last {drill.last.verdict.kind.value}" if drill.last and drill.last.verdict else "never run"
    now = "under way now" if drill.running else last
    return f"{drill.chain} {drill.name}: {' and '.join(drill.breaks)} with {drill.fault}, {drill.schedule}; {now}"
