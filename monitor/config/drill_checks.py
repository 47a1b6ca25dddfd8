"""Drills: whether what is broken, how, when and what is expected fit the chain and the injector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.config.chain_checks import labels, too_often
from monitor.config.document import Node
from monitor.config.model import DrillConfig, ExpectConfig, FaultOption, Vocabulary
from monitor.config.names import given, plain, repeated, seconds, twice, unknown
from monitor.config.quantity import format_duration
from monitor.config.showing import among, listed, quote
from monitor.config.wording import unknown_setting
from monitor.errors import Problem
from monitor.model import Mode, Path

REACH: Mapping[str, frozenset[Mode]] = {
    "request": frozenset({Mode.SERVER, Mode.PROVIDER}),
    "transport": frozenset({Mode.CLIENT}),
    "gateway": frozenset({Mode.CLIENT}),
}
"""The modes that an injector can break: a server chain's only request carries all its targets, so a fault on the
connection would break them all. An injector that is not named here can break every mode."""

_REFUSED_WHOLE = frozenset({"unknown_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A drill with the chain that it breaks, None where that is unknown."""

    drill: Node
    chain: Node | None

    @property
    def mode(self) -> Mode | None:
        written = self.chain["mode"].text if self.chain else None
        return Mode(written) if written in set(Mode) else None

    @property
    def injector(self) -> str | None:
        """By name; None where the mode, which it depends on, is unknown."""
        written = self.drill["by"].text
        if written is not None:
            return plain(written)
        if self.mode is None:
            return None
        return "transport" if self.mode is Mode.CLIENT else "request"

    @property
    def fault(self) -> str | None:
        written = self.drill["with"].value
        if isinstance(written, dict) and len(written) == 1:
            written = next(iter(written))
        return plain(written) if isinstance(written, str) else None

    @property
    def broken(self) -> tuple[Node, ...]:
        return self.drill["break"].items() or (self.drill["break"],)

    def position(self, label: str) -> int | None:
        known = labels(self.chain)
        if label in known:
            return known.index(label)
        return 0 if label == "primary" else None


