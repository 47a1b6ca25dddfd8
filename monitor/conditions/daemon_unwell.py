"""The rule about fallbackd itself: what it says of chains is worth only as much as it is well."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.clock import utc
from monitor.conditions.causes import Cause, CauseKind
from monitor.conditions.world import Condition, Rule, World
from monitor.config.model import RuleConfig
from monitor.config.quantity import format_duration
from monitor.wellbeing import Wellbeing

ITSELF = Cause(kind=CauseKind.DAEMON, name="itself")


def _daemon_unwell(rule: RuleConfig, world: World, now: float) -> Iterator[Condition]:
    for subject, title, summary in _symptoms(rule, world.itself.wellbeing, now):
        yield Condition(
            alert=rule.name,
            when=rule.when,
            chain="",
            subject=subject,
            severity=rule.severity,
            title=title,
            summary=summary,
            cause=ITSELF,
        )


def _symptoms(rule: RuleConfig, seen: Wellbeing, now: float) -> Iterator[tuple[str, str, str]]:
    """(subject, title, summary) of each thing that is not as it should be."""
    if seen.network_down is not None:
        summary = (
            f"Since {utc(seen.network_down)} no address that it tries can be reached: verdicts are suspended, and no "
            "chain is called down."
        )
        yield "network", "fallbackd's own network is down", summary
    if seen.late > rule.late:
        summary = f"In the last ten minutes a question was asked {format_duration(round(seen.late, 1))} too late."
        yield "lag", "fallbackd cannot keep up with its schedule", summary
    if seen.lost >= rule.skipped:
        yield "skipped", "fallbackd leaves questions out", f"{seen.lost} runs of the last ten minutes were not made."
    for name, since in sorted(seen.outbox.items()):
        if now - since > rule.waits:
            summary = f"Its oldest notice has waited since {utc(since)}; the log says why it is refused."
            yield f"outbox:{name}", f"Notices do not reach {name}", summary
    if seen.unwritten > rule.waits:
        summary = f"Results have waited for {format_duration(round(seen.unwritten))}; a restart would lose them."
        yield "store", "fallbackd cannot write to its database", summary
    if seen.reload_failed is not None:
        summary = "The config files have a mistake, and the ones from before are in force: `fallbackd check` names it."
        yield "reload", f"fallbackd could not reload its config at {utc(seen.reload_failed)}", summary


DAEMON_UNWELL = Rule(
    name="daemon_unwell",
    judge=_daemon_unwell,
    meaning=(
        "fallbackd itself is in trouble: its own network is down, runs are late (`late`) or left out (`skipped`), "
        "notices or results wait (`waits`), or a changed config could not be read."
    ),
    impact="What it shows may be old or incomplete, and other alerts may be late or not arrive at all.",
    diagnosis="Read the daemon's log, and the dashboard about fallbackd itself: lag, skipped runs, outbox, database.",
    mitigation=(
        "Mend its network, give the machine room, ask less often, renew a notifier's credential, free the disk, or "
        "correct the config file. Its route (`match: {alerts: [...]}`) should not depend on what may be broken."
    ),
    over="fallbackd is well again in this respect.",
    settings=frozenset({"late", "skipped", "waits"}),
    hold=lambda _: 30.0,
    is_about_itself=True,
)
