"""The garbage collector's work, kept out of what is measured."""

from __future__ import annotations

import gc


def settle() -> None:
    """What is there now lives as long as the config: it is looked at once, not with each collection, since a look
    through all of it takes a tenth of a second, in which no answer is read."""
    gc.set_threshold(20_000, 20, 20)  # new objects are nearly all short-lived and free themselves
    gc.unfreeze()
    gc.collect()
    gc.freeze()
