"""A message as people see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Blocks = list[dict[str, Any]]


@dataclass
class SlackMessage:
    """``edits`` are the contents that it had before, oldest first. ``seen_by``: whom an ephemeral one is shown to."""

    channel: str
    ts: str
    text: str
    blocks: Blocks
    thread_ts: str | None = None
    broadcast: bool = False
    edits: list[tuple[str, Blocks]] = field(default_factory=list)
    seen_by: str | None = None

    @property
    def shown(self) -> str:
        """All text of the blocks, one line each; the text alone where there are none."""
        return "\n".join(texts(self.blocks)) or self.text

    @property
    def header(self) -> str:
        return str(next(block["text"]["text"] for block in self.blocks if block["type"] == "header"))

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """By action_id."""
        rows = (block["elements"] for block in self.blocks if block["type"] == "actions")
        return {element["action_id"]: element for row in rows for element in row}


def texts(blocks: Blocks) -> list[str]:
    """Every text of the blocks that is read, in order; not what buttons say."""
    found = []
    for block in blocks:
        if block["type"] == "actions":
            continue
        parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        found += [part["text"] for part in parts if part]
    return found
