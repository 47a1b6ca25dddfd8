"""Finds credentials that were written into a file instead of being named."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.document import Document, Node
from monitor.config.showing import looks_secret
from monitor.errors import Problem

_KEYS = frozenset(
    {"credential", "token", "api_key", "apikey", "bot_token", "password", "secret", "webhook", "webhook_url"}
)
_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"})


def pasted(document: Document) -> Iterator[Problem]:
    """A problem for every key that asks for a credential itself, and for every value that looks like one."""
    if isinstance(document.root, dict):
        yield from _in_mapping(document.top)


def _in_mapping(section: Node) -> Iterator[Problem]:
    for key, node in section.entries():
        word = key.casefold().replace("-", "_")
        is_header = section.path[-1:] == ("headers",) and key.casefold() in _HEADERS
        if node.text is not None and (word in _KEYS or is_header or looks_secret(node.text)):
            yield node.problem(_advice(section, word, key))
        else:
            yield from _below(node)


def _below(node: Node) -> Iterator[Problem]:
    if isinstance(node.value, dict):
        yield from _in_mapping(node)
    for item in node.items():
        if looks_secret(item.value):
            yield item.problem("a credential is written here; name an environment variable instead")
        else:
            yield from _below(item)


def _advice(section: Node, word: str, key: str) -> str:
    said = "credentials are not written into the file; name an environment variable"
    if "endpoints" in section.path[:1]:
        return f"{said}: credential_env: OPENROUTER_API_KEY"
    if word.endswith(("_env", "_file")):
        return f"this is the credential itself; {key} takes the name of " + (
            "an environment variable" if word.endswith("_env") else "a file"
        )
    if "notifiers" in section.path[:1]:
        credential = "webhook_url" if "webhook" in word else "token"
        return f"{said}: {credential}_env: SLACK_{'WEBHOOK_URL' if 'webhook' in word else 'BOT_TOKEN'}"
    return said