def mistakes(top: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    drills, chains = top["drills"].items(), top["chains"].items()
    by_name = {chain["name"].text: chain for chain in reversed(chains)}
    yield from repeated(drills, "name")
    for drill in drills:
        yield from unknown(drill["chain"], given(chains), none="no chain is configured")
        yield from unknown(drill["kind"], vocabulary.kinds)
        yield from _when(drill)
        name = drill["chain"].text
        scene = _Scene(drill=drill, chain=by_name.get(name) if name else None)
        yield from _injector(scene, vocabulary)
        yield from _fault(scene, vocabulary)
        yield from _break(scene)
        yield from _expect(scene)
        yield from _hypothesis(scene)


def _when(drill: Node) -> Iterator[Problem]:
    yield from too_often(drill["every"])
    cron = drill["cron"]
    if "every" in drill and "cron" in drill:
        yield cron.problem("every is set too; keep one of them")
    if cron.text is not None and (wrong := _cron(cron.text)):
        yield cron.problem(f"{quote(cron.text)} {wrong}")


def _cron(text: str) -> str | None:
    """What is wrong with a cron expression."""
    from apscheduler.triggers.cron import CronTrigger

    fields = text.split()
    if len(fields) != 5:
        return f"has {len(fields)} fields; write five: minute hour day month weekday, as in 30 3 * * *"
    if any(letter.isdigit() for letter in fields[4].partition("/")[0]):
        return "has a number as weekday, and cron programs disagree on what it means; write sun, mon-fri"
    try:
        trigger = CronTrigger.from_crontab(text, timezone=UTC)
    except ValueError as error:
        return f"is no cron expression: {re.sub(r'^Error validating expression .*?: ', '', str(error))}"
    if trigger.get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is None:
        return "never comes: there is no such day"
    return None


def _injector(scene: _Scene, vocabulary: Vocabulary) -> Iterator[Problem]:
    by = scene.drill["by"]
    if by.text is None:
        return
    if plain(by.text) not in vocabulary.faults:
        yield by.problem(among(by.text, vocabulary.faults))
    elif scene.mode and scene.mode not in REACH.get(plain(by.text), frozenset(Mode)):
        yield by.problem(f"the injector {plain(by.text)} cannot break a {scene.mode} chain; leave by out")


def _fault(scene: _Scene, vocabulary: Vocabulary) -> Iterator[Problem]:
    written = scene.drill["with"]
    if isinstance(written.value, dict) and len(written.value) != 1:
        yield written.problem(f"names {len(written.value)} faults; a drill has exactly one")
    fault = scene.fault
    if fault is None:
        return
    everywhere = {name: options for faults in vocabulary.faults.values() for name, options in faults.items()}
    own = everywhere if scene.injector is None else vocabulary.faults.get(scene.injector, everywhere)
    if fault in own:
        yield from _options(written, own[fault])
    elif fault in everywhere:
        where = f" on a {scene.mode} chain" if scene.mode else ""
        yield written.problem(
            f"the injector {scene.injector} cannot do {fault}{where}; it can do: {listed(sorted(own))}"
        )
    else:
        yield written.problem(among(fault, own))


def _options(written: Node, known: Mapping[str, FaultOption]) -> Iterator[Problem]:
    for _, options in written.entries():
        for name, node in options.entries():
            option = known.get(plain(name))
            wrong = _option(node, option) if option else unknown_setting(name, known)
            if wrong:
                yield node.problem(wrong)


def _option(node: Node, option: FaultOption) -> str | None:
    """What is wrong with the value of a fault's option."""
    timed = option.unit == "seconds"
    if timed:
        value = seconds(node)
        if value is None:
            return f"{quote(node.value)} is not a duration; write a number and a unit, as in 30s"
    elif type(node.value) is int:
        value = float(node.value)
    else:
        return f"{quote(node.value)} is not a whole number"
    if option.low <= value <= option.high:
        return None
    low, high = (
        (format_duration(option.low), format_duration(option.high))
        if timed
        else (f"{option.low:g}", f"{option.high:g}")
    )
    return f"{node.value} is out of bounds; it must be between {low} and {high}"


def _break(scene: _Scene) -> Iterator[Problem]:
    if scene.chain is None:
        return
    known = labels(scene.chain)
    if scene.drill["break"].value == []:
        yield scene.drill["break"].problem("breaks nothing; write primary, a label, or a list of labels")
    seen: set[int] = set()
    for node in scene.broken:
        label = node.text if node.value is not None else DrillConfig.model_fields["break_"].default
        position = scene.position(label) if label is not None else None
        if label is not None and position is None:
            yield node.problem(among(label, {*known, "primary"}))
        elif position in seen:
            yield node.problem(f"{quote(label)} is broken already")
        elif position is not None:
            seen.add(position)
    if seen and len(seen) >= len(scene.chain["targets"].items()) and not _refusal_is_expected(scene):
        name = quote(scene.chain["name"].value)
        yield scene.drill["break"].problem(
            f"breaks every target of {name}; leave one that can answer, or write expect: {{rejected: true}}"
        )


def _refusal_is_expected(scene: _Scene) -> bool:
    expect = scene.drill["expect"]
    return expect["rejected"].value is True or (scene.fault in _REFUSED_WHOLE and "served_by" not in expect)


def _expect(scene: _Scene) -> Iterator[Problem]:
    expect = scene.drill["expect"]
    served_by, rejected, path = expect["served_by"], expect["rejected"].value is True, expect["path"]
    if served_by.text is not None and rejected:
        yield served_by.problem("a rejected request is served by nobody; keep one of served_by and rejected")
    elif served_by.text is not None and scene.chain:
        yield from _served_by(scene, served_by, served_by.text)
    if path.text is not None and rejected:
        yield path.problem("a rejected request has no path; leave it out")
    elif path.text in {Path.PRIMARY, Path.WRONG_MODEL, Path.EXHAUSTED}:
        yield path.problem(among(path.text, {Path.FAILED_OVER, Path.FILTERED, Path.FELL_BACK}, what="is no fallback"))
    within = seconds(expect["within"]) if "within" in expect else ExpectConfig.model_fields["within"].default
    limit = _max_duration(scene.drill)
    if within is not None and limit is not None and within > limit:
        yield expect["within"].problem(
            f"{format_duration(within)} is longer than the drill's max_duration of {format_duration(limit)}"
        )


def _hypothesis(scene: _Scene) -> Iterator[Problem]:
    written = scene.drill["hypothesis"]["served_by"]
    yield from twice(written)
    for label in written.items():
        if scene.chain and label.text is not None and label.text not in labels(scene.chain):
            yield label.problem(among(label.text, labels(scene.chain)))


def _served_by(scene: _Scene, node: Node, label: str) -> Iterator[Problem]:
    known = labels(scene.chain)
    if label not in known:
        yield node.problem(among(label, known))
        return
    broken = {scene.position(item.text or "primary") for item in scene.broken}
    if known.index(label) in broken:
        yield node.problem(f"{quote(label)} is what the drill breaks, so it cannot answer")


def _max_duration(drill: Node) -> float | None:
    if "max_duration" in drill:
        return seconds(drill["max_duration"])
    default: float = DrillConfig.model_fields["max_duration"].default
    return default
