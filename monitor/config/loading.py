"""Loads both files: read, check shape, check what refers to what, find credentials, and only then build the Config.

Every mistake of both files is found in one go. No connection is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from monitor.config import checks
from monitor.config.credentials import Absent, Credentials, named_by
from monitor.config.document import Document, Node
from monitor.config.model import (
    AlertsFile,
    ChainsFile,
    Config,
    DrillConfig,
    EndpointConfig,
    NotifierConfig,
    NotifierSettings,
    Vocabulary,
)
from monitor.config.pasted import pasted
from monitor.config.reading import read
from monitor.config.shape import validate
from monitor.errors import ConfigError, Problem

SANDBOX_DIALECT = "openrouter"
"""Endpoints of this dialect are the embedded sandbox when there is one: they need no credential then."""


def load(
    chains: Path, alerts: Path, *, vocabulary: Vocabulary, environ: Mapping[str, str], sandbox: bool = False
) -> Config:
    """The checked configuration. Raises ConfigError with every problem of both files."""
    chains_document, chains_problems = read(chains)
    alerts_document, alerts_problems = read(alerts)
    documents = (chains_document, alerts_document)
    problems = [*chains_problems, *alerts_problems]
    chains_file, wrong_chains = _chains_file(chains_document)
    alerts_file, wrong_alerts = _alerts_file(alerts_document, vocabulary)
    leaks = [problem for document in documents for problem in pasted(document)]
    problems += [*_without(leaks, [*wrong_chains, *wrong_alerts]), *leaks]
    problems += checks.mistakes(chains_document, alerts_document, vocabulary)
    found = _Found()
    found.in_chains(chains_document, Credentials(environ=environ, folder=chains.parent), sandbox=sandbox)
    found.in_alerts(alerts_document, Credentials(environ=environ, folder=alerts.parent), vocabulary, sandbox=sandbox)
    problems += _without(leaks, found.problems)
    if problems or chains_file is None or alerts_file is None:
        raise ConfigError(_ordered(problems, documents))
    return Config(
        endpoints={name: _rooted(endpoint, chains.parent) for name, endpoint in chains_file.endpoints.items()},
        chains=chains_file.chains,
        drills=tuple(map(_normalised, chains_file.drills)),
        alerts=alerts_file,
        secrets=found.secrets,
        muted=found.muted,
        warnings=tuple(map(str, checks.doubts(chains_document, alerts_document))),
        digest=_digest(documents),
    )


def _chains_file(document: Document) -> tuple[ChainsFile | None, tuple[Problem, ...]]:
    return (None, ()) if document.root is None else validate(ChainsFile, document.root, document)


def _alerts_file(document: Document, vocabulary: Vocabulary) -> tuple[AlertsFile | None, tuple[Problem, ...]]:
    """Validates in two steps: the file's own sections, then each notifier's settings by the model of its kind."""
    if document.root is None:
        return None, ()
    written = document.top["notifiers"]
    own = {**document.root, "notifiers": [_split(item.value)[0] for item in written.items()]}
    if not isinstance(written.value, list):
        own["notifiers"] = written.value
    file, problems = validate(AlertsFile, _without_absent(own, document.root), document)
    settings = [_settings(item, vocabulary) for item in written.items()]
    problems += tuple(problem for _, wrong in settings for problem in wrong)
    if file is None or problems:
        return None, problems
    notifiers = tuple(
        notifier.model_copy(update={"settings": own_settings})
        for notifier, (own_settings, _) in zip(file.notifiers, settings, strict=True)
    )
    return file.model_copy(update={"notifiers": notifiers}), ()


def _without_absent(own: dict[str, object], root: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in own.items() if key in root}


def _split(notifier: object) -> tuple[object, dict[str, object]]:
    """What every notifier has, and the settings of its kind."""
    if not isinstance(notifier, dict):
        return notifier, {}
    shared = {"name", "kind", "optional"} & NotifierConfig.model_fields.keys()
    own = {key: value for key, value in notifier.items() if key in shared}
    return own, {key: value for key, value in notifier.items() if key not in shared}


def _settings(item: Node, vocabulary: Vocabulary) -> tuple[NotifierSettings | None, tuple[Problem, ...]]:
    model = vocabulary.notifiers.get(item["kind"].text or "")
    if model is None or not isinstance(item.value, dict):
        return None, ()
    return validate(model, _split(item.value)[1], item.document, item.path)


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of looking for every credential that is named."""

    secrets: dict[str, SecretStr] = field(default_factory=dict)
    muted: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def in_chains(self, document: Document, credentials: Credentials, *, sandbox: bool) -> None:
        for name, endpoint in document.top["endpoints"].entries():
            openrouter = endpoint["dialect"].text == SANDBOX_DIALECT
            if sandbox and openrouter:
                self.secrets[f"endpoints/{name}"] = SecretStr("sandbox")
                continue
            match credentials.find(endpoint, "credential"):
                case SecretStr() as secret:
                    self.secrets[f"endpoints/{name}"] = secret
                case Absent() as absent:
                    self.problems.append(absent.at.problem(absent.because))
                case None if openrouter:
                    self.problems.append(
                        endpoint.problem("names no credential; write credential_env: OPENROUTER_API_KEY")
                    )

    def in_alerts(self, document: Document, credentials: Credentials, vocabulary: Vocabulary, *, sandbox: bool) -> None:
        for notifier in document.top["notifiers"].items():
            model = vocabulary.notifiers.get(notifier["kind"].text or "")
            declared = model.model_fields.keys() if model else ()
            for credential in named_by(notifier):
                if f"{credential}_env" in declared:
                    self._of_notifier(notifier, credential, credentials, sandbox=sandbox)

    def _of_notifier(self, notifier: Node, credential: str, credentials: Credentials, *, sandbox: bool) -> None:
        name = notifier["name"].text or ""
        match credentials.find(notifier, credential):
            case SecretStr() as secret:
                self.secrets[f"notifiers/{name}/{credential}"] = secret
            case Absent() as absent if sandbox or notifier["optional"].value is True:
                self.muted[name] = f"{name}: {_whole(absent)}"
            case Absent() as absent:
                hint = "; set it, or write optional: true to do without this notifier"
                self.problems.append(absent.at.problem(absent.because + hint))


def _whole(absent: Absent) -> str:
    return absent.because if absent.because.startswith("the ") else f"{absent.at.path[-1]} {absent.because}"


def _rooted(endpoint: EndpointConfig, folder: Path) -> EndpointConfig:
    if endpoint.ca_file is None:
        return endpoint
    return endpoint.model_copy(update={"ca_file": str((folder / Path(endpoint.ca_file).expanduser()).absolute())})


def _normalised(drill: DrillConfig) -> DrillConfig:
    """Names of faults and injectors with underscores, however they were written."""
    written = drill.with_
    if isinstance(written, str):
        fault: object = checks.plain(written)
    else:
        fault = {checks.plain(name): options for name, options in written.items()}
    return drill.model_copy(update={"with_": fault, "by": checks.plain(drill.by) if drill.by else None})


def _without(leaks: Iterable[Problem], problems: Iterable[Problem]) -> list[Problem]:
    """A pasted credential is one mistake, even where its key is unknown as well."""
    places = {(leak.file, leak.path) for leak in leaks}
    return [problem for problem in problems if (problem.file, problem.path) not in places]


def _ordered(problems: Iterable[Problem], documents: Iterable[Document]) -> tuple[Problem, ...]:
    files = [document.file for document in documents]
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (files.index(problem.file), problem.line or 0)))


def _digest(documents: Iterable[Document]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(document.digest)
    return digest.hexdigest()[:16]
