"""Who served a chain, by which path, and whether the targets timed out one after the other."""

from __future__ import annotations

import pytest

from monitor.config.model import ChainConfig
from monitor.exchange import Answer
from monitor.model import Attempt, Path, Reason, Target
from monitor.offering import Catalogue
from monitor.served import check_target, exhausted, find_slow_cascade, match

NONE = Catalogue()
SONNET, MINI, FLASH = "anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "google/gemini-2.5-flash"


def chain(mode: str, *targets: dict, **more) -> ChainConfig:
    body = {"name": "c", "endpoint": "e", "mode": mode, "targets": targets, **more}
    return ChainConfig.model_validate({"probes": [{"kind": "completion", "every": "60s"}], **body})


SERVER = chain(
    "server",
    {"label": "primary", "model": SONNET, "timeout": "30s"},
    {"label": "secondary", "model": MINI, "timeout": "25s"},
    {"label": "last", "model": FLASH, "timeout": "15s"},
)
PROVIDER = chain(
    "provider", {"label": "groq", "provider": "groq"}, {"label": "together", "provider": "together"}, model="meta/llama"
)


def tried(model: str, provider: str, status: int | None = 200, **more) -> Attempt:
    reason = Reason.NONE if status == 200 else Reason.SERVER_ERROR
    return Attempt(**{"model": model, "provider": provider, "status_code": status, "reason": reason, **more})


def answered(model: str | None, provider: str | None, *attempts: Attempt, reported: bool | None = None) -> Answer:
    said = bool(attempts) if reported is None else reported
    return Answer(model=model, provider=provider, attempts=attempts, attempts_reported=said)


BEDROCK_SAVED = (tried(SONNET, "Anthropic", 503), tried(SONNET, "Amazon Bedrock"))
FAILED_OVER = (tried(SONNET, "Anthropic", 503), tried(SONNET, "Amazon Bedrock", 529), tried(MINI, "OpenAI"))
FILTERED_TWICE = (tried(MINI, "OpenAI", 500), tried(FLASH, "Google"))

