"""The closed enums that say how a question ended, and how a chain or target is."""

from __future__ import annotations

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
        return self is Origin.SCHEDULED or self is Origin.LIVE


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


class Overhead(StrEnum):
    """A part of what the gateway itself adds to an exchange."""

    REQUEST = "request"
    ANSWER = "answer"
    TURN = "turn"


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
