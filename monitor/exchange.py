"""One HTTP exchange as values: what is asked (Ask), what came back (Reply), what it says (Answer)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.model import NO_TOKENS, Attempt, Reason, Tokens
from monitor.model.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a probe wants to know, before a dialect words it.

    ``max_tokens`` is what the answer may cost; the dialect raises it to its floor for reasoning models.
    """

    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int
    stream: bool = False
    extra: Mapping[str, Any] | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, ready to send. ``deadline`` and ``first_token`` (streams only) are our own, in seconds.

    ``marks`` travel as an httpx request extension named ``fallbackd``: chain, target (label), position, drill,
    dialect.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None
    stream: bool
    deadline: float
    first_token: float | None = None
    marks: Mapping[str, Any] | None = None


class Fate(StrEnum):
    """How an exchange ended on the wire. ``answered`` says nothing about what was answered."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # noqa: S105 - a fate, not a password
    STALLED = "stalled"
    RESET = "reset"
    CUT = "cut"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    OURS = "ours"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One server-sent event: seconds since the request was sent, and its data, undecoded."""

    at: float
    data: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, whatever the bytes. ``status`` is None when no status line arrived.

    ``headers`` by name in lower case. ``body`` is what was read of a plain reply (or of a stream that was none).
    ``events`` are a stream's, comments left out; ``done`` says that the terminator ``[DONE]`` was seen. ``first_byte``
    and ``duration`` are in seconds. ``detail`` is for people: the cause of a bad fate.
    """

    fate: Fate
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    events: tuple[Event, ...] = ()
    done: bool = False
    first_byte: float | None = None
    duration: float = 0.0
    detail: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The cause of a bad exchange, with what an operator needs beside it. ``reason`` NONE means nothing is wrong."""

    reason: Reason
    detail: str = ""
    retry_after: float | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reply says once a dialect has read it.

    ``model`` and ``provider`` as the endpoint wrote them. ``attempts`` only where the endpoint reported them:
    ``attempts_reported`` tells an empty report from none. ``reasoning_details`` are for the model to get back with the
    result of a tool (OpenRouter docs: Reasoning Tokens). ``streamed_tokens`` were seen arriving: hidden reasoning is
    none of them. ``finding`` is the trouble, if any, in the reply itself.
    """

    text: str = ""
    model: str | None = None
    provider: str | None = None
    finish: str | None = None
    tokens: Tokens = NO_TOKENS
    cost: float | None = None
    attempts: tuple[Attempt, ...] = ()
    attempts_reported: bool = False
    generation: str | None = None
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    reasoning_details: tuple[Mapping[str, Any], ...] = ()
    first_token: float | None = None
    last_token: float | None = None
    longest_gap: float | None = None
    streamed_tokens: int = 0
    finding: Finding = Finding(reason=Reason.NONE)


Reshape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A change of a request body, made by a drill; pure."""
