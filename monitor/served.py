"""Who served: matches what an answer says about itself to the targets of a chain. Checked, never believed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.config.model import ChainConfig
from monitor.exchange import Answer, Finding
from monitor.model import Attempt, Path, Reason, Target
from monitor.model.quick import quick
from monitor.naming import closeness, same_provider
from monitor.offering import Catalogue

TIMEOUTS = frozenset({Reason.TIMEOUT, Reason.FIRST_TOKEN_TIMEOUT, Reason.STALLED})
_FARTHEST = 100  # farther than any name that means the model
_NEARLY = 0.9  # an attempt that failed after this share of its target's timeout has waited for nothing as well


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The target that answered a chain, and how it came to that. ``path`` None: the endpoint does not say who answered.

    ``attempts`` are those of the answer with their positions. ``why`` is the evidence in one sentence.
    """

    position: int | None
    path: Path | None
    attempts: tuple[Attempt, ...] = ()
    why: str = ""


def match(answer: Answer, chain: ChainConfig, catalogue: Catalogue) -> Served:
    """Who served an answer of a chain that the endpoint walks. Asks for an answer: without one, see ``exhausted``."""
    attempts = placed(answer.attempts, chain, catalogue)
    model, provider = _who(answer, chain)
    if model is None and provider is None:
        return Served(position=None, path=None, attempts=attempts, why="the endpoint does not say who answered")
    position = position_of(model, provider, chain, catalogue)
    path = judge_path(position, attempts, reported=answer.attempts_reported)
    return Served(
        position=position, path=path, attempts=attempts, why=_why(path, _name(model, provider), attempts, chain)
    )


def exhausted(answer: Answer, chain: ChainConfig, catalogue: Catalogue) -> Served:
    """Nobody served: what the reply still says about the attempts."""
    attempts = placed(answer.attempts, chain, catalogue)
    return Served(position=None, path=Path.EXHAUSTED, attempts=attempts, why=failures(attempts))


def position_of(model: str | None, provider: str | None, chain: ChainConfig, catalogue: Catalogue) -> int | None:
    """The target that a reported (model, provider) is: the one whose name comes closest, the first among equals."""
    best, found = _FARTHEST, None
    for target in chain.all_targets():
        near = _nearness(target, model, provider, catalogue)
        if near is not None and near < best:
            best, found = near, target.position
            if near == 0:
                break
    return found


def judge_path(position: int | None, attempts: Sequence[Attempt], *, reported: bool) -> Path:
    """How a chain came to its answer. Only reported attempts can tell filtered and failed over apart."""
    if position is None:
        return Path.WRONG_MODEL
    if position == 0:
        return Path.PRIMARY
    if not reported or not attempts:
        return Path.FELL_BACK
    return Path.FAILED_OVER if any(attempt.position == 0 for attempt in attempts) else Path.FILTERED


def placed(attempts: Sequence[Attempt], chain: ChainConfig, catalogue: Catalogue) -> tuple[Attempt, ...]:
    """The attempts with the targets that they were. One that names nobody keeps the place its endpoint gave it."""
    return tuple([_placed(attempt, chain, catalogue) for attempt in attempts])


def _placed(attempt: Attempt, chain: ChainConfig, catalogue: Catalogue) -> Attempt:
    if attempt.model or attempt.provider or attempt.position is None:
        position = position_of(attempt.model or None, attempt.provider, chain, catalogue)
        return _moved(attempt, position)
    if attempt.position >= len(chain.targets):
        return _moved(attempt, None)
    target = chain.target(attempt.position)
    return replace(attempt, model=target.model, provider=target.provider)


def _moved(attempt: Attempt, position: int | None) -> Attempt:
    """As ``replace`` does it, which takes longer than all else that is done with an attempt."""
    return Attempt(
        model=attempt.model,
        provider=attempt.provider,
        position=position,
        status_code=attempt.status_code,
        reason=attempt.reason,
        duration=attempt.duration,
    )


