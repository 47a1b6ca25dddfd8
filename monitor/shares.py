"""What a share that was seen says about the true one. Pure."""

from __future__ import annotations

import math

SURE = 1.96
"""Standard deviations of a normal distribution: 95 % of it lies within so many."""


def wilson(hits: int, count: int, z: float = SURE) -> tuple[float, float]:
    """Between which shares (0 to 1) the true one lies (Wilson 1927); of nothing at all it may be anything."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    spread = z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, middle - spread), min(1.0, middle + spread)
