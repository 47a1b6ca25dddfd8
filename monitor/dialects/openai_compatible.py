"""The plain OpenAI chat API: one model a request, nothing said about attempts. The base of richer dialects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.dialects.chunks import read_stream
from monitor.dialects.completion import read_completion
from monitor.dialects.dialect import Route, UnsupportedError, bound_tokens
from monitor.exchange import Answer, Ask, Question, Reply
from monitor.model import Attempt, Mode

_OWN_LIMIT = re.compile(r"(?:openai/)?(?:o\d|gpt-5)")  # these refuse ``max_tokens`` at OpenAI itself


class OpenAICompatible:
    """Subclasses say only what is different: ``address``, ``limit``, ``headers``, ``report``."""

    name = "openai_compatible"
    modes = frozenset({Mode.CLIENT})
    pins = False

    def ask(self, question: Question, route: Route) -> Ask:
        bound = bound_tokens(question.max_tokens, route.models, route.catalogue)
        body: dict[str, Any] = {
            **self.address(route),
            "messages": [dict(message) for message in question.messages],
            **self.limit(bound, route),
            **(question.extra or {}),
        }
        if question.stream:
            body |= self.streaming()
        return Ask(
            method="POST",
            url=route.endpoint.url.rstrip("/") + "/chat/completions",
            headers={**_bearer(route), **self.headers(), **route.endpoint.headers},
            body=body,
            stream=question.stream,
            deadline=route.deadline,
            first_token=route.first_token if question.stream else None,
            marks=_marks(route),
        )

    def read(self, reply: Reply, *, now: float) -> Answer:
        content_type = next((v for k, v in (reply.headers or {}).items() if k.lower() == "content-type"), "")
        streamed = bool(reply.events) or content_type.lower().startswith("text/event-stream")
        read = read_stream if streamed else read_completion
        return read(reply, self.report, now=now)

    def address(self, route: Route) -> Mapping[str, Any]:
        """The part of a body that says whom to ask."""
        if route.target is None:
            raise UnsupportedError(f"an endpoint of dialect {self.name} walks no chains: use mode client")
        if route.target.provider is not None:
            raise UnsupportedError(
                f"an endpoint of dialect {self.name} cannot pin the provider {route.target.provider}"
            )
        return {"model": route.target.model}

    def limit(self, tokens: int, route: Route) -> Mapping[str, Any]:
        own = any(_OWN_LIMIT.match(model) for model in route.models)
        return {"max_completion_tokens" if own else "max_tokens": tokens}

    def streaming(self) -> Mapping[str, Any]:
        return {"stream": True, "stream_options": {"include_usage": True}}

    def headers(self) -> Mapping[str, str]:
        return {}

    def report(self, body: Mapping[str, Any]) -> tuple[Attempt, ...] | None:  # noqa: ARG002 - others read it
        """The attempts that a body (or a chunk) reports, None where it says nothing of them."""
        return None


def _bearer(route: Route) -> dict[str, str]:
    return {} if route.credential is None else {"Authorization": f"Bearer {route.credential.get_secret_value()}"}


def _marks(route: Route) -> dict[str, Any]:
    label, position = (route.target.label, route.target.position) if route.target else (None, None)
    return {"chain": route.chain.name, "target": label, "position": position, "drill": route.drill}
