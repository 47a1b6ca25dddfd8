"""Who was told what in a simulation, and what led to each page: the witness of `alerting.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.config.model import ChainConfig, Config
from monitor.model import NoticeState, Outcome, Severity
from tests.simulation.memory import Memory
from tests.simulation.simulation import Told
from tests.simulation.weather import Spell

BEFORE = 300.0
"""Seconds before a page of which the outcomes are shown."""
NOTIFIER = "log"
"""Hears of everything, so each incident is counted once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The first message of an incident that wakes somebody, with the outcomes of its chains just before."""

    told: Told
    outcomes: tuple[Outcome, ...]


class Witness:
    """Hears every delivery. An incident counts as its gravest message does; ``pages`` are those that became critical,
    whatever they began as."""

    def __init__(self) -> None:
        self._gravest: dict[str, Told] = {}
        self.pages: list[Page] = []

    def hear(self, told: Told, memory: Memory) -> None:
        notice = told.notice
        if notice.notifier != NOTIFIER or notice.state is not NoticeState.FIRING:
            return
        known = self._gravest.get(notice.incident)
        if known is not None and _rank(known) >= _rank(told):
            return
        self._gravest[notice.incident] = told
        if notice.severity is Severity.CRITICAL:
            since = told.at - BEFORE
            found = (one for chain in notice.chains for one in memory.lately.get(chain, ()) if one.at >= since)
            self.pages.append(Page(told=told, outcomes=tuple(found)))

    def incidents(self, severity: Severity, chains: frozenset[str]) -> Counter[str]:
        """Alert -> incidents of that gravity about these chains; one that is about others as well is theirs."""
        told = (one.notice for one in self._gravest.values() if one.notice.severity is severity)
        return Counter(notice.alert for notice in told if chains.issuperset(notice.chains))


def hangs_on_one(chain: ChainConfig) -> bool:
    """Whether one provider serves every target, so that its outage is the chain's."""
    providers = {provider for target in chain.targets for provider in target.pinned}
    return len(providers) == 1 and all(target.pinned for target in chain.targets)


def refused(config: Config, spells: Sequence[Spell]) -> dict[str, list[tuple[float, float]]]:
    """By chain: when a burst was on at every provider of every target, so that nobody could be sure of an answer."""
    bursts = {
        spell.on.removeprefix("provider:"): [(one.start, one.end) for one in spells if one.on == spell.on]
        for spell in spells
    }
    found = {}
    for chain in config.chains:
        stretches = None
        for provider in {name for target in chain.targets for name in target.pinned or ("",)}:
            at = bursts.get(provider, [])
            stretches = at if stretches is None else list(_overlaps(stretches, at))
        found[chain.name] = sorted(stretches or ())
    return found


def written(page: Page, spells: Sequence[Spell]) -> Iterator[str]:
    """A page for people: what it said, what the weather was, and each outcome before it."""
    told, notice = page.told, page.told.notice
    yield f"{_clock(told.at, '%Y-%m-%d %H:%M:%S')} {notice.alert}: {notice.title}. {notice.summary}"
    for spell in spells:
        if spell.start - BEFORE <= told.at <= spell.end + BEFORE:
            lasts = f"{_clock(spell.start)} to {_clock(spell.end)}"
            yield f"  {spell.on} answered {spell.trouble.status} from {lasts}"
    for one in page.outcomes:
        tried = ", ".join(f"{attempt.provider} {attempt.reason}" for attempt in one.attempts)
        yield f"  {_clock(one.at)} {one.chain} {one.target or 'end to end'}: {one.status} {one.reason} ({tried})"


def severities(witness: Witness, groups: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Rows of a table: by group of chains and severity."""
    for name, chains in groups.items():
        for severity in reversed(Severity):
            alerts = witness.incidents(severity, chains)
            named = ", ".join(f"{alert} {count}" for alert, count in alerts.most_common())
            what = "critical (pages)" if severity is Severity.CRITICAL else severity
            yield f"| {name} | {what} | {alerts.total()} | {named} |"


def _rank(told: Told) -> int:
    return list(Severity).index(told.notice.severity)


def _overlaps(
    some: Iterable[tuple[float, float]], others: Sequence[tuple[float, float]]
) -> Iterator[tuple[float, float]]:
    for start, end in some:
        for begin, stop in others:
            if max(start, begin) < min(end, stop):
                yield max(start, begin), min(end, stop)


def _clock(at: float, form: str = "%H:%M:%S") -> str:
    return datetime.fromtimestamp(at, UTC).strftime(form)
