"""Slack's refusals as DeliveryErrors: which pass by themselves, and what to do about those that do not. Pure."""

from __future__ import annotations

import re

from monitor.errors import DeliveryError

_CODE = re.compile(r"[a-z0-9_]{1,64}")

PASSING = frozenset({
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "rollup_error", "team_added_to_org",
})  # fmt: skip

REMEDIES = {
    "invalid_auth": "the token is wrong; give it a valid bot token (xoxb-...)",
    "not_authed": "the token is empty; give it a bot token (xoxb-...)",
    "token_revoked": "the token was revoked; install the app again and use its new token",
    "token_expired": "the token has expired; use a new one",
    "account_inactive": "the token belongs to a deleted user or workspace; install the app again",
    "missing_scope": "the app lacks the scope chat:write; add it and install the app again",
    "no_permission": "the app may not post here; ask an administrator of the workspace",
    "channel_not_found": "no such channel, or the bot cannot see it; check the channel and invite the bot",
    "not_in_channel": "the bot is not in the channel; write /invite @bot there",
    "is_archived": "the channel is archived; restore it or choose another",
    "channel_is_archived": "the channel is archived; restore it or choose another",
    "restricted_action": "the workspace's settings forbid posting here; ask an administrator",
    "restricted_action_read_only_channel": "the channel is read-only for the bot; choose another",
    "access_denied": "the token may not use this channel or workspace; ask an administrator",
    "org_login_required": "the workspace is being moved to an organisation; install the app again afterwards",
    "ekm_access_denied": "the workspace's administrators have suspended access to messages; ask them",
    "team_access_not_granted": "the app is not installed in this workspace; install it there",
    "not_allowed_token_type": "this is not a bot token; give it one (xoxb-...)",
    "action_prohibited": "the workspace's settings forbid posting here; ask an administrator",
    "no_service": "the webhook was removed or is wrong; make a new one",
    "no_active_hooks": "the webhook was disabled; make a new one",
    "no_team": "the webhook is wrong; make a new one",
    "invalid_token": "the webhook is wrong; make a new one",
    "no_text": "the message was refused as empty",
    "invalid_blocks": "the message was refused as malformed",
    "invalid_payload": "the message was refused as malformed",
    "msg_too_long": "the message was refused as too long",
    "msg_blocks_too_long": "the message was refused as too long",
}
"""Slack API reference: chat.postMessage and chat.update, errors; incoming webhooks, handling errors."""

MESSAGE_REFUSED = frozenset({
    "no_text", "invalid_blocks", "invalid_payload", "msg_too_long", "msg_blocks_too_long",
})  # fmt: skip
"""Answers that are about one message: another one may still pass."""

THREAD_CLOSED = frozenset({
    "thread_not_found", "cannot_reply_to_message", "restricted_action_thread_locked",
    "restricted_action_non_threadable_channel",
})  # fmt: skip
"""Answers to a reply that mean: it has to do without the thread."""

MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Answers to an edit that mean: post it anew."""


def refused(code: str, *, status: int, retry_after: float | None = None) -> DeliveryError:
    """``code`` as Slack sent it, empty where the answer has none; only known codes become the (metric) reason."""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return DeliveryError(
            "Slack asks for patience (ratelimited)", reason="ratelimited", permanent=False, retry_after=retry_after
        )
    if code in PASSING:
        return DeliveryError(f"Slack has trouble ({code})", reason=code, permanent=False, retry_after=retry_after)
    if status >= 500:
        text = f"Slack is not available (HTTP {status})"
        return DeliveryError(text, reason="unavailable", permanent=False, retry_after=retry_after)
    if code in REMEDIES:
        text, broken = f"Slack refused: {REMEDIES[code]} ({code})", code not in MESSAGE_REFUSED
        return DeliveryError(text, reason=code, permanent=True, broken=broken)
    if not _CODE.fullmatch(code):
        text = f"the answer is not Slack's (HTTP {status}); check api_url"
        return DeliveryError(text, reason="malformed", permanent=False)
    return DeliveryError(f"Slack refused: {code}", reason="other", permanent=True, broken=True)


def unreachable(error: Exception) -> DeliveryError:
    """The error's class only: its text may hold the webhook's URL, which is a secret."""
    if isinstance(error, TimeoutError):
        return DeliveryError("Slack did not answer in time", reason="timeout", permanent=False)
    return DeliveryError(f"Slack cannot be reached ({type(error).__name__})", reason="connection", permanent=False)


def unreadable(error: Exception) -> DeliveryError:
    text = f"the answer is not Slack's ({type(error).__name__}); check api_url"
    return DeliveryError(text, reason="malformed", permanent=False)
