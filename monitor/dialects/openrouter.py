"""OpenRouter: walks chains of models and of providers itself, and reports every attempt when asked to.

Facts: OpenRouter docs "Model Fallbacks", "Provider Routing", "Router Metadata", "Response Caching", "App Attribution".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.classify import by_status
from monitor.dialects.dialect import Route
from monitor.dialects.openai_compatible import OpenAICompatible
from monitor.exchange import Question
from monitor.model import Attempt, Mode, Reason, Target
from monitor.reading import clean, mapping, number, text_of

_MAX_ATTEMPTS = 50


class OpenRouter(OpenAICompatible):
    name = "openrouter"
    modes = frozenset(Mode)
    pins = True
    routes = True
    most_models: int | None = 3
    """More are refused (OpenRouter docs: Model Fallbacks; seen as a 400 by its users)."""
    lists_models = True
    strict = True

    def address(self, route: Route) -> Mapping[str, Any]:
        """``models`` alone for a chain of models: whether ``model`` may stand beside it is reported both ways."""
        routing = dict(route.chain.routing) if route.end_to_end else {}
        session = {"session_id": route.session}
        if route.target is not None:
            return _one(route.target, routing) | session
        if route.chain.mode is Mode.PROVIDER:
            order = [target.provider for target in route.chain.all_targets()]
            return {
                "model": route.models[0],
                "provider": {"allow_fallbacks": False, **routing, "order": order},
            } | session
        return {"models": list(route.models)} | ({"provider": routing} if routing else {}) | session

    def limit(self, tokens: int, route: Route) -> Mapping[str, Any]:  # noqa: ARG002 - the base's depends on the route
        return {"max_tokens": tokens}

    def additions(self, question: Question) -> Mapping[str, Any]:
        return question.extra or {}

    def streaming(self) -> Mapping[str, Any]:
        return {"stream": True}  # usage comes anyway

    def headers(self) -> Mapping[str, str]:
        return {
            "X-OpenRouter-Metadata": "enabled",
            "X-OpenRouter-Cache": "false",
            "X-OpenRouter-Title": "fallbackd",
            "HTTP-Referer": "http://localhost",
        }

    def report(self, body: Mapping[str, Any]) -> tuple[Attempt, ...] | None:
        metadata = body.get("openrouter_metadata")
        attempts = mapping(metadata).get("attempts") if metadata else None
        if not isinstance(attempts, list):
            return None
        return tuple(_attempt(mapping(item)) for item in attempts[:_MAX_ATTEMPTS])


def _one(target: Target, routing: Mapping[str, Any]) -> dict[str, Any]:
    pin = {"only": [target.provider], "allow_fallbacks": False} if target.provider else {}
    provider = {**routing, **pin}
    return {"model": target.model, **({"provider": provider} if provider else {})}


def _attempt(item: Mapping[str, Any]) -> Attempt:
    status = number(item.get("status"))
    code = int(status) if status is not None and 100 <= status < 600 else None
    unknown = Reason.NONE if item.get("status") in (None, "ok", "success") else Reason.SERVER_ERROR
    return Attempt(
        model=clean(text_of(item.get("model")), 200),
        provider=clean(text_of(item.get("provider")), 100) or None,
        status_code=code,
        reason=by_status(code) if code is not None else unknown,
    )
