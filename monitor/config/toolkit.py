"""Chaos Toolkit experiments: what of them can be carried over, and what cannot, with the place and the reason. Pure.

Carried over are http probes with their tolerances (status, list, regex, jsonpath, range), pauses, and two actions of
our own: ``break_target`` and ``mend`` of the module ``fallbackd``, or a POST to a drill of fallbackd's API.
Source of the format: https://chaostoolkit.org/reference/api/experiment/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.document import Document, Node
from monitor.config.json_path import parse_path
from monitor.config.showing import among, quote
from monitor.errors import Problem

HYPOTHESIS, METHOD, ROLLBACKS = "steady-state-hypothesis", "method", "rollbacks"
MODULE = "fallbackd"
BREAK, MEND = "break_target", "mend"
OF_NO_EFFECT = frozenset({"version", "title", "description", "tags", "contributions"})
CARRIED = frozenset({HYPOTHESIS, METHOD, ROLLBACKS})
ARGUMENTS = {
    "chain": "chain", "target": "break", "fault": "with", "options": "with", "by": "by", "served_by": "expect",
    "within": "expect", "requests": "requests", "max_duration": "max_duration", "kind": "kind",
}  # fmt: skip
"""Of ``break_target``: which setting of a drill each of them becomes."""
_API_RUN = re.compile(r"https?://[^/]+/api/v1/drills/(?P<name>[a-z0-9][a-z0-9._-]{0,62})/runs/?")
_NAME = re.compile(r"[^a-z0-9._-]+")


def is_toolkit(document: Document) -> bool:
    return isinstance(document.root, dict) and (METHOD in document.root or HYPOTHESIS in document.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An experiment as steps. Each is a mapping with ``do``: probe, break, run, mend or pause; those of
    ``hypothesis`` are probes. ``notes``: what has no effect here. ``entries``: the drills of its ``break`` steps with
    their nodes, to be checked like any other."""

    title: str
    hypothesis: tuple[Mapping[str, Any], ...]
    steps: tuple[Mapping[str, Any], ...]
    entries: tuple[Node, ...]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def read_script(document: Document, drills: frozenset[str]) -> Script:
    """``drills``: the names of the config, for actions that run one of them."""
    return _Reader(document, drills).script()


