"""When a fault strikes, one small file per shape in time. A new one is a new file and one line in this list."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.faults.options import checked
from chaos.model import Decision, Moment, Shape, Strike
from chaos.shapes import always, every_nth, first_n, flapping, probability, ramp, window
from chaos.wording import requests
from monitor.config.model import FaultOption
from monitor.config.quantity import format_duration

_ALL: tuple[Shape, ...] = (
    always.SHAPE,
    first_n.SHAPE,
    every_nth.SHAPE,
    probability.SHAPE,
    ramp.SHAPE,
    window.SHAPE,
    flapping.SHAPE,
)

SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _ALL}

SHAPE_OPTIONS: Mapping[str, Mapping[str, FaultOption]] = {
    shape.name: {
        name: FaultOption(unit=option.unit.value, default=option.default, low=option.low, high=option.high)
        for name, option in shape.options.items()
    }
    for shape in _ALL
}
"""shape -> option -> its limits, as the config needs to know them."""


def resolve(name: str, options: Mapping[str, float]) -> Mapping[str, float]:
    """Every option of the shape, defaults filled in. Raises ValueError with a sentence that names the choices."""
    return checked(name, options, {one.name: one.options for one in _ALL}, "shape")


def words(strike: Strike) -> str:
    """When the fault strikes, to stand behind its name; empty where it always does."""
    waits = [f"after {format_duration(strike.after_seconds)}"] if strike.after_seconds else []
    waits += [f"after {requests(strike.after_requests)}"] if strike.after_requests else []
    told = SHAPES[strike.shape or "always"].words(strike.shape_options)
    return ", ".join([*waits, *([told] if told else [])])


__all__ = ["SHAPES", "SHAPE_OPTIONS", "Decision", "Moment", "resolve", "words"]
