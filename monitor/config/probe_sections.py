"""The sections of a chain about its questions: what is asked how often, what it costs, when health changes."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from monitor.config.quantity import Duration, Percent
from monitor.config.section import Section


class Of(StrEnum):
    """Whom a probe asks: the chain end to end, each target on its own, each listed provider pinned."""

    CHAIN = "chain"
    TARGETS = "targets"
    PROVIDERS = "providers"


class PaceConfig(Section):
    """Asks more often when something looks wrong, and less often what has been healthy for long. Without it every
    question keeps its interval."""

    slowest: Duration | None = Field(
        default=None, gt=0, description="Longest interval of what has been healthy for long; unset, never slower."
    )
    fastest: Duration | None = Field(
        default=None,
        gt=0,
        description="Interval after a failure, while degraded and after a rate limit; unset, never faster.",
    )
    slower_after: Duration = Field(
        default=3600.0, gt=0, description="Healthy for so long doubles the interval, and each further time again."
    )


class BudgetConfig(Section):
    """What the questions of one chain, at one provider, or of one kind may cost."""

    usd_per_day: float = Field(
        ge=0, description="What one UTC day may cost, in US dollars; once spent, paid probes stop until midnight UTC."
    )


class ProbeConfig(Section):
    """One kind of question, how often, of whom. ``first_token`` is a deadline of ours, not an objective."""

    kind: str = Field(description="What sort of question is asked.")
    every: Duration = Field(gt=0, description="Time between two questions to the same subject; at least 1s.")
    of: tuple[Of, ...] = Field(
        default=(Of.CHAIN, Of.TARGETS, Of.PROVIDERS),
        description="Whom to ask: the chain end to end, each target alone, each listed provider alone.",
    )
    first_token: Duration = Field(
        default=15.0, gt=0, description="A stream without its first token by then is given up: first_token_timeout."
    )
    max_tokens: int | None = Field(
        default=None,
        ge=16,
        le=32768,
        description="Longest answer that is paid for; raised for reasoning models. Unset, what the kind needs.",
    )
    tokens: int = Field(
        default=8000, ge=500, le=2_000_000, description="Kind long_context: about how many tokens the prompt has."
    )
    depth: Percent = Field(
        default=0.5, description="Kind long_context: where in the prompt the needle is, from 0% (start) to 100% (end)."
    )
    budget: BudgetConfig | None = Field(
        default=None, description="What this probe alone may cost, within the chain's budget; unset, no own limit."
    )
    passive: bool = Field(
        default=False, description="A target that answered live traffic within the interval is not asked as well."
    )
    pace: PaceConfig | None = Field(
        default=None, description="How far the interval may move with what is seen; unset, the chain's pace."
    )


class HealthConfig(Section):
    """``down_after`` failures among the last ``window`` results are down; ``recover_after`` good ones in a row are
    healthy again. A first failure is asked again at once ``confirm`` times."""

    window: int = Field(default=5, ge=1, le=100, description="How many of the latest results are looked at.")
    down_after: int = Field(default=3, ge=1, le=100, description="So many failures among them are down.")
    recover_after: int = Field(default=2, ge=1, le=100, description="So many good results in a row are healthy again.")
    confirm: int = Field(default=2, ge=0, le=10, description="How often a first failure is asked again at once.")
    limited_for: Duration = Field(
        default=180.0, description="How long a chain gets nothing but 429 before it is down; until then it is limited."
    )
