"""Letters that no report can carry."""

from __future__ import annotations

import re

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def carried(text: str) -> str:
    """The text with whatever XML forbids (control characters, halves of surrogate pairs) replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)
