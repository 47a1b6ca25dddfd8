"""What an outcome says in one sentence, for the journal and the judgement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.config.quantity import format_duration
from monitor.model import Attempt, Outcome, Path, Reason, Status


def seconds(duration: float) -> str:
    return format_duration(round(duration, 2 if duration >= 1 else 3))


def requests(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"


def join(names: Iterable[str]) -> str:
    return " and ".join(names)


def described(outcome: Outcome) -> str:
    """What happened to a request, as the rest of a sentence about it: ``was answered by ...``, ``failed with ...``."""
    if outcome.status is Status.ERROR:
        return f"could not be judged: {outcome.detail or 'a fault of the watcher itself'}"
    took = seconds(outcome.duration)
    if outcome.status is Status.FAILED:
        return f"failed with {_cause(outcome)} after {took}{_detail(outcome)}"
    text = f"was answered by {outcome.served_by or 'an unknown target'}{_origin(outcome)} in {took}"
    return text if outcome.status is Status.OK else f"{text}, but {outcome.reason}{_detail(outcome)}"


def way(path: Path | None, broken: Sequence[str]) -> str:
    """How the chain got past the broken targets (their labels); empty where it did not have to."""
    gone, verb, them = (join(broken), "was", "it") if len(broken) < 2 else (join(broken), "were", "them")
    match path:
        case Path.FILTERED:
            return f"{gone} {verb} filtered out before anyone called {them}"
        case Path.FAILED_OVER:
            return f"{gone} {verb} called, failed, and the chain failed over"
        case Path.FELL_BACK:
            return f"whether {gone} {verb} filtered out or failed over was not reported"
        case Path.WRONG_MODEL:
            return "the answer came from outside the chain"
        case Path.EXHAUSTED:
            return "no target answered"
        case _:
            return ""


def attempted(attempts: Sequence[Attempt]) -> str:
    """``model at provider 503 -> model at provider 200``; empty where nothing was reported."""
    return " -> ".join(_attempt(attempt) for attempt in attempts)


def _attempt(attempt: Attempt) -> str:
    """A status 200 that stalled or was cut is no success, so the reason stands beside it."""
    status = str(attempt.status_code or "")
    reason = "" if attempt.reason is Reason.NONE or (attempt.status_code or 0) >= 400 else attempt.reason.value
    where = f" at {attempt.provider}" if attempt.provider else ""
    return " ".join(filter(None, (f"{attempt.model}{where}", status, reason)))


def _origin(outcome: Outcome) -> str:
    if outcome.model is None:
        return ""
    return f" ({outcome.model}{f' at {outcome.served_provider}' if outcome.served_provider else ''})"


def _cause(outcome: Outcome) -> str:
    return f"{outcome.reason}{f' (HTTP {outcome.status_code})' if outcome.status_code else ''}"


def _detail(outcome: Outcome) -> str:
    return f": {outcome.detail}" if outcome.detail else ""
