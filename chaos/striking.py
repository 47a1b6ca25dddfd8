"""The strikes of one injection as requests come: counts those of each, asks its shape, and says why.

The one thing that remembers between requests; it decides nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from chaos.faults import FAULTS
from chaos.faults.together import together
from chaos.model import Effect, Fault, Moment, Strike
from chaos.shapes import SHAPES


class Striking:
    """``since``: when the chain was broken, in seconds since the epoch.

    ``met``: how many requests met a fault, by position; ``because`` says of the latest one why it did, or did not.
    """

    def __init__(
        self, strikes: Sequence[Strike], *, since: float, rng: Random, faults: Mapping[str, Fault] = FAULTS
    ) -> None:
        self.met: Counter[int] = Counter()
        self._reasons: list[str] = []
        self._strikes = tuple(strikes)
        self._since = since
        self._rng = rng
        self._faults = faults
        self._courses = [_Course() for _ in self._strikes]

    @property
    def because(self) -> str:
        return " and ".join(dict.fromkeys(self._reasons))

    def effect(self, position: int, now: float, concerns: Callable[[Effect], bool]) -> Effect | None:
        """What happens to a request for one target, counted; None where it passes.

        ``concerns``: whether a fault has to do with such a request at all; one that has not does not count it.
        """
        found = []
        self._reasons.clear()
        for index, strike in enumerate(self._strikes):
            if position not in strike.positions:
                continue
            effect = self._faults[strike.fault].effect(strike.options, self._rng)
            if concerns(effect) and self._falls(index, now):
                found.append(effect)
        if not found:
            return None
        self.met[position] += 1
        return together(found)

    def falling(self, now: float) -> tuple[int, ...]:
        """Which strikes (by index) a request meets that asks for all targets at once, counted."""
        self._reasons.clear()
        found = tuple(index for index in range(len(self._strikes)) if self._falls(index, now))
        self.met.update({position for index in found for position in self._strikes[index].positions})
        return found

    def _falls(self, index: int, now: float) -> bool:
        strike, course = self._strikes[index], self._courses[index]
        if course.begun is None:
            waited = course.passed >= strike.after_requests and now - self._since >= strike.after_seconds
            if not waited:
                course.passed += 1
                self._reasons.append("came before the fault begins")
                return False
            course.begun = now if strike.after_requests else self._since + strike.after_seconds
        moment = Moment(number=course.number, elapsed=now - course.begun)
        course.number += 1
        decision = SHAPES[strike.shape or "always"].decide(strike.shape_options, moment, self._rng)
        self._reasons.append(decision.because)
        return decision.strikes


@dataclass(slots=True)
class _Course:
    """How far a strike has come: requests that passed before it began, when that was, and requests since."""

    passed: int = 0
    begun: float | None = None
    number: int = 0
