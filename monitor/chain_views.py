"""Chains and targets as pages and programs see them, made of what is known now."""

from __future__ import annotations

from typing import Any

from monitor.alarm import Alarm
from monitor.budget import BudgetState, Priority, Purse, Scope
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.health import abilities
from monitor.knowledge import Knowledge
from monitor.metrics import WINDOWS
from monitor.model import Target
from monitor.web.views import (
    AbilityView,
    BudgetView,
    ChainView,
    ProviderView,
    ServingView,
    ShareView,
    StateView,
    TargetView,
)


class ChainViews:
    def __init__(self, *, knowledge: Knowledge, alarm: Alarm, clock: Clock) -> None:
        self._knowledge = knowledge
        self._alarm = alarm
        self._clock = clock

    def view(self, chain: ChainConfig) -> ChainView:
        state, name = self._knowledge.chain_state(chain.name), chain.name
        now = self._clock.now()
        budget = self._knowledge.spending.state(Purse(scope=Scope.CHAIN, name=name), now)
        known: dict[str, object] = {}
        if state is not None:
            known = {
                "health": state.health, "reason": state.reason, "detail": state.detail, "since": state.since,
                "last_good": state.last_good, "last_bad": state.last_bad,
            }  # fmt: skip
        serving = state.serving if state else None
        return ChainView(
            **StateView(**known, latency=self._knowledge.latency(name)).model_dump(),
            name=name,
            mode=chain.mode,
            endpoint=chain.endpoint,
            serving=ServingView(
                label=serving.label, position=serving.position, path=serving.path, model=serving.model,
                since=serving.since, at=serving.at,
            ) if serving else None,
            targets=tuple(self._target(chain, target) for target in chain.all_targets()),
            fallback=tuple(self._share(name, window, seconds, now) for window, seconds in WINDOWS.items()),
            budget=None if budget is None else BudgetView(**budget_fields(budget)),
            alerts=tuple(one.alert for one in self._alarm.firing if one.chain == name),
        )  # fmt: skip

    def _target(self, chain: ChainConfig, target: Target) -> TargetView:
        pinned = [
            one for one in self._knowledge.targets(chain.name) if one.position == target.position and one != target
        ]
        state = self._knowledge.target_state(target)
        return TargetView(
            **self._state(target),
            chain=chain.name,
            label=target.label,
            position=target.position,
            model=target.model,
            provider=target.provider,
            limited_until=state.limited_until if state else None,
            abilities=tuple(
                AbilityView(capability=one.capability, standing=one.standing, detail=one.detail, at=one.at)
                for one in abilities(chain.needs, state)
            ),
            providers=tuple(ProviderView(**self._state(one), provider=one.provider or "") for one in pinned),
        )

    def _state(self, target: Target) -> dict[str, object]:
        state, latency = self._knowledge.target_state(target), self._knowledge.latency(target)
        if state is None:
            return {"latency": latency}
        return {
            "health": state.health, "reason": state.reason, "detail": state.detail, "since": state.since,
            "last_good": state.last_good, "last_bad": state.last_bad, "latency": latency,
        }  # fmt: skip

    def _share(self, chain: str, window: str, seconds: float, now: float) -> ShareView:
        share, answers = self._knowledge.history(chain).share(seconds, now)
        return ShareView(window=window, share=share, answers=answers)


def budget_fields(state: BudgetState) -> dict[str, Any]:
    """What a budget's view shows, whosever it is."""
    stopped = tuple(priority.value for priority in Priority if priority in state.stopped)
    return {
        "usd_per_day": state.usd_per_day,
        "remaining": state.remaining,
        "stopped": stopped,
        "resumes": state.resumes if stopped else None,
    }
