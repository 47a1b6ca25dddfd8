"""One-off experiments: drills that are not in ``chains.yaml``, checked against it as if they were.

A file holds one drill (what would be an entry of ``drills:``), or several of them under ``drills:``, or it is an
experiment of Chaos Toolkit (see ``monitor.config.toolkit``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.config.document import Document, Node
from monitor.config.drill_checks import of_drills
from monitor.config.model import Config, DrillConfig, Vocabulary
from monitor.config.normal import normalised
from monitor.config.pasted import pasted
from monitor.config.reading import parse
from monitor.config.shape import validate
from monitor.config.showing import quote
from monitor.config.toolkit import Script, is_toolkit, read_script
from monitor.config.wording import unknown_setting
from monitor.errors import ConfigError, Problem

DRILLS = "drills"
ENTRY = "the drill"
SCHEDULE = ("every", "cron", "first_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The drills of a file, in order; ``script`` is what else it holds where it is one of Chaos Toolkit's."""

    drills: tuple[DrillConfig, ...]
    script: Script | None = None


def read_experiment(text: bytes, file: str, config: Config, vocabulary: Vocabulary) -> Experiment:
    """What an experiment file holds. Raises ConfigError with every mistake and its place in the file."""
    document, problems = parse(text, file)
    if document.root is None:
        raise ConfigError(problems)
    if not is_toolkit(document):
        return Experiment(drills=check_document(document, config, vocabulary, problems))
    script = read_script(document, frozenset(drill.name for drill in config.drills))
    found = [*problems, *pasted(document), *script.problems]
    return Experiment(drills=check_drills(script.entries, config, vocabulary, found), script=script)


def read_entry(entry: Any, config: Config, vocabulary: Vocabulary) -> DrillConfig:
    """One drill that was handed over as JSON. Raises ConfigError."""
    document = Document(file=ENTRY, root=entry)
    if not isinstance(entry, dict):
        raise ConfigError((Problem(ENTRY, None, "", f"holds {quote(entry)} where settings belong"),))
    return check_drills((document.top,), config, vocabulary)[0]


def check_document(
    document: Document, config: Config, vocabulary: Vocabulary, problems: Sequence[Problem] = ()
) -> tuple[DrillConfig, ...]:
    """As ``read_experiment``, of what was parsed, with the ``problems`` that were found by then."""
    top = document.top
    found = [*problems, *pasted(document)]
    if DRILLS not in top:
        return check_drills((top,), config, vocabulary, found)
    found += [top[name].problem(unknown_setting(name, (DRILLS,))) for name in document.root if name != DRILLS]
    drills = top[DRILLS].items()
    if not drills:
        found.append(top[DRILLS].problem("holds no drill; write a list of them, as in chains.yaml"))
    return check_drills(drills, config, vocabulary, found)


def check_drills(
    drills: Sequence[Node], config: Config, vocabulary: Vocabulary, problems: Sequence[Problem] = ()
) -> tuple[DrillConfig, ...]:
    """The drills that stand at these nodes. Raises ConfigError."""
    found = list(problems)
    read: list[DrillConfig] = []
    for node in drills:
        one, wrong = validate(DrillConfig, node.value, node.document, node.path)
        found += wrong
        read += [normalised(one)] if one else []
    dialects = {name: endpoint.dialect for name, endpoint in config.endpoints.items()}
    found += of_drills(drills, _chains(config), _gateway(config), vocabulary, dialects)
    found += _one_off(drills, config)
    if found:
        raise ConfigError(tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)))
    return tuple(read)


def _one_off(drills: Sequence[Node], config: Config) -> Iterator[Problem]:
    """What a drill of the config may have and a one-off may not."""
    taken = {drill.name for drill in config.drills}
    known = {drill.application.url for drill in config.drills if drill.application}
    for drill in drills:
        if drill["name"].text in taken:
            name = quote(drill["name"].text)
            yield drill["name"].problem(f"{name} is a drill of the config; give the experiment a name of its own")
        url = drill["application"]["url"]
        if url.text is not None and url.text not in known:  # whoever may start drills shall not reach what they like
            yield url.problem(
                "no drill of the config asks this address; an experiment asks only what chains.yaml names"
            )
        for name in ("credential_env", "credential_file"):
            if name in drill["application"]:
                yield drill["application"][name].problem("credentials are named in chains.yaml; put the drill there")
        for key in SCHEDULE:
            if key in drill:
                yield drill[key].problem("an experiment runs once, when it is asked for; leave its schedule out")


def _gateway(config: Config) -> Node:
    """The section ``gateway`` of the config in the same way; without a value where there is none."""
    written = config.gateway.model_dump(mode="json", by_alias=True, exclude_none=True) if config.gateway else None
    return Document(file="", root={"gateway": written}).top["gateway"]


def _chains(config: Config) -> tuple[Node, ...]:
    """The chains of the config as if they stood in a file, for the checks."""
    written = [chain.model_dump(mode="json", by_alias=True, exclude_none=True) for chain in config.chains]
    return Document(file="", root={"chains": written}).top["chains"].items()
