"""Breaks a chain that a LiteLLM proxy walks, by the fields with which the proxy lets its own fallbacks be tested.

Facts: LiteLLM docs "Fallbacks" (Test Fallbacks), checked against version 1.106: the proxy fails the first group itself
and goes on to the group's fallbacks for that cause. Nobody is called in its place, and no other request is touched. Its
config must allow it: ``general_settings.dangerously_allow_mock_testing_request_params``.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from chaos.edits import Edit
from chaos.faults import FAULTS
from chaos.injectors.injector import ROUTED, Refused
from chaos.injectors.plans import Change
from chaos.injectors.request import Reshaping
from chaos.model import Drill, Injection, Option
from chaos.shapes import words
from monitor.clock import Clock
from monitor.config.model import ChainConfig
from monitor.model import Mode
from monitor.offering import Catalogue

FIELDS: Mapping[str, tuple[str, str]] = {
    "unavailable": ("mock_testing_fallbacks", "as if it were down"),
    "context_length": ("mock_testing_context_fallbacks", "as if the prompt were too long for it"),
    "moderated": ("mock_testing_content_policy_fallbacks", "as if its content policy forbade the prompt"),
}
"""fault -> the field of a request that makes the proxy fail its first group so, and how that is said.

``mock_testing_rate_limit_error`` is none of them: version 1.106 fails every fallback with it too.
"""


_NO_WORDS = "it is said to OpenRouter, in words that a LiteLLM proxy does not know"
_NO_FIELD = "a LiteLLM proxy has no field that makes it fail so and go on to its fallbacks"


class ProxyInjector:
    """For ``server`` chains at endpoints of dialect litellm."""

    name = "proxy"

    @property
    def faults(self) -> Mapping[str, Mapping[str, Option]]:
        return {fault: {} for fault in FIELDS}

    @property
    def limits(self) -> Mapping[str, str]:
        return {**dict.fromkeys(ROUTED, _NO_WORDS), **dict.fromkeys(set(FAULTS) - set(FIELDS), _NO_FIELD)}

    def check(self, drill: Drill, chain: ChainConfig, catalogue: Catalogue) -> Refused | None:  # noqa: ARG002 - the shape of all injectors
        found = plan(drill, chain)
        return found if isinstance(found, Refused) else None

    def arm(
        self,
        injection: Injection,
        drill: Drill,
        chain: ChainConfig,
        catalogue: Catalogue,  # noqa: ARG002 - the shape of all injectors
        clock: Clock,
        rng: Random,
    ) -> Reshaping | Refused:
        found = plan(drill, chain)
        return found if isinstance(found, Refused) else Reshaping(found, injection, clock, rng)


def plan(drill: Drill, chain: ChainConfig) -> tuple[Change, ...] | Refused:
    """The changes that make the proxy fail its first group, one for each strike, or why there are none. Pure."""
    if chain.mode is not Mode.SERVER:
        return Refused(f"{chain.name} is a {chain.mode} chain, and a LiteLLM proxy can only be told to fail a group")
    if drill.breaks != (0,):
        others = " and ".join(chain.targets[position].label for position in drill.breaks if position)
        return Refused(
            f"a LiteLLM proxy can be told to fail the group that is asked for, {chain.targets[0].label}, and none of "
            f"its fallbacks, as {others} is"
        )
    made = []
    for strike in drill.strikes:
        field, how = FIELDS[strike.fault]
        when = f" ({words(strike)})" if words(strike) else ""
        says = f"requests tell the proxy to fail {chain.targets[0].model} {how} ({field}){when}"
        made.append(Change(Edit(kind="field", values=(field,)), says))
    return tuple(made)
