"""The words of fallbackd: frozen values and closed enums that every other part shares.

Times named ``at``, ``since`` or ``until`` are seconds since the epoch (UTC); durations are
seconds. Nothing here does I/O or imports a third-party package.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Who walks the chain."""

    SERVER = "server"
    PROVIDER = "provider"
    CLIENT = "client"


class Origin(StrEnum):
    """Why a question was asked. Only scheduled and live feed health, objectives and alert rates."""

    SCHEDULED = "scheduled"
    DRILL = "drill"
    MANUAL = "manual"
    LIVE = "live"

    @property
    def counts(self) -> bool:
        return self in (Origin.SCHEDULED, Origin.LIVE)


class Status(StrEnum):
    """How a question ended. ``error`` means that we could not judge; it counts against nobody."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    ERROR = "error"


class Reason(StrEnum):
    """The closed cause of an outcome that is not plainly good."""

    NONE = "none"
    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a reason, not a password
    STALLED = "stalled"
    CUT = "cut"
    RATE_LIMITED = "rate_limited"
    OUT_OF_CREDIT = "out_of_credit"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    MODERATED = "moderated"
    MODEL_GONE = "model_gone"
    NO_ENDPOINT = "no_endpoint"
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    MALFORMED = "malformed"
    EMPTY = "empty"
    STARVED = "starved"
    WRONG_ANSWER = "wrong_answer"
    WRONG_MODEL = "wrong_model"
    MISSING_CAPABILITY = "missing_capability"
    TOO_SLOW = "too_slow"
    OURS = "ours"


class Path(StrEnum):
    """How a whole chain came to its answer.

    ``fell_back`` is the honest middle: a fallback answered and the endpoint did not report its
    attempts, so filtered and failed over cannot be told apart.
    """

    PRIMARY = "primary"
    FAILED_OVER = "failed_over"
    FILTERED = "filtered"
    FELL_BACK = "fell_back"
    WRONG_MODEL = "wrong_model"
    EXHAUSTED = "exhausted"

    @property
    def is_fallback(self) -> bool:
        return self in (Path.FAILED_OVER, Path.FILTERED, Path.FELL_BACK, Path.WRONG_MODEL)


class Health(StrEnum):
    """Of a target or a chain over time. ``limited`` is a target that answers 429: never down for that alone."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    LIMITED = "limited"
    DEGRADED = "degraded"
    DOWN = "down"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one provider (or at whoever the router picks, ``provider=None``) at one endpoint."""

    chain: str
    position: int
    label: str
    model: str
    provider: str | None
    endpoint: str
    timeout: float

    @property
    def key(self) -> str:
        """``label``, or ``label@provider`` where a provider is pinned."""
        return f"{self.label}@{self.provider}" if self.provider else self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    prompt: int = 0
    completion: int = 0
    reasoning: int = 0


NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to one target, as reported by the router or as made by us.

    ``position`` is None where the (model, provider) belongs to no target of the chain.
    """

    model: str
    provider: str | None = None
    position: int | None = None
    status_code: int | None = None
    reason: Reason = Reason.NONE
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRange:
    """The intervals between which a question's pace may move, in seconds; healthy for ``slower_after`` is one step."""

    fastest: float
    slowest: float
    slower_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """One scheduled question. ``key`` is ``chain[/target[@provider]]:kind``; ``target`` None asks the whole chain.

    ``passive``: live traffic that was answered within an interval stands in for it. ``pace`` None: always ``every``.
    ``tokens`` and ``depth`` (a share): size of a long prompt, and where in it the needle is.
    """

    key: str
    chain: str
    kind: str
    target: Target | None
    every: float
    first_token: float
    max_tokens: int
    passive: bool = False
    pace: PaceRange | None = None
    tokens: int = 0
    depth: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a probe run (or a live exchange) ends as.

    ``target`` is the label of the target asked on its own, None for the whole chain; ``provider`` the
    provider that was pinned. ``served_by``/``position`` name the target that answered, ``model`` and
    ``served_provider`` what the endpoint said. ``detail`` is for people and never a metric label.
    """

    id: str
    at: float
    chain: str
    probe: str
    kind: str
    origin: Origin
    status: Status
    reason: Reason
    drill: str | None = None
    target: str | None = None
    provider: str | None = None
    served_by: str | None = None
    position: int | None = None
    model: str | None = None
    served_provider: str | None = None
    path: Path | None = None
    attempts: tuple[Attempt, ...] = ()
    status_code: int | None = None
    retry_after: float | None = None
    duration: float = 0.0
    first_token: float | None = None
    tokens: Tokens = NO_TOKENS
    output_rate: float | None = None
    longest_gap: float | None = None
    cost: float | None = None
    generation: str | None = None
    detail: str = ""

    @property
    def is_chain(self) -> bool:
        return self.target is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose health: a chain (``target`` None), a target, or a target pinned to a provider."""

    chain: str
    target: str | None = None
    provider: str | None = None

    @property
    def key(self) -> str:
        """``chain``, ``chain/target`` or ``chain/target@provider``."""
        name = self.chain if self.target is None else f"{self.chain}/{self.target}"
        return f"{name}@{self.provider}" if self.provider else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of health: a record of its own, with its cause."""

    at: float
    subject: Subject
    before: Health
    after: Health
    reason: Reason
    detail: str
    outcome: str | None


class NoticeState(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class NoticeCause(StrEnum):
    """Why a notice is sent."""

    FIRST = "first"
    CHANGED = "changed"
    REPEAT_DUE = "repeat_due"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has taken an incident on: ``by`` is a name for people."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One alert of an incident. ``key`` tells alerts apart; a resolved one was told of before."""

    key: str
    alert: str
    chain: str
    severity: Severity
    state: NoticeState
    title: str
    summary: str
    since: float
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one notifier about one incident, complete: a notifier needs nothing else to word it.

    ``facts`` are ordered (name, text) pairs: the evidence. ``incident`` is the identity that ties the
    messages of one incident together; ``since`` is when the incident began. ``until``: by then a firing one has been
    told again; whoever hears nothing more may take it for over. None where nobody can say.

    An incident may hold several alerts of several chains: ``alert``, ``chain``, ``severity`` and ``docs`` are those of
    the gravest that fires, ``members`` lists all that this notifier hears of, and ``shared`` names what they have in
    common (``provider groq``), None for a single one. ``changes``: sentences about what is new since the last notice;
    ``worse``: it became graver since, so an edit that nobody notices is not enough. ``merged_into``: the incident under
    which this one goes on, when it is over for that.
    """

    id: str
    at: float
    incident: str
    alert: str
    chain: str
    severity: Severity
    state: NoticeState
    cause: NoticeCause
    notifier: str
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    since: float = 0.0
    link: str | None = None
    until: float | None = None
    members: tuple[Member, ...] = ()
    shared: str | None = None
    acknowledged: Acknowledgement | None = None
    changes: tuple[str, ...] = ()
    worse: bool = False
    merged_into: str | None = None
    docs: str | None = None

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains that it is about, each once: those that still fire, or all of them once it is over."""
        named = [one.chain for one in self.members if one.state is self.state]
        return tuple(dict.fromkeys(named)) or (self.chain,)


