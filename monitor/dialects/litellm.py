"""A LiteLLM proxy: walks model groups and, inside a group, deployments; says in headers who answered.

A target's model is a model group, its provider the id of a deployment (``model_info.id``). Facts: LiteLLM docs
"Fallbacks", "Response Headers", "Load Balancing"; checked against version 1.106.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.classify import find_error
from monitor.dialects.dialect import Route
from monitor.dialects.litellm_errors import failed, refine, told
from monitor.dialects.openai_compatible import OpenAICompatible
from monitor.exchange import Answer, Reply
from monitor.model import Attempt, Mode, Reason
from monitor.reading import clean, header, mapping, number, parse

_MOST_DOLLARS = 1e6


class LiteLLM(OpenAICompatible):
    name = "litellm"
    modes = frozenset(Mode)
    pins = True
    routes = True
    strict = True

    def address(self, route: Route) -> Mapping[str, Any]:
        """A chain is asked by its first group: its fallbacks are the proxy's. The chain's ``routing`` stands in the
        request itself. A target alone must not be answered, nor mended, by anybody else; the id of a deployment in
        place of a group pins it."""
        routing = dict(route.chain.routing) if route.end_to_end else {}
        if route.target is None:
            return {**routing, "model": route.models[0]}
        alone = {} if route.end_to_end else {"disable_fallbacks": True, "num_retries": 0}
        return {**routing, **alone, "model": route.target.provider or route.target.model}

    def report(self, body: Mapping[str, Any]) -> tuple[Attempt, ...] | None:
        """A stream tells its failed attempts in a chunk, where the proxy may tell them at all."""
        fallback = body.get("litellm_fallback")
        return told(mapping(fallback).get("errors"), 0) if isinstance(fallback, Mapping) else None

    def read(self, reply: Reply, *, now: float) -> Answer:
        answer = _by_headers(super().read(reply, now=now), reply)
        return answer if answer.finding.reason is Reason.NONE else _by_error(answer, reply)

    def headed(self, answer: Answer, reply: Reply) -> Answer:
        return _by_headers(answer, reply)


def _by_headers(answer: Answer, reply: Reply) -> Answer:
    group = clean(header(reply.headers, "x-litellm-model-group"), 200) or None
    deployment = clean(header(reply.headers, "x-litellm-model-id"), 200) or None
    pinned = deployment is not None and (group or answer.model) == deployment  # the group of a pinned one is not told
    cost = number(header(reply.headers, "x-litellm-response-cost"))
    found = replace(
        answer,
        model=None if pinned else group or answer.model,
        provider=deployment or answer.provider,
        generation=clean(header(reply.headers, "x-litellm-call-id"), 100) or answer.generation,
        cost=cost if answer.cost is None and cost is not None and 0 < cost <= _MOST_DOLLARS else answer.cost,
    )
    served = answer.finding.reason is Reason.NONE and (group is not None or deployment is not None)
    return _by_attempts(found, reply) if served else found


def _by_attempts(answer: Answer, reply: Reply) -> Answer:
    """Failed attempts are told on demand only; without any fallback or retry there was the one that answered."""
    hops = number(header(reply.headers, "x-litellm-attempted-fallbacks"))
    retries = number(header(reply.headers, "x-litellm-attempted-retries"))
    last = Attempt(model=answer.model or "", provider=answer.provider, status_code=reply.status)
    errors = parse(header(reply.headers, "x-litellm-fallback-errors")[:100_000])
    if isinstance(errors, list):
        return replace(answer, attempts=(*told(errors, int(hops or 0)), last), attempts_reported=True)
    if answer.attempts_reported:
        return replace(answer, attempts=(*answer.attempts, last))
    if hops == 0 and not retries:
        return replace(answer, attempts=(last,), attempts_reported=True)
    return answer


def _by_error(answer: Answer, reply: Reply) -> Answer:
    error = next((found for found in map(find_error, _bodies(reply)) if found is not None), None)
    if error is None:
        return answer
    finding = refine(answer.finding, error)
    attempts = failed(error, finding.reason)
    if attempts is None:
        return replace(answer, finding=finding)
    return replace(answer, finding=finding, attempts=attempts, attempts_reported=True)


def _bodies(reply: Reply) -> tuple[Any, ...]:
    """Where an error may stand: in the body, or in the last events of a stream."""
    return (parse(reply.body), *(parse(event.data) for event in reply.events[-3:]))
