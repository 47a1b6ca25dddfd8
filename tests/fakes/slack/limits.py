"""What Slack refuses, from its reference of Block Kit and of chat.postMessage."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.message import texts


def wrong_with(body: dict[str, Any]) -> str | None:
    """Slack's code for what it would refuse; None for a message that it takes."""
    text, blocks = body.get("text", ""), body.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if len(blocks) > 50 or not all(map(_fine, blocks)):
        return "invalid_blocks"
    if sum(map(length, texts(blocks))) > 13_000:
        return "msg_blocks_too_long"
    return None


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fine(block: dict[str, Any]) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text"} as text}:
            return _text_fine(text, 150)
        case {"type": "section", "fields": list(fields)}:
            return 1 <= len(fields) <= 10 and all(_text_fine(part, 2000) for part in fields)
        case {"type": "section", "text": dict(text)}:
            return _text_fine(text, 3000)
        case {"type": "context", "elements": list(elements)}:
            return 1 <= len(elements) <= 10 and all(_text_fine(part, 2000) for part in elements)
        case {"type": "actions", "elements": list(elements)}:
            ids = [element.get("action_id") for element in elements]
            return 1 <= len(elements) <= 25 and len(set(ids)) == len(ids) and all(map(_button_fine, elements))
        case _:
            return False


def _button_fine(element: dict[str, Any]) -> bool:
    known = {"type", "text", "action_id", "value", "url", "style", "confirm"}
    return (
        element.get("type") == "button"
        and set(element) <= known
        and element["text"]["type"] == "plain_text"
        and _text_fine(element["text"], 75)
        and 1 <= length(element["action_id"]) <= 255
        and length(element.get("value", "")) <= 2000
        and length(element.get("url", "")) <= 3000
        and element.get("style", "primary") in ("primary", "danger")
        and ("confirm" not in element or _confirm_fine(element["confirm"]))
    )


def _confirm_fine(confirm: dict[str, Any]) -> bool:
    limits = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    return (
        set(confirm) <= {*limits, "style"}
        and all(_text_fine(confirm[name], limit) for name, limit in limits.items())
        and all(confirm[name]["type"] == "plain_text" for name in ("title", "confirm", "deny"))
        and confirm.get("style", "primary") in ("primary", "danger")
    )


def _text_fine(text: dict[str, Any], limit: int) -> bool:
    known = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
    return set(text) <= known.get(text.get("type", ""), set()) and 1 <= length(text["text"]) <= limit
