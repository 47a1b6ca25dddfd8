"""Words in their one form: faults, shapes and injectors have underscores, however they were written."""

from __future__ import annotations

from monitor.config.drill_sections import Choice
from monitor.config.model import DrillConfig
from monitor.config.names import plain


def normalised(drill: DrillConfig) -> DrillConfig:
    own = {"with_": _plain_choice(drill.with_), "shape": _plain_choice(drill.shape)}
    faults = tuple(
        one.model_copy(update={"with_": _plain_choice(one.with_), "shape": _plain_choice(one.shape)})
        for one in drill.faults
    )
    return drill.model_copy(update={**own, "faults": faults, "by": plain(drill.by) if drill.by else None})


def _plain_choice(written: Choice | None) -> Choice | None:
    if written is None or isinstance(written, str):
        return None if written is None else plain(written)
    return {plain(name): own for name, own in written.items()}
