"""What a drill plans: what is to hold; and beyond its own requests live traffic, an application, a rising load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """What is to hold of a chain: whole answers, by one of ``served_by`` (labels; none named, the primary), ``within``
    seconds (None: within the chain's own objective). ``tolerance``: the least share of the answers that must."""

    served_by: tuple[str, ...] = ()
    within: float | None = None
    tolerance: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """The steady state while the chain is ``whole`` (before and after) and while it is ``broken``; None where nothing
    is to hold, since the request is expected to be refused. ``requests``: asked before anything is broken."""

    whole: SteadyState = SteadyState()
    broken: SteadyState | None = None
    requests: int = 1

    @property
    def tolerance(self) -> float:
        """The least share of the answers that must hold while the chain is broken."""
        return 1.0 if self.broken is None else self.broken.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePlan:
    """Break a share of applications' calls and compare it with an equal control group.

    ``percent``, ``failures``: shares. ``lasts``, ``slower`` and ``patience`` in seconds: how long the traffic is
    watched, what is no harm yet, and how long nothing must follow a failure before it is a call's last word.
    ``samples``: calls that each group must have. ``most``: exchanges that may be broken.
    """

    percent: float = 0.05
    lasts: float = 60.0
    samples: int = 20
    failures: float = 0.05
    slower: float = 10.0
    patience: float = 10.0
    most: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerExpected:
    """What an answer of the application must be. ``json``: values by dotted path, ``answer.0.ok``."""

    status: int = 200
    contains: str | None = None
    json: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPlan:
    """Ask the user's own endpoint before, while the chain is broken, and after.

    ``body``: text, sent as it is, or what is sent as JSON; ``{nonce}`` in it stands for a mark that finds its way into
    the prompt. ``credential_header``: where the credential goes, which is no part of this value. ``forwards_mark``: the
    application passes the field ``X-Fallbackd-Drill`` on. ``requests``: so many must have met the fault.
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    credential_header: str = "Authorization"
    body: Any = None
    expect: AnswerExpected = AnswerExpected()
    within: float = 30.0
    every: float = 1.0
    requests: int = 3
    forwards_mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """What a client may do at most. ``backoff``: least seconds before a retry. ``must``: a misdeed fails the drill."""

    attempts: int = 4
    backoff: float = 0.1
    amplification: float = 3.0
    must: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """Ask the broken chain more and more at a time: ``step``, twice that, ... ``up_to``, each ``hold`` seconds long.
    ``usd``: what all of it may cost. ``at_least``: answers per minute without which the drill fails; None, none."""

    up_to: int = 20
    step: int = 5
    hold: float = 10.0
    usd: float = 0.05
    at_least: float | None = None
