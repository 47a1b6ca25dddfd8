"""Loads both files: read, check shape, check what refers to what, find credentials, and only then build the Config.

Every mistake of both files is found in one go. No connection is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from monitor.config import checks
from monitor.config.document import Document, Node
from monitor.config.model import (
    AlertsFile,
    ChainsFile,
    Config,
    EndpointConfig,
    NotifierSettings,
    Vocabulary,
)
from monitor.config.normal import normalised
from monitor.config.pasted import pasted
from monitor.config.reading import read
from monitor.config.secrets import gather
from monitor.config.shape import validate
from monitor.errors import ConfigError, Problem

_OF_EVERY_NOTIFIER = frozenset({"name", "kind", "optional", "fallback"})


def load(
    chains: Path, alerts: Path, *, vocabulary: Vocabulary, environ: Mapping[str, str], sandbox: bool = False
) -> Config:
    """The checked configuration. Raises ConfigError with every problem of both files."""
    (chains_document, unread_chains), (alerts_document, unread_alerts) = read(chains), read(alerts)
    documents = (chains_document, alerts_document)
    chains_file, chains_shape = _chains_file(chains_document)
    alerts_file, alerts_shape = _alerts_file(alerts_document, vocabulary)
    found = gather(chains_document, alerts_document, vocabulary, environ, sandbox=sandbox)
    leaks = [problem for document in documents for problem in pasted(document)]
    problems = [
        *unread_chains,
        *unread_alerts,
        *leaks,
        *_elsewhere(leaks, [*chains_shape, *alerts_shape, *found.problems]),
        *checks.mistakes(chains_document, alerts_document, vocabulary),
    ]
    if problems or chains_file is None or alerts_file is None:
        raise ConfigError(_ordered(problems, documents))
    return Config(
        endpoints={name: _rooted(endpoint, chains.parent) for name, endpoint in chains_file.endpoints.items()},
        chains=chains_file.chains,
        drills=tuple(map(normalised, chains_file.drills)),
        budgets=chains_file.budgets,
        catalogue=chains_file.catalogue,
        coverage=chains_file.coverage,
        network=chains_file.network,
        gateway=chains_file.gateway,
        page=chains_file.page,
        alerts=alerts_file,
        secrets=found.secrets,
        muted=found.muted,
        warnings=(
            *map(str, _ordered(checks.doubts(chains_document, alerts_document, vocabulary), documents)),
            *(f"notifier {one.name} {cannot}" for one in alerts_file.notifiers if (cannot := one.settings.cannot)),
        ),
        digest=hashlib.sha256(chains_document.digest + alerts_document.digest).hexdigest()[:16],
    )


def _chains_file(document: Document) -> tuple[ChainsFile | None, tuple[Problem, ...]]:
    return (None, ()) if document.root is None else validate(ChainsFile, document.root, document)


def _alerts_file(document: Document, vocabulary: Vocabulary) -> tuple[AlertsFile | None, tuple[Problem, ...]]:
    """Validates in two steps: the file's own sections, then each notifier's settings by the model of its kind."""
    if document.root is None:
        return None, ()
    written = document.top["notifiers"]
    own = dict(document.root)
    if isinstance(written.value, list):
        own["notifiers"] = [_part(item.value, own=True) for item in written.items()]
    file, problems = validate(AlertsFile, own, document)
    checked = [_settings(item, vocabulary) for item in written.items()]
    problems += tuple(problem for _, wrong in checked for problem in wrong)
    if file is None or problems:
        return None, problems
    notifiers = tuple(
        notifier.model_copy(update={"settings": settings})
        for notifier, (settings, _) in zip(file.notifiers, checked, strict=True)
    )
    return file.model_copy(update={"notifiers": notifiers}), ()


def _settings(item: Node, vocabulary: Vocabulary) -> tuple[NotifierSettings | None, tuple[Problem, ...]]:
    model = vocabulary.notifiers.get(item["kind"].text or "")
    if model is None or not isinstance(item.value, dict):
        return None, ()
    return validate(model, _part(item.value, own=False), item.document, item.path)


def _part(notifier: Any, *, own: bool) -> Any:
    """Of a notifier as written: what every notifier has (``own``), or the settings of its kind."""
    if not isinstance(notifier, dict):
        return notifier
    return {key: value for key, value in notifier.items() if (key in _OF_EVERY_NOTIFIER) is own}


def _rooted(endpoint: EndpointConfig, folder: Path) -> EndpointConfig:
    if endpoint.ca_file is None:
        return endpoint
    return endpoint.model_copy(update={"ca_file": str((folder / Path(endpoint.ca_file).expanduser()).absolute())})


def _elsewhere(leaks: Iterable[Problem], problems: Iterable[Problem]) -> list[Problem]:
    """A pasted credential is one mistake, even where its key is unknown and its section then names none."""
    leaking = {(leak.file, path) for leak in leaks for path in (leak.path, leak.path.rpartition(".")[0])}
    return [problem for problem in problems if (problem.file, problem.path) not in leaking]


def _ordered(problems: Iterable[Problem], documents: Iterable[Document]) -> tuple[Problem, ...]:
    files = [document.file for document in documents]
    return tuple(sorted(dict.fromkeys(problems), key=lambda found: (files.index(found.file), found.line or 0)))
