"""What a bent answer says, in whatever API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chaos.faults.unfit import SAYINGS

Answer = Mapping[str, Any]

STRANGER = "fallbackd/another-model"
NONSENSE = "I would rather not say."
REFUSAL = "I'm sorry, but I can't help with that."
SAYS = {"wrong_answer": NONSENSE, "refusal": "", "empty_content": "", **SAYINGS}
"""What is said in place of everything, in the APIs whose answers are lists of parts; a refusal has no words in all."""


def called(name: Any, arguments: str) -> str:
    """The beginning of a call that is written as text, and is not closed."""
    return f'<tool_call>{{"name": {json.dumps(name)}, "arguments": {arguments}'


def unclosed(text: Any) -> str:
    """JSON that can never be read."""
    return str(text).replace("}", "")
