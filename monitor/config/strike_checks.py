"""What a drill breaks, with what and when: whether each of its faults fits the chain, the injector and the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from monitor.config.chain_checks import labels
from monitor.config.document import Node
from monitor.config.model import DrillConfig, FaultOption, Vocabulary
from monitor.config.names import plain, seconds
from monitor.config.quantity import format_duration, format_percent, parse_percent
from monitor.config.showing import among, listed, quote
from monitor.config.wording import missing, unknown_setting
from monitor.errors import Problem
from monitor.model import Mode

ONE = ("break", "with", "shape", "after")
"""The short form of a list of one fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A drill with the chain that it breaks, None where that is unknown, and the dialect of the chain's endpoint."""

    drill: Node
    chain: Node | None
    dialect: str | None = None

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
        if self.drill["live"].value is not None or self.drill["application"].value is not None:
            return "gateway"
        if self.mode is None:
            return None
        return default_injector(self.mode, self.dialect)

    @property
    def strikes(self) -> tuple[Node, ...]:
        """Its faults, each with its break, with, shape and after; the drill itself in the short form."""
        return self.drill["faults"].items() or (self.drill,)

    @property
    def faults(self) -> frozenset[str]:
        return frozenset(name for strike in self.strikes if (name := chosen(strike["with"])) is not None)

    @property
    def positions(self) -> frozenset[int]:
        """Of every target that is broken, as far as they exist."""
        named = (node.text or "primary" for strike in self.strikes for node in broken(strike))
        return frozenset(at for label in named if (at := self.position(label)) is not None)

    def position(self, label: str) -> int | None:
        known = labels(self.chain)
        if label in known:
            return known.index(label)
        return 0 if label == "primary" else None


def default_injector(mode: Mode, dialect: str | None) -> str:
    """What breaks a chain where its drill does not say: who walks it decides what can be done to a request."""
    if mode is Mode.CLIENT:
        return "transport"
    return "proxy" if dialect == "litellm" else "request"


def means_of(injector: str, mode: Mode, dialect: str | None) -> str:
    """The injector whose faults another one can do on such a chain: where the endpoint walks it, the gateway does to
    requests of applications what is done to ours."""
    return default_injector(mode, dialect) if injector == "gateway" and mode is not Mode.CLIENT else injector


def chosen(written: Node) -> str | None:
    """The name in ``name`` or ``{name: {option: value}}``."""
    value = written.value
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value))
    return plain(value) if isinstance(value, str) else None


def broken(strike: Node) -> tuple[Node, ...]:
    return strike["break"].items() or (strike["break"],)


