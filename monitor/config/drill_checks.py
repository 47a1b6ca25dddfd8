"""Drills: whether what is broken, how, when and what is expected fit the chain and the injector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from monitor.config import strike_checks, traffic_checks
from monitor.config.chain_checks import labels, too_often
from monitor.config.document import Node
from monitor.config.model import ExpectConfig, Vocabulary
from monitor.config.names import given, plain, repeated, seconds, twice, unknown
from monitor.config.quantity import format_duration
from monitor.config.showing import among, quote
from monitor.config.strike_checks import Scene, longest
from monitor.errors import Problem
from monitor.model import Mode, Path

REACH: Mapping[str, frozenset[Mode]] = {
    "request": frozenset({Mode.SERVER, Mode.PROVIDER}),
    "proxy": frozenset({Mode.SERVER}),
    "transport": frozenset({Mode.CLIENT}),
}
"""The modes that an injector can break: a server chain's only request carries all its targets, so a fault on the
connection would break them all. An injector that is not named here can break every mode."""


def mistakes(top: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    written = top["endpoints"].value
    names = [name for name in written if isinstance(name, str)] if isinstance(written, dict) else []
    dialects = {name: top["endpoints"][name]["dialect"].text for name in names}
    yield from of_drills(top["drills"].items(), top["chains"].items(), top["gateway"], vocabulary, dialects)


def of_drills(
    drills: Sequence[Node],
    chains: Sequence[Node],
    gateway: Node,
    vocabulary: Vocabulary,
    dialects: Mapping[str, str | None],
) -> Iterator[Problem]:
    """The mistakes of drills, wherever they, the chains and the section ``gateway`` were written. ``dialects``: by
    endpoint."""
    by_name = {chain["name"].text: chain for chain in reversed(chains)}
    yield from repeated(drills, "name")
    for drill in drills:
        yield from unknown(drill["chain"], given(chains), none="no chain is configured")
        yield from unknown(drill["kind"], vocabulary.kinds)
        yield from _when(drill)
        name = drill["chain"].text
        scene = _scene(drill, by_name.get(name) if name else None, dialects)
        yield from _injector(scene, vocabulary)
        yield from strike_checks.mistakes(scene, vocabulary)
        yield from _expect(scene)
        yield from _hypothesis(scene)
        yield from traffic_checks.mistakes(scene, gateway)


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


def _scene(drill: Node, chain: Node | None, dialects: Mapping[str, str | None]) -> Scene:
    endpoint = chain["endpoint"].text if chain else None
    return Scene(drill=drill, chain=chain, dialect=dialects.get(endpoint) if endpoint else None)


def _injector(scene: Scene, vocabulary: Vocabulary) -> Iterator[Problem]:
    by, walked = scene.drill["by"], scene.dialect == "litellm"
    if walked and scene.mode is Mode.PROVIDER:
        yield scene.drill["chain"].problem(
            "is a provider chain of a LiteLLM proxy, which can be told to fail a group and not one deployment of it; "
            "nothing can break it"
        )
    elif by.text is None:
        return
    elif scene.mode is Mode.SERVER and (plain(by.text) == "proxy") != walked and plain(by.text) in ("proxy", "request"):
        who = "a LiteLLM proxy" if walked else f"no LiteLLM proxy, but an endpoint of dialect {scene.dialect}"
        yield by.problem(f"the injector {plain(by.text)} cannot break a chain that is walked by {who}; leave by out")
    elif plain(by.text) not in vocabulary.faults:
        yield by.problem(among(by.text, vocabulary.faults))
    elif scene.mode and scene.mode not in REACH.get(plain(by.text), frozenset(Mode)):
        yield by.problem(f"the injector {plain(by.text)} cannot break a {scene.mode} chain; leave by out")


def _expect(scene: Scene) -> Iterator[Problem]:
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
    limit = longest(scene.drill)
    if within is not None and limit is not None and within > limit:
        yield expect["within"].problem(
            f"{format_duration(within)} is longer than the drill's max_duration of {format_duration(limit)}"
        )


def _hypothesis(scene: Scene) -> Iterator[Problem]:
    written = scene.drill["hypothesis"]["served_by"]
    yield from twice(written)
    for label in written.items():
        if scene.chain and label.text is not None and label.text not in labels(scene.chain):
            yield label.problem(among(label.text, labels(scene.chain)))


def _served_by(scene: Scene, node: Node, label: str) -> Iterator[Problem]:
    known = labels(scene.chain)
    if label not in known:
        yield node.problem(among(label, known))
        return
    if known.index(label) in scene.positions:
        yield node.problem(f"{quote(label)} is what the drill breaks, so it cannot answer")
