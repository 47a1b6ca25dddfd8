"""Pieces of PromQL: selectors, series, durations, and the answers of a chain over a window. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.shares import SURE


def counted(path: str, window: str, selector: str = "") -> str:
    """The answers of each chain over a window (``15m``, or ``1d] offset 15m``), of the origins that count."""
    picked = metric("fallbackd_chain_answers_total", selector, 'origin=~"scheduled|live"', path)
    bounds = window if "]" in window else f"{window}]"
    return f"sum without (position, origin, path) (increase({picked}[{bounds}))"


def metric(name: str, *matchers: str) -> str:
    return f"{name}{{{', '.join(filter(None, matchers))}}}" if any(matchers) else name


def surely(share: str, count: str) -> str:
    """The lower end of a share's 95 % interval, as ``monitor.shares.wilson`` has it."""
    square = round(SURE * SURE, 4)
    spread = f"{SURE:g} * sqrt({share} * (1 - {share}) / {count} + {square / 4:g} / ({count} * {count}))"
    return f"({share} + {square / 2:g} / {count} - {spread}) / (1 + {square:g} / {count})"


def series(name: str, **labels: str) -> str:
    return metric(name, *(f"{label}={quoted(value)}" for label, value in labels.items()))


def one_of(label: str, values: Sequence[str]) -> str:
    return f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"'


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def span(seconds: float) -> str:
    """A duration as Prometheus writes it: whole units only."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    rest, parts = int(seconds), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        parts += f"{amount}{unit}" if amount else ""
    return parts or "0s"
