"""What a fault in the gateway may meet: the rule that says so, and the decision about one exchange. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chaos.apis import Api
from chaos.edits import Edit, UneditableError
from chaos.gateway.calls import Open
from chaos.model import Strike, positions_of
from chaos.passing import Group
from monitor.config.model import LiveConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The faults of one injection in place.

    It meets requests that carry the mark of its ``run``; with ``live`` also others, within what the config allows and,
    where it says less, ``percent`` (a share) of them. ``control``: as many are drawn as a group to compare with, and
    left whole. ``waits``: those others are left alone until the rule is opened, once the drill's own requests have
    shown that the chain stands it. ``until``: seconds since the epoch.

    ``edits``: on a chain that its endpoint walks, what each of the strikes changes in a request; empty where the caller
    walks, whose requests each name one target.
    """

    id: str
    chain: str
    drill: str
    run: str
    strikes: tuple[Strike, ...]
    until: float
    max_count: int
    seed: int = 0
    live: bool = False
    percent: float | None = None
    control: bool = False
    waits: bool = False
    edits: tuple[Edit, ...] = ()

    @property
    def positions(self) -> tuple[int, ...]:
        """Those of the chain's targets that it breaks."""
        return positions_of(self.strikes)


def _nothing_to_edit(_: Sequence[Edit]) -> bytes:
    raise UneditableError("has no body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What decides whether a fault meets an exchange. ``run``: the mark that it carries, None for live traffic.

    ``position``: of the target that it asks for, None where it asks for the chain. ``exact``: it asks for the chain as
    configured, all of it. ``body``: the request as JSON, None where it cannot be read. ``edit``: its body as edits
    change it; raises UneditableError. ``in_flight``: live exchanges that meet this rule's fault right now. ``call``:
    what the exchange is a part of.
    """

    run: str | None
    chain: str | None
    position: int | None
    header: Callable[[str], str | None]
    exact: bool = False
    body: Callable[[], object] = lambda: None
    api: Api = Api.CHAT
    edit: Callable[[Sequence[Edit]], bytes] = _nothing_to_edit
    in_flight: int = 0
    call: Open | None = None


def aims_at(rule: Rule, mark: Mark) -> bool:
    """Whether what an exchange asks for is what the rule breaks. Pure."""
    if mark.chain != rule.chain:
        return False
    return mark.exact if rule.edits else mark.position in rule.positions


def meets(rule: Rule, mark: Mark, live: LiveConfig | None, *, now: float, draw: float) -> bool:
    """Whether the rule's fault meets an exchange. ``draw``: an even chance from 0 to 1. Pure."""
    if now >= rule.until or not aims_at(rule, mark):
        return False
    if mark.run is not None:
        return mark.run == rule.run
    return group_of(rule, mark, live, now=now, draw=draw) is Group.BROKEN


def group_of(rule: Rule, mark: Mark, live: LiveConfig | None, *, now: float, draw: float) -> Group:
    """The group of a live exchange with a target that the rule breaks; both come from one draw, equally large. Pure."""
    if not rule.live or rule.waits or live is None or not _open(live, now):
        return Group.OTHER
    if any(mark.header(name) != value for name, value in live.headers.items()):
        return Group.OTHER
    share = min(live.percent, 1.0 if rule.percent is None else rule.percent, 0.5 if rule.control else 1.0)
    if draw < share:
        return Group.BROKEN if mark.in_flight < live.max_in_flight else Group.OTHER
    return Group.CONTROL if rule.control and draw < 2 * share else Group.OTHER


def _open(live: LiveConfig, now: float) -> bool:
    """Whether the hours (UTC) allow it; hours that end before they begin go over midnight."""
    if live.hours is None:
        return True
    begin, end = live.hours.split("-")
    clock = datetime.fromtimestamp(now, UTC).strftime("%H:%M")
    return begin <= clock < end if begin < end else clock >= begin or clock < end
