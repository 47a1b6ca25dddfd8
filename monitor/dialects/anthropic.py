"""Anthropic's Messages API: one model a request, content in blocks, errors and streams in its own words.

Facts: Anthropic docs "Messages", "Errors", "Versions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from monitor.classify import find_error
from monitor.dialects.anthropic_message import read_message
from monitor.dialects.anthropic_stream import read_stream
from monitor.dialects.anthropic_words import extra_of, messages_of, system_of
from monitor.dialects.dialect import Route, UnsupportedError, bound_tokens, is_streamed, marks_of
from monitor.exchange import Answer, Ask, Finding, Question, Reply
from monitor.model import Mode, Reason
from monitor.reading import parse, text_of

VERSION = "2023-06-01"
_VERSIONED = re.compile(r"/v\d+$")


class Anthropic:
    name = "anthropic"
    modes = frozenset({Mode.CLIENT})
    pins = False
    routes = False
    most_models: int | None = None
    lists_models = False

    def ask(self, question: Question, route: Route) -> Ask:
        if route.target is None:
            raise UnsupportedError("an endpoint of dialect anthropic walks no chains: use mode client")
        if route.target.provider is not None:
            raise UnsupportedError(f"an endpoint of dialect anthropic cannot pin the provider {route.target.provider}")
        system = system_of(question.messages)
        body: dict[str, Any] = {
            "model": route.target.model,
            "max_tokens": bound_tokens(question.max_tokens, route.models, route.catalogue),
            **({"system": system} if system else {}),
            "messages": messages_of(question.messages),
            **extra_of(question.extra or {}),
            **({"stream": True} if question.stream else {}),
        }
        return Ask(
            method="POST",
            url=_base(route.endpoint.url) + "/messages",
            headers={"anthropic-version": VERSION, **_key(route), **route.endpoint.headers},
            body=body,
            stream=question.stream,
            deadline=route.deadline,
            first_token=route.first_token if question.stream else None,
            marks=marks_of(route, self.name),
        )

    def headed(self, answer: Answer, reply: Reply) -> Answer:  # noqa: ARG002 - its headers say nothing of that
        return answer

    def read(self, reply: Reply, *, now: float) -> Answer:
        answer = (read_stream if is_streamed(reply) else read_message)(reply, now=now)
        return replace(answer, finding=_named(answer.finding, reply))


def _base(url: str) -> str:
    """Its own SDKs leave the version out of the base URL, others write it."""
    plain = url.rstrip("/")
    return plain if _VERSIONED.search(plain) else f"{plain}/v1"


def _key(route: Route) -> Mapping[str, str]:
    return {} if route.credential is None else {"x-api-key": route.credential.get_secret_value()}


def _named(finding: Finding, reply: Reply) -> Finding:
    """What only the text of a general error tells: an unknown model, an empty purse."""
    if finding.reason not in (Reason.NO_ENDPOINT, Reason.BAD_REQUEST):
        return finding
    message = text_of((find_error(parse(reply.body)) or {}).get("message"))
    if message.startswith("model:"):
        return replace(finding, reason=Reason.MODEL_GONE)
    return replace(finding, reason=Reason.OUT_OF_CREDIT) if "credit balance is too low" in message else finding