def check_target(answer: Answer, target: Target, catalogue: Catalogue) -> Finding:
    """Whether a target that was asked on its own is the one that answered. What is not said is not held against it."""
    if answer.model is not None and closeness(target.model, answer.model, catalogue) is None:
        return _impostor(f"asked {target.model}, answered by {_name(answer.model, answer.provider)}")
    if target.provider and answer.provider and not same_provider(target.provider, answer.provider, catalogue):
        return _impostor(f"pinned to {target.provider}, answered by {_name(answer.model, answer.provider)}")
    return Finding(reason=Reason.NONE)


def find_slow_cascade(attempts: Sequence[Attempt], chain: ChainConfig, duration: float) -> str | None:
    """Names the targets that used up their timeouts one after the other.

    Two of them, or one that took the whole walk beyond the chain's latency objective.
    """
    slow = [attempt for attempt in attempts if _timed_out(attempt, chain)]
    latency = chain.objective.latency
    late = latency is not None and duration > latency
    if len(slow) < 2 and not (slow and late):
        return None
    return "slow cascade: " + ", ".join(_timing(attempt, chain) for attempt in slow)


def failures(attempts: Sequence[Attempt]) -> str:
    """The failed attempts in order: ``503 from Anthropic, 429 from OpenAI``."""
    return ", ".join(
        [
            f"{attempt.status_code or attempt.reason} from {attempt.provider or attempt.model or 'a provider'}"
            for attempt in attempts
            if attempt.reason is not Reason.NONE
        ]
    )


def _impostor(detail: str) -> Finding:
    return Finding(reason=Reason.WRONG_MODEL, detail=detail)


def _who(answer: Answer, chain: ChainConfig) -> tuple[str | None, str | None]:
    """(model, provider) as the answer says, or as its last good attempt does; None twice where neither is enough."""
    model, provider = answer.model, answer.provider
    last = next((attempt for attempt in reversed(answer.attempts) if attempt.reason is Reason.NONE), None)
    if last is not None:
        model, provider = model or last.model or None, provider or last.provider
    needs_provider = any(target.provider for target in chain.targets)
    return (None, None) if model is None or (needs_provider and provider is None) else (model, provider)


def _nearness(target: Target, model: str | None, provider: str | None, catalogue: Catalogue) -> int | None:
    if target.provider and (provider is None or not same_provider(target.provider, provider, catalogue)):
        return None
    if model is None:
        return 0 if target.provider else None
    return closeness(target.model, model, catalogue)


def _why(path: Path, served_by: str, attempts: Sequence[Attempt], chain: ChainConfig) -> str:
    failed = failures(attempts)
    if path is Path.PRIMARY and not failed:
        return f"answered by {served_by}"
    primary = _wanted(chain.target(0))
    if path is Path.WRONG_MODEL:
        wanted = ", ".join(_wanted(target) for target in chain.all_targets())
        return f"answered by {served_by}, which is not in the chain ({wanted})"
    if path is Path.FELL_BACK:
        return f"{served_by} answered; the endpoint does not say whether {primary} was called"
    if path is Path.FILTERED:
        return f"{primary} was left out before any call; {f'{failed}; ' if failed else ''}{served_by} answered"
    moved = f"{failed}; moved on to {served_by} (200)" if failed else f"{served_by} answered"
    return moved if path is Path.FAILED_OVER or failed else f"answered by {served_by}"


def _wanted(target: Target) -> str:
    return f"{target.model} at {target.provider}" if target.provider else target.model


def _name(model: str | None, provider: str | None) -> str:
    return f"{model or 'an unnamed model'} at {provider}" if provider else model or "an unnamed model"


def _timed_out(attempt: Attempt, chain: ChainConfig) -> bool:
    if attempt.reason in TIMEOUTS:
        return True
    if attempt.reason is Reason.NONE or attempt.duration is None or attempt.position is None:
        return False
    return attempt.duration >= _NEARLY * chain.targets[attempt.position].timeout


def _timing(attempt: Attempt, chain: ChainConfig) -> str:
    label = attempt.model if attempt.position is None else chain.targets[attempt.position].label
    return f"{label} {f'{attempt.duration:.1f} s' if attempt.duration is not None else attempt.reason}"
