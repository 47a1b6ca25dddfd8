"""The words of what goes wrong: what a fault does to an exchange, with which settings, and when it strikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Connect(StrEnum):
    """What happens instead of a connection."""

    REFUSE = "refuse"
    DNS = "dns"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """An error that each injector words in the endpoint's own shape."""

    status: int
    error_type: str
    message: str
    retry_after: float | None = None
    retry_after_text: str | None = None
    """In place of it in the header: nothing that a client can obey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReply:
    """Bytes that are sent as they are instead of an answer."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a fault does to one exchange. An injector performs the parts in the order in which they stand here.

    Durations in seconds. ``*_after`` counts content events of a stream: 0 means before the first one. On a plain
    answer ``stall_after`` holds the body back for ever, ``cut_after`` and ``reset_after`` end it in the middle (0:
    after its head), ``end_after`` ends it there as if it were whole, ``error_after`` puts the error object into the
    200, ``malformed_after`` breaks its JSON. ``bytes_per_second`` limits how fast the body comes. ``rewrite`` names a
    change of the true answer: ``empty_content``, ``refusal``, ``wrong_model``, ``wrong_answer``, ``starved``, or one of
    ``chaos.faults.unfit``.
    """

    connect: Connect | None = None
    connect_delay: float = 0.0
    reset: bool = False
    delay: float = 0.0
    error: ErrorReply | None = None
    raw: RawReply | None = None
    first_token_delay: float = 0.0
    chunk_delay: float = 0.0
    stall_after: int | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    end_after: int | None = None
    error_after: int | None = None
    malformed_after: int | None = None
    bytes_per_second: float | None = None
    rewrite: str | None = None


class Unit(StrEnum):
    SECONDS = "seconds"
    COUNT = "count"
    STATUS = "status"
    SHARE = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A setting of a fault or a shape: its unit (seconds are written as a duration, ``30s``, and shares with their
    sign, ``30%``), default and bounds."""

    unit: Unit
    default: float
    low: float = 0.0
    high: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. ``effect`` is pure: options (complete, in base units) and a generator in, an Effect out.

    ``shape``: when it strikes unless something else is said.
    """

    name: str
    meaning: str
    effect: Callable[[Mapping[str, float], Random], Effect]
    options: Mapping[str, Option] = field(default_factory=dict)
    shape: str = "always"
    shape_options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A request that a fault may meet: its ``number`` among those that it could have met, from 0, and the seconds
    since it could first have met one."""

    number: int
    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a fault meets a request. ``because`` is the rest of a sentence that begins with the request."""

    strikes: bool
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """When a fault strikes. ``decide`` is pure: options (complete, in base units), moment, generator in, Decision out.

    ``words`` says in general when that is, to stand behind the name of a fault.
    """

    name: str
    meaning: str
    decide: Callable[[Mapping[str, float], Moment, Random], Decision]
    words: Callable[[Mapping[str, float]], str]
    options: Mapping[str, Option] = field(default_factory=dict)
