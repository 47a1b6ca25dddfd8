"""Values as Grafana writes them, by unit."""

from __future__ import annotations

import math

SECONDS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))
BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
SHORT = ((1e9, "B"), (1e6, "M"), (1e3, "K"))


def written(value: float, unit: str, decimals: int | None = None) -> str:
    if math.isnan(value):
        return "no number"
    if unit == "s":
        return _scaled(value, SECONDS, "s", decimals)
    if unit == "bytes":
        return _scaled(value, BYTES, "B", decimals)
    if unit == "percentunit":
        return f"{value:.{1 if decimals is None else decimals}%}"
    if unit == "currencyUSD":
        return f"${value:.{_places(value, decimals)}f}"
    plain = _scaled(value, SHORT, "", decimals)
    return plain if unit in ("none", "short") else f"{plain} {unit}"


def _scaled(value: float, scale: tuple[tuple[float, str], ...], smallest: str, decimals: int | None) -> str:
    for size, name in scale:
        if abs(value) >= size:
            return f"{value / size:.{_places(value / size, decimals)}f} {name}"
    return f"{value:.{_places(value, decimals)}f} {smallest}".strip()


def _places(value: float, decimals: int | None) -> int:
    if decimals is not None:
        return decimals
    return 0 if value == int(value) else 1 if abs(value) >= 10 else 2
