"""What the world outside does over time: spells of trouble that are written down, and noise that is drawn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from monitor.model import Reason, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How an attempt goes wrong. ``share`` of the attempts meet it; ``seconds`` each takes, None: until its timeout."""

    reason: Reason
    status: int | None = None
    seconds: float | None = 0.3
    retry_after: float | None = None
    share: float = 1.0


TROUBLES = {
    "overloaded": Trouble(reason=Reason.OVERLOADED, status=529),
    "server_error": Trouble(reason=Reason.SERVER_ERROR, status=500),
    "bad_gateway": Trouble(reason=Reason.SERVER_ERROR, status=502),
    "rate_limited": Trouble(reason=Reason.RATE_LIMITED, status=429, retry_after=20.0),
    "timeout": Trouble(reason=Reason.TIMEOUT, seconds=None),
    "refused": Trouble(reason=Reason.CONNECT, seconds=0.01),
    "dns": Trouble(reason=Reason.DNS, seconds=0.05),
    "unauthorized": Trouble(reason=Reason.UNAUTHORIZED, status=401),
}
"""The words of the scenario files."""
NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Trouble from ``start`` to ``end`` (seconds since the epoch).

    ``on``: ``provider:NAME``, ``model:NAME``, ``target:CHAIN/LABEL``, ``everything``, or ``network``, which is our
    own. ``rising``: its share grows evenly from nothing to ``trouble.share`` over the spell. ``every``/``of``: on for
    ``of`` seconds in each ``every``.
    """

    start: float
    end: float
    on: str
    trouble: Trouble
    rising: bool = False
    every: float | None = None
    of: float = 0.0

    def strikes(self, now: float, rng: Random) -> bool:
        if not self.start <= now < self.end:
            return False
        if self.every is not None and (now - self.start) % self.every >= self.of:
            return False
        grown = (now - self.start) / (self.end - self.start) if self.rising else 1.0
        share = self.trouble.share * grown
        return share >= 1.0 or rng.random() < share


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Trouble of healthy providers: ``errors`` is the share of single attempts that fail for no lasting cause; a burst
    of 429 begins on average ``bursts`` times a day at each provider and lasts ``burst_seconds``."""

    errors: float = 0.0
    bursts: float = 0.0
    burst_seconds: float = 90.0


CALM = Noise()
_TRANSIENT = ("server_error", "bad_gateway", "overloaded", "timeout")


class Weather:
    """All spells and the noise, with the spells of each hour at hand."""

    def __init__(self, spells: Sequence[Spell] = (), noise: Noise = CALM) -> None:
        self.noise = noise
        self._by_hour: dict[tuple[str, int], list[Spell]] = {}
        for spell in spells:
            for hour in range(int(spell.start // 3600), int(spell.end // 3600) + 1):
                self._by_hour.setdefault((spell.on, hour), []).append(spell)

    def meets(self, target: Target, provider: str, now: float, rng: Random) -> Trouble | None:
        """What one attempt meets; None when it is answered."""
        hour = int(now // 3600)
        for on in (
            NETWORK,
            "everything",
            f"provider:{provider}",
            f"model:{target.model}",
            f"target:{target.chain}/{target.label}",
        ):
            for spell in self._by_hour.get((on, hour), ()):
                if spell.strikes(now, rng):
                    return spell.trouble
        if rng.random() < self.noise.errors:
            return TROUBLES[rng.choice(_TRANSIENT)]
        return None

    def is_network_down(self, now: float) -> bool:
        """Spells on ``network`` are of our own: nothing can be reached."""
        hour = self._by_hour.get((NETWORK, int(now // 3600)), ())
        return any(spell.start <= now < spell.end for spell in hour)


def bursts(providers: Sequence[str], start: float, days: float, noise: Noise, rng: Random) -> tuple[Spell, ...]:
    """The bursts of 429 of a stretch of days, drawn once so that every look at the weather agrees."""
    found = []
    for provider in sorted(providers):
        at = start
        while noise.bursts and (at := at + rng.expovariate(noise.bursts / 86400.0)) < start + days * 86400.0:
            length = rng.uniform(0.5, 1.5) * noise.burst_seconds
            trouble = Trouble(reason=Reason.RATE_LIMITED, status=429, retry_after=20.0, share=0.7)
            found.append(Spell(start=at, end=at + length, on=f"provider:{provider}", trouble=trouble))
    return tuple(found)