def mistakes(scene: Scene, vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from _forms(scene.drill)
    for strike in scene.strikes:
        yield from _fault(scene, strike["with"], vocabulary)
        yield from _shape(strike["shape"], vocabulary)
        yield from _after(strike["after"], scene.drill)
        yield from _break(scene, strike)
    yield from _everything(scene)


def _forms(drill: Node) -> Iterator[Problem]:
    """One of the two forms, and not both."""
    faults = drill["faults"]
    if faults.value == []:
        yield faults.problem("lists no fault; write at least one, or leave it out and write with")
    elif "faults" in drill:
        for name in ONE:
            if name in drill:
                yield drill[name].problem("stands beside faults, which says all of it; move it into that list")
    elif "with" not in drill:
        yield drill["with"].problem(missing("The fault: its name, or {name: {option: value}}."))


def _fault(scene: Scene, written: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    if isinstance(written.value, dict) and len(written.value) != 1:
        yield written.problem(
            f"names {len(written.value)} faults; write one here, or several as faults: [{{with: ...}}, ...]"
        )
    fault = chosen(written)
    if fault is None:
        return
    everywhere = {name: options for faults in vocabulary.faults.values() for name, options in faults.items()}
    means = scene.injector
    if means is not None and scene.mode is not None:
        means = means_of(means, scene.mode, scene.dialect)
    own = everywhere if means is None else vocabulary.faults.get(means, everywhere)
    if fault in own:
        yield from _options(written, own[fault])
    elif fault in everywhere:
        where = f" on a {scene.mode} chain" if scene.mode else ""
        yield written.problem(
            f"the injector {scene.injector} cannot do {fault}{where}; it can do: {listed(sorted(own))}"
        )
    else:
        yield written.problem(among(fault, own))


def _shape(written: Node, vocabulary: Vocabulary) -> Iterator[Problem]:
    if isinstance(written.value, dict) and len(written.value) != 1:
        yield written.problem(f"names {len(written.value)} shapes; a fault has exactly one")
    shape = chosen(written)
    if shape is None:
        return
    if shape in vocabulary.shapes:
        yield from _options(written, vocabulary.shapes[shape])
    else:
        yield written.problem(among(shape, vocabulary.shapes))


def _after(after: Node, drill: Node) -> Iterator[Problem]:
    if after.text is not None:
        wait, limit = seconds(after), longest(drill)
        if wait is None:
            yield after.problem(
                f"{quote(after.text)} is no duration; write so many requests as a number, or how long as in 30s"
            )
        elif limit is not None and wait >= limit:
            yield after.problem(
                f"{format_duration(wait)} is not before the end of the drill, whose max_duration is "
                f"{format_duration(limit)}"
            )
    elif type(after.value) is int and after.value < 0:
        yield after.problem(f"{after.value} is out of bounds; it must be at least 0")
    elif type(after.value) is int and after.value >= (most := _requests(drill)):
        yield after.problem(
            f"the drill asks {most} times, so the fault would meet none of its requests; raise requests"
        )


def _options(written: Node, known: Mapping[str, FaultOption]) -> Iterator[Problem]:
    for _, options in written.entries():
        for name, node in options.entries():
            option = known.get(plain(name))
            wrong = _option(node, option) if option else unknown_setting(name, known)
            if wrong:
                yield node.problem(wrong)


def _option(node: Node, option: FaultOption) -> str | None:
    """What is wrong with the value of an option."""
    value: float | None
    shown: Callable[[float], str]
    if option.unit == "seconds":
        value, shown = seconds(node), format_duration
        if value is None:
            return f"{quote(node.value)} is not a duration; write a number and a unit, as in 30s"
    elif option.unit == "share":
        value, shown = _share(node), format_percent
        if value is None:
            return f"{quote(node.value)} is not a percentage; write it with its sign, as in 30%"
    elif type(node.value) is int:
        value, shown = float(node.value), "{:g}".format
    else:
        return f"{quote(node.value)} is not a whole number"
    if option.low <= value <= option.high:
        return None
    return f"{node.value} is out of bounds; it must be between {shown(option.low)} and {shown(option.high)}"


def _share(node: Node) -> float | None:
    try:
        return parse_percent(node.value)
    except ValueError:
        return None


def _break(scene: Scene, strike: Node) -> Iterator[Problem]:
    if scene.chain is None:
        return
    known = labels(scene.chain)
    if strike["break"].value == []:
        yield strike["break"].problem("breaks nothing; write primary, a label, or a list of labels")
    seen: set[int] = set()
    for node in broken(strike):
        label = node.text if node.value is not None else DrillConfig.model_fields["break_"].default
        position = scene.position(label) if label is not None else None
        if label is not None and position is None:
            yield node.problem(among(label, {*known, "primary"}))
        elif position in seen:
            yield node.problem(f"{quote(label)} is broken already")
        elif position is not None:
            seen.add(position)


def _everything(scene: Scene) -> Iterator[Problem]:
    if scene.chain is None or not scene.positions or refusal_is_expected(scene):
        return
    if len(scene.positions) >= len(scene.chain["targets"].items()):
        place = scene.drill["faults"] if "faults" in scene.drill else scene.drill["break"]
        yield place.problem(
            f"breaks every target of {quote(scene.chain['name'].value)}; leave one that can answer, or write expect: "
            "{rejected: true}"
        )


REFUSED_WHOLE = frozenset({"unknown_id"})


def refusal_is_expected(scene: Scene) -> bool:
    expect = scene.drill["expect"]
    return expect["rejected"].value is True or (bool(scene.faults & REFUSED_WHOLE) and "served_by" not in expect)


def longest(drill: Node) -> float | None:
    """Seconds that the drill may last, None where that cannot be read."""
    if "max_duration" in drill:
        return seconds(drill["max_duration"])
    default: float = DrillConfig.model_fields["max_duration"].default
    return default


def _requests(drill: Node) -> int:
    default: int = DrillConfig.model_fields["requests"].default
    written = drill["requests"].value
    return written if type(written) is int else default
