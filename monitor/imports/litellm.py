"""Imports the ``config.yaml`` of a LiteLLM proxy: a chain for each model group with fallbacks or ordered deployments.

Facts: LiteLLM docs "Fallbacks", "Load Balancing", "All settings".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.config.document import Document, Node
from monitor.imports.draft import ChainDraft, Draft, EndpointDraft, Names, Reading, TargetDraft, Wish, seconds
from monitor.model import Mode

_SETTINGS = ("router_settings", "litellm_settings")
_BY_CAUSE = {
    "context_window_fallbacks": "context-window",
    "content_policy_fallbacks": "content-policy",
}
_FROM_ENVIRON = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]{0,127})")
_NOT_CARRIED = {
    "num_retries": "the proxy retries by itself inside one attempt: leave its targets' timeouts the time for it",
    "retry_policy": "retries by cause are the proxy's own",
    "allowed_fails": "when a deployment goes into cooldown is the proxy's own; in cooldown it is no_endpoint here",
    "routing_strategy": "how the deployments of a group share the load is the proxy's own",
    "model_group_alias": "an alias is watched under the name of its group",
}


@dataclass(slots=True)
class _Group:
    """A model group: its deployments' ids (None where the file names none) and orders, its shortest timeout."""

    name: str
    ids: list[str | None] = field(default_factory=list)
    orders: list[float | None] = field(default_factory=list)
    timeout: float | None = None


def convert(document: Document, wish: Wish) -> Draft:
    reading, top = Reading(document), document.top
    groups = _groups(reading, top)
    plain = _fallbacks(reading, top, "fallbacks")
    default = _names(reading, _setting(top, "default_fallbacks"), "names of model groups")
    by_cause = {setting: _fallbacks(reading, top, setting) for setting in _BY_CAUSE}
    if not groups and not top["model_list"].items():
        reading.blame(top["model_list"], "is missing or empty; this is no config of a LiteLLM proxy")
    reading.finish()
    timeout = next((found for name in _SETTINGS for key in ("timeout", "request_timeout")
                    if (found := seconds(top[name][key])) is not None), None)  # fmt: skip
    maker = _Maker(groups, timeout)
    chains = [
        *(maker.walked(name, plain.get(name) or plain.get("*") or default) for name in groups),
        *(maker.ordered(group) for group in groups.values()),
        *(maker.by_cause(name, rest, _BY_CAUSE[kind])
          for kind, found in by_cause.items() for name, rest in found.items() if name in groups),
    ]  # fmt: skip
    made = [chain for chain in chains if chain is not None] or [maker.single(name) for name in groups]
    alone = [name for name in groups if not any(name in (t.model for t in c.targets) or c.model == name for c in made)]
    notes = [*_notes(top), *_unordered(groups.values()), *_homeless({"fallbacks": plain, **by_cause}, groups)]
    if alone:
        notes.append(f"Not carried over, since nothing can stand in for them: {', '.join(alone)}.")
    return Draft(endpoints=(_endpoint(top, wish),), chains=tuple(made), notes=tuple(notes))


def _homeless(settings: Mapping[str, Mapping[str, Sequence[str]]], groups: Collection[str]) -> Iterator[str]:
    for setting, found in settings.items():
        for name in found:
            if name not in groups and name != "*":
                yield f"Not carried over: {setting} of {name}, a group that is not in model_list."