class VerdictKind(StrEnum):
    PASSED = "passed"
    DEVIATED = "deviated"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one drill run. ``failover`` is how long the chain took to answer while broken, in seconds.

    ``edge``: positions, from what was broken to who answered. ``tested``: labels of the edge that the run was to
    prove, whatever came of it; None where no fallback was to answer.
    """

    at: float
    run: str
    drill: str
    chain: str
    kind: VerdictKind
    because: str
    fault: str
    edge: tuple[int, int] | None = None
    path: Path | None = None
    failover: float | None = None
    served_by: str | None = None
    tested: tuple[str, str] | None = None


class Misdeed(StrEnum):
    """What a client did wrong while its calls were broken on purpose."""

    IGNORED_RETRY_AFTER = "ignored_retry_after"
    RETRIED_IN_VAIN = "retried_in_vain"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NO_BACKOFF = "no_backoff"
    TOOK_A_TORSO = "took_a_torso"
    NEVER_FELL_BACK = "never_fell_back"
    RETRY_STORM = "retry_storm"


def new_id(now: float | None = None) -> str:
    """A 26-character identifier that sorts by time: 12 hex digits of milliseconds, 14 random."""
    millis = int((time.time() if now is None else now) * 1000)
    return f"{millis:012x}{os.urandom(7).hex()}"
