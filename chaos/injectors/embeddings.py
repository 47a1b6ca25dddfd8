"""How an answer of the Embeddings API is bent: pure changes of its JSON.

Facts: OpenAI's API reference (Embeddings): a vector is a list of numbers, or their bytes as 32-bit floats in base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from chaos.injectors.sayings import STRANGER, Answer

_FLOAT = 4


class Embeddings:
    """One answer. What would have to be said changes nothing, since nobody speaks here."""

    def __init__(self, name: str) -> None:
        self._name = name

    def whole(self, answer: Answer) -> Answer:
        match self._name:
            case "wrong_model":
                return {**answer, "model": STRANGER}
            case "empty_content":
                return {**answer, "data": []}
            case "wrong_answer":
                return {**answer, "data": [_elsewhere(one) for one in answer["data"]]}
        return answer

    def event(self, event: Answer) -> list[Answer]:
        return [event]


def _elsewhere(one: Any) -> Any:
    """As long as before, and of another meaning: backwards."""
    if not isinstance(one, Mapping):
        return one
    vector = one.get("embedding")
    return {**one, "embedding": vector[::-1] if isinstance(vector, list) else _packed(vector)}


def _packed(vector: Any) -> Any:
    try:
        raw = base64.b64decode(vector, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return vector
    floats = [raw[at : at + _FLOAT] for at in range(0, len(raw), _FLOAT)]
    return base64.b64encode(b"".join(reversed(floats))).decode()