WHO = [
    (SERVER, answered(SONNET, "Anthropic"), 0, Path.PRIMARY, f"answered by {SONNET} at Anthropic"),
    (SERVER, answered(f"{SONNET}-20250929", None), 0, Path.PRIMARY, f"answered by {SONNET}-20250929"),
    (
        SERVER, answered(SONNET, "Amazon Bedrock", *BEDROCK_SAVED), 0, Path.PRIMARY,
        f"503 from Anthropic; moved on to {SONNET} at Amazon Bedrock (200)",
    ),
    (
        SERVER, answered(f"{MINI}-2025-08-07", "OpenAI", *FAILED_OVER), 1, Path.FAILED_OVER,
        f"503 from Anthropic, 529 from Amazon Bedrock; moved on to {MINI}-2025-08-07 at OpenAI (200)",
    ),
    (
        SERVER, answered(MINI, "OpenAI", tried(MINI, "OpenAI")), 1, Path.FILTERED,
        f"{SONNET} was left out before any call; {MINI} at OpenAI answered",
    ),
    (
        SERVER, answered(FLASH, "Google", *FILTERED_TWICE), 2, Path.FILTERED,
        f"{SONNET} was left out before any call; 500 from OpenAI; {FLASH} at Google answered",
    ),
    (
        SERVER, answered(MINI, "OpenAI"), 1, Path.FELL_BACK,
        f"{MINI} at OpenAI answered; the endpoint does not say whether {SONNET} was called",
    ),
    (SERVER, answered(MINI, None, reported=True), 1, Path.FELL_BACK, None),
    (
        SERVER, answered("x/other", "X", tried("x/other", "X")), None, Path.WRONG_MODEL,
        f"answered by x/other at X, which is not in the chain ({SONNET}, {MINI}, {FLASH})",
    ),
    (SERVER, answered(None, None), None, None, "the endpoint does not say who answered"),
    (SERVER, answered(None, None, *FAILED_OVER), 1, Path.FAILED_OVER, None),
    (PROVIDER, answered("meta/llama", "Groq"), 0, Path.PRIMARY, "answered by meta/llama at Groq"),
    (
        PROVIDER, answered("meta/llama", "Together", tried("meta/llama", "Groq", 502), tried("meta/llama", "Together")),
        1, Path.FAILED_OVER, "502 from Groq; moved on to meta/llama at Together (200)",
    ),
    (
        PROVIDER, answered("meta/llama", "Together", tried("meta/llama", "Together")), 1, Path.FILTERED,
        "meta/llama at groq was left out before any call; meta/llama at Together answered",
    ),
    (PROVIDER, answered("meta/llama", "Fireworks"), None, Path.WRONG_MODEL, None),
    (PROVIDER, answered("meta/other", "Groq"), None, Path.WRONG_MODEL, None),
    (PROVIDER, answered("meta/llama", None), None, None, "the endpoint does not say who answered"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer", "position", "path", "why"), WHO)
def test_who_served_and_by_which_path(asked, answer, position, path, why):
    served = match(answer, asked, NONE)
    assert (served.position, served.path) == (position, path)
    assert why is None or served.why == why


def test_attempts_get_the_positions_of_their_targets():
    served = match(answered(MINI, "OpenAI", tried("x/y", "X", 500), *FAILED_OVER), SERVER, NONE)
    assert [attempt.position for attempt in served.attempts] == [None, 0, 0, 1]


def test_nobody_served_and_the_attempts_tell_why():
    served = exhausted(answered(None, None, *(tried(m, "P", 503) for m in (SONNET, MINI, FLASH))), SERVER, NONE)
    assert (served.position, served.path) == (None, Path.EXHAUSTED)
    assert served.why == "503 from P, 503 from P, 503 from P"


def pinned(provider: str | None) -> Target:
    return Target(chain="c", position=0, label="primary", model=SONNET, provider=provider, endpoint="e", timeout=30.0)


@pytest.mark.parametrize(
    ("target", "answer", "reason", "detail"),
    [
        (pinned(None), answered(f"{SONNET}-20250929", "Anthropic"), Reason.NONE, ""),
        (pinned(None), answered(None, None), Reason.NONE, ""),
        (pinned(None), answered(MINI, "OpenAI"), Reason.WRONG_MODEL, f"asked {SONNET}, answered by {MINI} at OpenAI"),
        (pinned("amazon-bedrock"), answered(SONNET, "Amazon Bedrock"), Reason.NONE, ""),
        (
            pinned("amazon-bedrock"), answered(SONNET, "Anthropic"), Reason.WRONG_MODEL,
            f"pinned to amazon-bedrock, answered by {SONNET} at Anthropic",
        ),
    ],
)  # fmt: skip
def test_a_target_asked_on_its_own_must_answer_itself(target, answer, reason, detail):
    found = check_target(answer, target, NONE)
    assert (found.reason, found.detail) == (reason, detail)


def slow(position: int, seconds: float | None, reason: Reason = Reason.TIMEOUT) -> Attempt:
    return Attempt(model="m", position=position, duration=seconds, reason=reason)


QUICK = SERVER.model_copy(update={"objective": SERVER.objective.model_copy(update={"latency": 8.0})})


@pytest.mark.parametrize(
    ("asked", "attempts", "duration", "named"),
    [
        (SERVER, (slow(0, 30.0), slow(1, 25.0)), 56.0, "slow cascade: primary 30.0 s, secondary 25.0 s"),
        (SERVER, (slow(0, 30.0), slow(1, 24.0, Reason.CUT), slow(2, 1.0, Reason.NONE)), 55.0,
         "slow cascade: primary 30.0 s, secondary 24.0 s"),
        (SERVER, (slow(0, None), slow(1, None)), 56.0, "slow cascade: primary timeout, secondary timeout"),
        (SERVER, (slow(0, 30.0), slow(1, 1.0, Reason.NONE)), 31.0, None),
        (QUICK, (slow(0, 30.0), slow(1, 1.0, Reason.NONE)), 31.0, "slow cascade: primary 30.0 s"),
        (QUICK, (slow(0, 6.0, Reason.STALLED), slow(1, 1.0, Reason.NONE)), 7.0, None),
        (QUICK, (slow(0, 1.0, Reason.SERVER_ERROR), slow(1, 20.0, Reason.NONE)), 21.0, None),
        (SERVER, (), 100.0, None),
    ],
)  # fmt: skip
def test_a_slow_cascade_is_seen_and_named(asked, attempts, duration, named):
    assert find_slow_cascade(attempts, asked, duration) == named
