"""Notifiers, routes and rules: what refers to what, and which settings each rule uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.config.chain_checks import both_named
from monitor.config.credentials import named_by
from monitor.config.document import Document, Node
from monitor.config.model import RuleConfig, RuleTraits, Vocabulary
from monitor.config.names import given, repeated, seconds, twice, unknown
from monitor.config.quantity import format_duration
from monitor.config.showing import listed
from monitor.errors import Problem
from monitor.findings import Drift
from monitor.model import Severity

CONTEXT = frozenset(drift.value for drift in Drift if drift.is_context)
LONGEST_WINDOW = 3 * 86400.0
"""Seconds for which the answers of a chain are counted."""


def mistakes(chains: Document, alerts: Document, vocabulary: Vocabulary) -> Iterator[Problem]:
    """``chains`` may be unreadable: references to chains are not judged then."""
    top = alerts.top
    names = None if chains.root is None else given(chains.top["chains"].items())
    yield from _notifiers(top["notifiers"].items(), vocabulary)
    yield from _rules(top["rules"].items(), names, vocabulary)
    rules = given(top["rules"].items())
    for route in top["routes"].items():
        yield from twice(route["notify"])
        for node in route["notify"].items():
            yield from unknown(node, given(top["notifiers"].items()), none="no notifier is configured")
        for node in route["match"]["alerts"].items():
            yield from unknown(node, rules, none="no rule is configured")
        yield from _chains(route["match"]["chains"], names)
    for window in top["windows"].items():
        yield from _chains(window["chains"], names)
        yield from twice(window["alerts"])
        yield from twice(window["days"])
        for node in window["alerts"].items():
            yield from unknown(node, rules, none="no rule is configured")


def doubts(alerts: Document) -> Iterator[Problem]:
    """What is allowed and probably not meant."""
    top = alerts.top
    routes = top["routes"].items()
    for rule in top["rules"].items():
        if not any(_fits(route["match"], rule) for route in routes):
            yield rule.problem("no route fits this rule, so nobody is told")
    used = {name for route in routes for name in route["notify"].texts}
    used |= {name for notifier in top["notifiers"].items() if (name := notifier["fallback"].text) is not None}
    for notifier in top["notifiers"].items():
        if notifier["name"].text not in used:
            yield notifier.problem("no route names this notifier, so it is never used")


def _fits(match: Node, rule: Node) -> bool:
    severity = rule["severity"].text or Severity.WARNING
    chains, of_rule = match["chains"].texts, rule["chains"].texts
    return (
        severity in (match["severity"].texts or (severity,))
        and rule["name"].text in (match["alerts"].texts or (rule["name"].text,))
        and not (chains and of_rule and set(chains).isdisjoint(of_rule))
    )


def _notifiers(notifiers: tuple[Node, ...], vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from repeated(notifiers, "name")
    heard = ": Slack hands each order of an app to one listener, so name two apps or leave one out"
    yield from repeated((notifier["commands"] for notifier in notifiers), "app_token_env", heard)
    for notifier in notifiers:
        yield from unknown(notifier["kind"], vocabulary.notifiers)
        for credential in named_by(notifier):
            yield from both_named(notifier, credential)
        yield from _fallback(notifier, given(notifiers))


def _fallback(notifier: Node, names: tuple[str, ...]) -> Iterator[Problem]:
    node = notifier["fallback"]
    if node.text is not None and node.text == notifier["name"].text:
        yield node.problem("a notifier cannot stand in for itself; name another one")
        return
    yield from unknown(node, names)


def _chains(node: Node, names: tuple[str, ...] | None) -> Iterator[Problem]:
    yield from twice(node)
    for item in node.items():
        if names is not None:
            yield from unknown(item, names, none="no chain is configured")


def _rules(rules: tuple[Node, ...], names: tuple[str, ...] | None, vocabulary: Vocabulary) -> Iterator[Problem]:
    yield from repeated(rules, "name")
    for rule in rules:
        yield from unknown(rule["when"], vocabulary.rules)
        yield from _chains(rule["chains"], names)
        if rule["when"].text in vocabulary.rules:
            when = rule["when"].text or ""
            yield from _unused(rule, when, vocabulary.rules)
            yield from _about_itself(rule) if vocabulary.rules[when].names_no_chain else ()
        if rule["when"].text == "fallback_rate":
            yield from _fallback_rate(rule)
        if rule["when"].text == "burn_rate":
            yield from _burn_rate(rule)
        yield from _findings(rule["findings"])


def _unused(rule: Node, when: str, rules: Mapping[str, RuleTraits]) -> Iterator[Problem]:
    """Settings that belong to other rules."""
    some = frozenset(name for traits in rules.values() for name in traits.settings)
    for name in sorted(some - rules[when].settings):
        if name in rule:
            others = sorted(other for other, traits in rules.items() if name in traits.settings)
            does = "do" if others[1:] else "does"
            yield rule[name].problem(f"{when} does not use it (only {listed(others)} {does}); leave it out")


def _burn_rate(rule: Node) -> Iterator[Problem]:
    if "factor" not in rule:
        yield rule.problem("burn_rate needs factor: how many times faster than allowed errors come, as in 14.4")
    window, short = _duration(rule, "window"), _duration(rule, "short_window")
    if window is not None and short is not None and short >= window:
        where = next((rule[name] for name in ("short_window", "window") if name in rule), rule)
        yield where.problem(
            f"the short window of {format_duration(short)} must be shorter than the window of {format_duration(window)}"
        )
    if window is not None and window > LONGEST_WINDOW:
        yield rule["window"].problem(f"answers are kept for {format_duration(LONGEST_WINDOW)}; look at less")


def _about_itself(rule: Node) -> Iterator[Problem]:
    if "chains" in rule:
        yield rule["chains"].problem(f"{rule['when'].text} is about fallbackd itself, not about chains; leave it out")


def _findings(findings: Node) -> Iterator[Problem]:
    yield from twice(findings)
    for node in findings.items():
        if node.text in CONTEXT:
            yield node.problem(f"{node.text} is what providers say of themselves: it is shown, and told to nobody")


def _fallback_rate(rule: Node) -> Iterator[Problem]:
    above, rise = "above" in rule, "rise" in rule
    if above and rise:
        yield rule["rise"].problem("above is set too; keep one of them, and write a second rule for the other")
    if not above and not rise:
        yield rule.problem(
            "fallback_rate needs above (a share, as in 20%) or rise (how many times the baseline, as in 3)"
        )
    for name in ("baseline", "same_hour_days"):
        if name in rule and not rise:
            yield rule[name].problem("only rise uses it; leave it out")
    if "baseline" in rule and "same_hour_days" in rule:
        yield rule["same_hour_days"].problem("baseline is set too; keep one of them")
    window, baseline = _duration(rule, "window"), _duration(rule, "baseline")
    if rise and "same_hour_days" not in rule and window is not None and baseline is not None and baseline <= window:
        where = rule["baseline"] if "baseline" in rule else rule["window"]
        yield where.problem(
            f"the baseline of {format_duration(baseline)} must be longer than the window of {format_duration(window)}"
        )


def _duration(rule: Node, name: str) -> float | None:
    if name in rule:
        return seconds(rule[name])
    default: float = RuleConfig.model_fields[name].default
    return default
