"""The plain OpenAI chat API, as providers, vLLM, Ollama and Portkey speak it: one model a request, nothing said about
attempts. The base of richer dialects.

Facts: vLLM docs "OpenAI-Compatible Server", Ollama docs "OpenAI compatibility", Portkey docs "Response Schema".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.dialects.chunks import read_stream
from monitor.dialects.completion import read_completion
from monitor.dialects.dialect import Route, UnsupportedError, bound_tokens, is_streamed, marks_of
from monitor.exchange import Answer, Ask, Question, Reply
from monitor.model import Attempt, Mode
from monitor.reading import clean, header

_OWN_LIMIT = re.compile(r"(?:openai/)?(?:o\d|gpt-5)")  # these refuse ``max_tokens`` at OpenAI itself

_TRACES = ("x-portkey-trace-id", "x-request-id")
_PROVIDER = "x-portkey-provider"
_TELLING = frozenset({*_TRACES, _PROVIDER})


class OpenAICompatible:
    """Subclasses say only what is different: ``address``, ``limit``, ``additions``, ``headers``, ``report``."""

    name = "openai_compatible"
    modes = frozenset({Mode.CLIENT})
    pins = False
    routes = False
    most_models: int | None = None
    lists_models = False
    strict = False
    """Whether a whole stream has both a finish reason and ``[DONE]``. Some servers write only one of them."""

    def ask(self, question: Question, route: Route) -> Ask:
        bound = bound_tokens(question.max_tokens, route.models, route.catalogue)
        body: dict[str, Any] = {
            **self.address(route),
            "messages": [dict(message) for message in question.messages],
            **self.limit(bound, route),
            **self.additions(question),
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
            marks=marks_of(route, self.name),
        )

    def headed(self, answer: Answer, reply: Reply) -> Answer:  # noqa: ARG002 - its headers say nothing of that
        return answer

    def read(self, reply: Reply, *, now: float) -> Answer:
        if is_streamed(reply):
            answer = read_stream(reply, self.report, now=now, strict=self.strict)
        else:
            answer = read_completion(reply, self.report, now=now)
        return _by_headers(answer, reply)

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

    def additions(self, question: Question) -> Mapping[str, Any]:
        """What a kind of question adds. ``reasoning`` is OpenRouter's word: others think, or do not, by themselves."""
        return {name: value for name, value in (question.extra or {}).items() if name != "reasoning"}

    def streaming(self) -> Mapping[str, Any]:
        return {"stream": True, "stream_options": {"include_usage": True}}

    def headers(self) -> Mapping[str, str]:
        return {}

    def report(self, body: Mapping[str, Any]) -> tuple[Attempt, ...] | None:  # noqa: ARG002 - others read it
        """The attempts that a body (or a chunk) reports, None where it says nothing of them."""
        return None


def _by_headers(answer: Answer, reply: Reply) -> Answer:
    """What a gateway says beside the body: Portkey names the provider and the trace; many name the request."""
    headers = reply.headers or {}
    if headers.keys().isdisjoint(_TELLING):
        return answer
    trace = next((found for name in _TRACES if (found := clean(header(headers, name), 100))), None)
    provider = clean(header(headers, _PROVIDER), 100) or None
    if (answer.provider or not provider) and (answer.generation or not trace):
        return answer
    return replace(answer, provider=answer.provider or provider, generation=answer.generation or trace)


def _bearer(route: Route) -> dict[str, str]:
    return {} if route.credential is None else {"Authorization": f"Bearer {route.credential.get_secret_value()}"}
