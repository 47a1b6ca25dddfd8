"""The reference part of the README, written from the code itself: settings, metrics, alerts, faults, commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import typer

from chaos.apis import Api, changes
from chaos.faults import FAULTS, resolve
from chaos.injectors import INJECTORS, RESHAPING, GatewayInjector
from chaos.injectors.injector import ROUTED, Injector
from chaos.model import Fault, Option, Shape, Unit
from chaos.shapes import SHAPES
from monitor.conditions import RULES
from monitor.config.quantity import format_duration, format_percent
from monitor.config.reference import settings_reference
from monitor.errors import CommandError
from monitor.metrics import METRICS
from monitor.vocabulary import vocabulary


def markdown(app: typer.Typer) -> str:
    """Every section, in the order of the README."""
    sections = (_commands(app), _settings(), _kinds(), _metrics(), _alerts(), _faults(), _shapes())
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


BEGIN, END = "<!-- reference: written by `make docs` -->\n", "<!-- end of reference -->"


def replaced(document: str, reference: str) -> str:
    """The document with the reference between its marks. Raises CommandError where it has none."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise CommandError(f"the file has no place for the reference: write the lines {BEGIN.strip()} and {END}")
    return f"{head}{begin}{reference}{end}{tail}"


def _commands(app: typer.Typer) -> Iterator[str]:
    yield from ("## Commands", "", "| command | what it does |", "|---|---|")
    root = typer.main.get_command(app)
    for path, command in _walk("fallbackd", root):
        yield _row(f"`{_usage(path, command)}`", _first_paragraph(command.help or ""))


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Typer brings its own copy of click, whose types it does not export."""
    children = getattr(command, "commands", {})
    if not children or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, child in children.items():
        meant = name == getattr(command, "default", None)  # its name may be left out
        yield from _walk(path if meant else f"{path} {name}", child)


def _usage(path: str, command: Any) -> str:
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    arguments = [
        (parameter.metavar or (parameter.name or "").upper())
        if parameter.required
        else f"[{parameter.metavar or (parameter.name or '').upper()}]"
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]
    named = [f"[{option.opts[0]}]" for option in options if option.name != "help"]
    return " ".join([path, *arguments, *named])


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def _settings() -> Iterator[str]:
    yield from ("## Settings", "", "Durations are text with a unit (`30s`, `1m30s`), shares have their sign (`99.5%`).")
    yield from ("", "| setting | type | default | meaning |", "|---|---|---|---|")
    for setting in settings_reference(vocabulary()):
        yield _row(
            f"`{setting.path}`", setting.type, f"`{setting.default}`" if setting.default else "", setting.meaning
        )


def _kinds() -> Iterator[str]:
    words = vocabulary()
    yield from ("## Kinds", "", "| what | one of |", "|---|---|")
    yield _row("`endpoints.NAME.dialect`", _named(words.dialects))
    yield _row("`chains[].probes[].kind`", _named(words.kinds))
    yield _row("`chains[].needs`", _named(words.capabilities))
    yield _row("`notifiers[].kind`", _named(words.notifiers))
    yield _row("`drills[].by`", _named(words.faults))


def _named(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _metrics() -> Iterator[str]:
    yield from ("## Metrics", "", "| metric | type | labels | meaning |", "|---|---|---|---|")
    for metric in METRICS:
        yield _row(f"`{metric.name}`", metric.kind.value, ", ".join(metric.labels), metric.help)


def _alerts() -> Iterator[str]:
    yield from ("## Alerts", "", "A rule of `alerts.yaml` names one of these with `when:`.")
    for rule in RULES.values():
        settings = ", ".join(f"`{name}`" for name in sorted(rule.settings))
        yield from ("", f"### `{rule.name}`", "", f"- **Meaning.** {rule.meaning}", f"- **Impact.** {rule.impact}")
        yield from (f"- **Diagnosis.** {rule.diagnosis}", f"- **Mitigation.** {rule.mitigation}")
        if settings:
            yield f"- **Settings.** {settings}"


def _faults() -> Iterator[str]:
    """By means: the injectors of drills, and the sandbox, which can be broken by hand."""
    means = [*INJECTORS, SANDBOX]
    yield from (
        "## Faults",
        "",
        "What a drill can break (`with:`), by which injector (`by:`); what the sandbox can do.",
    )
    yield from ("", f"| fault | what happens | options | {' | '.join(means)} |", "|---|---|---|" + "---|" * len(means))
    for name in sorted({*FAULTS, *ROUTED}):
        fault = FAULTS.get(name)
        able = (_able(name, injector) for injector in INJECTORS.values())
        meaning = fault.meaning if fault else _REQUEST[name]
        yield _row(f"`{name}`", meaning, _options(fault), *able, "yes" if fault else "")
    yield from ("", "Where a fault has no meaning:", "")
    for injector in INJECTORS.values():
        for why in dict.fromkeys(injector.limits.values()):
            named = [f"`{name}`" for name, own in injector.limits.items() if own == why]
            what = ", ".join(named) if len(named) < _MOST_NAMED else "all others"
            yield f"- `{injector.name}`, {what}: {why}."
    yield f"- `{GatewayInjector.name}`, on a chain that its endpoint walks, all that is not marked: {_WALKED}"
    yield f"- {SANDBOX}, {', '.join(f'`{name}`' for name in ROUTED)}: those are requests, which it obeys."
    yield from _changes()


def _changes() -> Iterator[str]:
    """The faults that have to know what an answer looks like."""
    yield from ("", "What changes an answer has to know its API; all other faults work in each.", "")
    yield from (f"| fault | {' | '.join(Api)} |", "|---|" + "---|" * len(Api))
    for name in sorted(FAULTS):
        rewrite = FAULTS[name].effect(resolve(name, {}), Random(0)).rewrite
        if rewrite is not None:
            yield _row(f"`{name}`", *("yes" if changes(rewrite, api) else "" for api in Api))
    yield from ("", "Who asks for embeddings is told nothing that could be refused, broken or overlooked.")


def _able(fault: str, injector: Injector) -> str:
    """``yes``, or on which chains only; the gateway is the one injector that can break every kind of them."""
    own = fault in injector.faults
    if injector.name != GatewayInjector.name:
        return "yes" if own else ""
    reshaped = any(fault in INJECTORS[name].faults for name in RESHAPING)
    return ("yes, walked too" if reshaped else "yes") if own else ("walked" if reshaped else "")


SANDBOX = "sandbox"
_WALKED = (
    "there is one request for all of its targets, and what the gateway can do is to change it as `request` does ours "
    "(with a LiteLLM proxy, as `proxy` does). `walked` marks those."
)
_MOST_NAMED = 10
_REQUEST = {
    "ignore": "The primary's providers are left out of the request (`provider.ignore`): filtered.",
    "only": "Only the providers of the other targets may serve (`provider.only`): filtered.",
    "max_price": "A price cap between the primary's and the fallback's (`provider.max_price`): filtered.",
    "unknown_id": "The primary's id is replaced by one that does not exist: the whole request is refused.",
}
"""What the request injector does that is no fault of an endpoint."""


def _shapes() -> Iterator[str]:
    yield from ("## Shapes", "", "When a fault strikes (`shape:`); always, where nothing else is said.", "")
    yield from ("| shape | which requests meet the fault | options |", "|---|---|---|")
    for shape in SHAPES.values():
        yield _row(f"`{shape.name}`", shape.meaning, _options(shape))


def _options(found: Fault | Shape | None) -> str:
    return ", ".join(f"`{name}` ({_default(one)})" for name, one in found.options.items()) if found else ""


def _default(option: Option) -> str:
    match option.unit:
        case Unit.SECONDS:
            return format_duration(option.default)
        case Unit.SHARE:
            return format_percent(option.default)
        case _:
            return f"{option.default:g}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
