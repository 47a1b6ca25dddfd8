"""Whether pictures are seen: a tiny one with two colours, which have to be named in their order."""

from __future__ import annotations

import re
from random import Random

from monitor.exchange import Answer, Finding, Question
from monitor.model import ProbeSpec
from monitor.probes.kind import FINE, Kind, lacking, shown
from monitor.probes.picture import COLOURS, two_halves

IMAGE_TOKENS = 3000
"""What a small image may be billed as, at most: some small models count the most for it."""
_NAMED = re.compile(rf"\b(?:{'|'.join(COLOURS)})\b")


class Vision(Kind):
    name = "vision"

    def nonce(self, rng: Random) -> str:
        return " ".join(rng.sample(list(COLOURS), 2))

    def question(self, spec: ProbeSpec, nonce: str) -> Question:
        left, right = nonce.split(" ")
        text = (
            "The left half of this picture has one plain colour, the right half another. "
            f"Name only these two colours, the left one first. Choose from: {', '.join(COLOURS)}."
        )
        content = [
            {"type": "text", "text": text},
            {"type": "image_url", "image_url": {"url": two_halves(left, right), "detail": "low"}},
        ]
        return Question(messages=({"role": "user", "content": content},), max_tokens=spec.max_tokens)

    def judge(self, answer: Answer, nonce: str) -> Finding:
        """Exactly the two, in order: who lists every colour has seen none."""
        if _NAMED.findall(answer.text.casefold()) == nonce.split(" "):
            return FINE
        return lacking(f"the picture is {nonce.replace(' ', ' and ')}, the answer was {shown(answer)}")