class _Maker:
    def __init__(self, groups: Mapping[str, _Group], timeout: float | None) -> None:
        self._groups = groups
        self._timeout = timeout
        self._names = Names()

    def walked(self, name: str, fallbacks: Sequence[str]) -> ChainDraft | None:
        rest = [other for other in dict.fromkeys(fallbacks) if other != name]
        if not rest or "*" in name:
            return None
        return self._chain(self._names.of(name), [name, *rest])

    def ordered(self, group: _Group) -> ChainDraft | None:
        """A group whose deployments have an order is a chain of providers, each known by its id."""
        if "*" in group.name or not _has_order(group) or None in group.ids:
            return None
        ranked = sorted(zip(group.ids, group.orders, strict=True), key=lambda pair: pair[1] or 0)
        labels = Names("primary")
        targets = tuple(
            TargetDraft(label=labels.of(identity or ""), provider=identity, timeout=group.timeout or self._timeout)
            for identity, _ in ranked
        )
        return ChainDraft(
            name=self._names.of(f"{group.name}-deployments"),
            endpoint="litellm",
            mode=Mode.PROVIDER,
            model=group.name,
            targets=targets,
            notes=(f"The deployments of {group.name} by their order; a provider is the id of a deployment.",),
        )

    def by_cause(self, name: str, fallbacks: Sequence[str], cause: str) -> ChainDraft | None:
        rest = [other for other in dict.fromkeys(fallbacks) if other != name]
        if not rest or "*" in name:
            return None
        words = cause.replace("-", "_")
        note = (
            f"Used when {name} fails for its {words} alone: an ordinary question never does, so the targets are asked."
        )
        return self._chain(self._names.of(f"{name}-{cause}"), [name, *rest], alone=True, notes=(note,))

    def single(self, name: str) -> ChainDraft:
        return self._chain(self._names.of(name), [name], notes=("No fallback is configured for it.",))

    def _chain(
        self, name: str, groups: Sequence[str], *, alone: bool = False, notes: tuple[str, ...] = ()
    ) -> ChainDraft:
        labels, targets = Names(), []
        for place, group in enumerate(groups):
            label = labels.of(group)
            targets.append(self._target("fallback" if label == "primary" and place else label, group))
        return ChainDraft(
            name=name, endpoint="litellm", mode=Mode.SERVER, targets=tuple(targets), alone=alone, notes=notes
        )

    def _target(self, label: str, name: str) -> TargetDraft:
        group = self._groups.get(name)
        if group is None:
            note = f"{name} is not in model_list: the proxy would refuse to fall back to it."
            return TargetDraft(label=label, model=name, timeout=self._timeout, notes=(note,))
        ids = tuple(dict.fromkeys(one for one in group.ids if one)) if len(group.ids) > 1 else ()
        return TargetDraft(label=label, model=name, providers=ids, timeout=group.timeout or self._timeout)


def _groups(reading: Reading, top: Node) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for entry in reading.items(top["model_list"], "the deployments, each with model_name and litellm_params"):
        name = reading.text(entry["model_name"], "the model group that the deployment belongs to")
        params = entry["litellm_params"]
        reading.text(params["model"], "the provider's model, as in openai/gpt-4o-mini")
        group = groups.setdefault(name, _Group(name=name))
        named = entry["model_info"]["id"]
        group.ids.append(reading.text(named, "the id of the deployment") if (named.text or "").strip() else None)
        order = params["order"].value
        group.orders.append(float(order) if isinstance(order, (int, float)) and not isinstance(order, bool) else None)
        timeout = seconds(params["timeout"])
        group.timeout = min((one for one in (group.timeout, timeout) if one is not None), default=None)
    return groups


def _fallbacks(reading: Reading, top: Node, setting: str) -> dict[str, list[str]]:
    """Group -> those that stand in for it. A list of mappings, each of one group."""
    found: dict[str, list[str]] = {}
    for entry in reading.items(_setting(top, setting), "as in [{x: [y]}]"):
        if not isinstance(entry.value, dict):
            reading.blame(entry, "is no mapping of a model group to its fallbacks, as in {chat: [chat-backup]}")
        for group, rest in entry.entries():
            found.setdefault(group, _names(reading, rest, "names of model groups"))
    return found


def _names(reading: Reading, node: Node, what: str) -> list[str]:
    """Names, or requests of their own that name a model."""
    items = reading.items(node, what)
    return [reading.text(item["model"] if isinstance(item.value, dict) else item, what) for item in items]


def _setting(top: Node, name: str) -> Node:
    """The router's settings hold before the others'."""
    return next((top[section][name] for section in _SETTINGS if name in top[section]), top[_SETTINGS[-1]][name])


def _has_order(group: _Group) -> bool:
    return len(group.orders) > 1 and None not in group.orders and len(set(group.orders)) > 1


def _endpoint(top: Node, wish: Wish) -> EndpointDraft:
    key = top["general_settings"]["master_key"]
    named = _FROM_ENVIRON.fullmatch(key.text or "")
    notes = [] if wish.url else ["The proxy's address is not in its config: 4000 is its usual port."]
    if key.value is not None and named is None:
        notes.append("The master key is written into the proxy's config; here it comes from a variable.")
    return EndpointDraft(
        name="litellm",
        dialect="litellm",
        url=wish.url or "http://127.0.0.1:4000",
        credential_env=(named[1] if named else "LITELLM_MASTER_KEY") if key.value is not None else None,
        notes=tuple(notes),
    )


def _notes(top: Node) -> Iterator[str]:
    for section in _SETTINGS:
        for name, meaning in _NOT_CARRIED.items():
            if name in top[section]:
                yield f"Not carried over: {section}.{name} ({meaning})."
    if "include" in top:
        yield "Not carried over: include. Import the included files, or one file that holds them all."


def _unordered(groups: Iterable[_Group]) -> Iterator[str]:
    for group in groups:
        if _has_order(group) and None in group.ids:
            yield (
                f"Not carried over: the order of the deployments of {group.name}. Give each a model_info.id in the "
                "proxy's config, so that it can be asked on its own."
            )