class _Reader:
    def __init__(self, document: Document, drills: frozenset[str]) -> None:
        self._top = document.top
        self._drills = drills
        self._problems: list[Problem] = []
        self._notes: list[str] = []
        self._entries: list[Node] = []

    def script(self) -> Script:
        self._elsewhere()
        hypothesis = self._top[HYPOTHESIS]
        probes = [step for node in hypothesis["probes"].items() for step in self._activity(node, only="probe")]
        if HYPOTHESIS in self._top and not probes:
            self._problems.append(hypothesis.problem("holds no probe; leave it out, or write its probes"))
        steps = [step for node in self._top[METHOD].items() for step in self._activity(node)]
        for node in self._top[ROLLBACKS].items():
            self._rollback(node)
        own = any(step["do"] == "break" and step["entry"].get("by") != "gateway" for step in steps)
        if own and any(step["do"] == "probe" for step in steps):
            self._notes.append("the faults strike fallbackd's own questions; with by: gateway probes can meet them too")
        return Script(
            title=self._top["title"].text or "experiment",
            hypothesis=tuple(probes),
            steps=tuple(steps),
            entries=tuple(self._entries),
            notes=tuple(self._notes),
            problems=tuple(self._problems),
        )

    def _elsewhere(self) -> None:
        """Sections that change nothing here are told of; they are no mistake."""
        for name, node in self._top.entries():
            if name not in CARRIED | OF_NO_EFFECT and node.value:
                self._notes.append(f"line {node.line}, {name}: not carried over; fallbackd has no use for it")

    def _rollback(self, node: Node) -> None:
        provider = node["provider"]
        if provider["module"].text == MODULE and provider["func"].text == MEND:
            return  # every drill takes its own fault away
        self._problems.append(
            node.problem("cannot be carried over: a drill takes its own fault away, and nothing else is to be undone")
        )

    def _activity(self, node: Node, only: str | None = None) -> Iterator[Mapping[str, Any]]:
        kind, provider = node["type"].text, node["provider"]
        if "ref" in node:
            self._problems.append(node["ref"].problem("cannot be carried over: write the activity out"))
            return
        if node["controls"].value:
            self._notes.append(f"line {node['controls'].line}, controls: not carried over")
        if kind not in ("probe", "action") or (only and kind != only):
            wanted = only or "probe or action"
            self._problems.append(node["type"].problem(f"{quote(node['type'].value)} is no {wanted}"))
            return
        yield from self._pause(node["pauses"]["before"])
        yield from self._probe(node, provider) if kind == "probe" else self._action(node, provider)
        yield from self._pause(node["pauses"]["after"])

    def _pause(self, node: Node) -> Iterator[Mapping[str, Any]]:
        if node.value is None:
            return
        if isinstance(node.value, int | float) and not isinstance(node.value, bool) and 0 <= node.value <= 3600:
            yield {"do": "pause", "seconds": float(node.value)}
        else:
            self._problems.append(node.problem(f"{quote(node.value)} is no number of seconds from 0 to 3600"))

    def _action(self, node: Node, provider: Node) -> Iterator[Mapping[str, Any]]:
        module, func = provider["module"].text, provider["func"].text
        if provider["type"].text == "python" and module == MODULE and func == MEND:
            yield {"do": "mend"}
        elif provider["type"].text == "python" and module == MODULE and func == BREAK:
            yield self._break(node, provider["arguments"])
        elif provider["type"].text == "http" and (found := _API_RUN.fullmatch(provider["url"].text or "")):
            if found["name"] not in self._drills:
                self._problems.append(provider["url"].problem(among(found["name"], self._drills, none="no drill")))
            yield {"do": "run", "name": found["name"], "background": node["background"].value is True}
        else:
            self._problems.append(
                provider.problem(
                    f"cannot be carried over: of actions only {BREAK} and {MEND} of the module {MODULE} are known, and "
                    "a POST to /api/v1/drills/NAME/runs of fallbackd"
                )
            )

    def _break(self, node: Node, arguments: Node) -> Mapping[str, Any]:
        """One drill, written as if it stood under ``drills:``, each setting in the line of its argument."""
        for name, argument in arguments.entries():
            if name not in ARGUMENTS:
                self._problems.append(argument.problem(among(name, ARGUMENTS, what="is no argument of break_target")))
        value = arguments.value if isinstance(arguments.value, dict) else {}
        fault, options = value.get("fault"), value.get("options")
        entry: dict[str, Any] = {
            "name": _NAME.sub("-", (node["name"].text or "experiment").lower()).strip("-.")[:60] or "experiment",
            "chain": value.get("chain"),
            "break": value.get("target", "primary"),
            "with": {fault: options} if isinstance(fault, str) and options else fault,
        }
        entry |= {key: value[key] for key in ("by", "requests", "max_duration", "kind") if key in value}
        expect = {key: value[key] for key in ("served_by", "within") if key in value}
        entry |= {"expect": expect} if expect else {}
        lines = {(ARGUMENTS[name],): argument.line for name, argument in arguments.entries() if name in ARGUMENTS}
        own = Document(
            file=node.document.file,
            root=entry,
            lines={
                path: line for path, line in ({(): node.line} | lines | {("name",): node["name"].line}).items() if line
            },
        )
        self._entries.append(own.top)
        return {"do": "break", "entry": entry, "background": node["background"].value is True}

    def _probe(self, node: Node, provider: Node) -> Iterator[Mapping[str, Any]]:
        if provider["type"].text != "http":
            self._problems.append(provider.problem("cannot be carried over: probes are asked over http only"))
            return
        for name in ("secrets", "verify_tls"):
            if provider[name].value not in (None, [], True):
                self._problems.append(provider[name].problem("cannot be carried over"))
        url = provider["url"].text or ""
        if not re.fullmatch(r"https?://[^\s/]\S*", url):
            self._problems.append(provider["url"].problem(f"{quote(provider['url'].value)} is no http or https URL"))
        texts = (provider["url"], *(header for _, header in provider["headers"].entries()))
        for one in texts:
            if "${" in (one.text or ""):
                self._problems.append(one.problem("refers to configuration or secrets, which are not carried over"))
        if node["background"].value is True:
            self._problems.append(node["background"].problem("cannot be carried over: probes are waited for"))
        yield {
            "do": "probe",
            "name": node["name"].text or url,
            "url": url,
            "method": provider["method"].text or "GET",
            "headers": provider["headers"].value or {},
            "arguments": provider["arguments"].value,
            "timeout": self._timeout(provider["timeout"]),
            "tolerance": self._tolerance(node["tolerance"], provider["expected_status"]),
        }

    def _timeout(self, node: Node) -> float:
        found = node.value[-1] if isinstance(node.value, list) and node.value else node.value
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 30.0

    def _tolerance(self, node: Node, status: Node) -> Any:
        written = node.value if node.value is not None else status.value
        if wrong := _wrong_tolerance(written):
            self._problems.append(node.problem(wrong))
        return written


def _wrong_tolerance(written: Any) -> str | None:
    """What keeps a tolerance from being carried over."""
    if written is None or (isinstance(written, int) and not isinstance(written, bool)):
        return None
    if isinstance(written, list):
        whole = all(isinstance(one, int) and not isinstance(one, bool) for one in written)
        return None if written and whole else "a list of an http probe holds the statuses that will do"
    if not isinstance(written, dict):
        return f"{quote(written)} cannot be carried over: write a status, a list of them, or a tolerance with a type"
    check = {"regex": _wrong_regex, "jsonpath": _wrong_path, "range": _wrong_range}.get(str(written.get("type")))
    if check is None:
        return f"the type {quote(written.get('type'))} cannot be carried over; known: jsonpath, range, regex"
    if written.get("target", "body") not in ("body", "status"):
        return f"the target {quote(written['target'])} cannot be carried over; known: body, status"
    return check(written)


def _wrong_regex(written: Mapping[str, Any]) -> str | None:
    try:
        re.compile(written["pattern"])
    except (KeyError, TypeError, re.error) as error:
        return f"has no pattern that can be used: {error}"
    return None


def _wrong_path(written: Mapping[str, Any]) -> str | None:
    try:
        parse_path(written.get("path"))
    except ValueError as error:
        return str(error)
    return None


def _wrong_range(written: Mapping[str, Any]) -> str | None:
    bounds = written.get("range")
    whole = isinstance(bounds, list) and len(bounds) == 2 and all(type(one) in (int, float) for one in bounds)
    return None if whole else "a range is two numbers, as in [200, 299]"
