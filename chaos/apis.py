"""The APIs that an exchange can be of, and which change of an answer has a meaning in which. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Api(StrEnum):
    """By the path that was asked for."""

    CHAT = "chat completions"
    RESPONSES = "responses"
    MESSAGES = "messages"
    EMBEDDINGS = "embeddings"


_ENDS: Mapping[str, Api] = {
    "/responses": Api.RESPONSES,
    "/messages": Api.MESSAGES,
    "/embeddings": Api.EMBEDDINGS,
}
_OF_VECTORS = frozenset({"empty_content", "wrong_model", "wrong_answer"})
"""The changes that make sense where nobody speaks: no data, another model's, vectors of something else."""


def api_of(path: str) -> Api:
    """Whatever is none of the others is taken for a chat completion."""
    route = path.partition("?")[0].rstrip("/")
    return next((api for end, api in _ENDS.items() if route.endswith(end)), Api.CHAT)


def changes(rewrite: str, api: Api) -> bool:
    """Whether a change of an answer, by its name, has a meaning in an API."""
    return api is not Api.EMBEDDINGS or rewrite in _OF_VECTORS
