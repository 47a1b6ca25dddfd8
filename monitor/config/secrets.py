"""Finds every credential that both files name, and decides what a missing one means: a mistake, or silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from monitor.config.credentials import Absent, Source, named_by
from monitor.config.document import Document, Node
from monitor.config.model import Vocabulary
from monitor.errors import Problem

SANDBOX_DIALECT = "openrouter"
"""Endpoints of this dialect are the embedded sandbox when there is one: they need no credential then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``secrets`` and ``muted`` as in Config."""

    secrets: dict[str, SecretStr] = field(default_factory=dict)
    muted: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def gather(
    chains: Document, alerts: Document, vocabulary: Vocabulary, environ: Mapping[str, str], *, sandbox: bool
) -> Found:
    """With ``sandbox`` a notifier without its credential is muted, and the sandbox's endpoints get one of their own."""
    found = Found()
    source = Source(environ=environ, folder=Path(chains.file).parent)
    for name, endpoint in chains.top["endpoints"].entries():
        _of_endpoint(found, name, endpoint, source, sandbox=sandbox)
    for drill in chains.top["drills"].items():
        _of_application(found, drill, source)
    source = Source(environ=environ, folder=Path(alerts.file).parent)
    for notifier in alerts.top["notifiers"].items():
        model = vocabulary.notifiers.get(notifier["kind"].text or "")
        declared = model.model_fields.keys() if model else ()
        may_lack = sandbox or notifier["optional"].value is True
        for credential in named_by(notifier):
            if f"{credential}_env" in declared:
                _of_notifier(found, notifier, credential, source, may_lack=may_lack)
        for part, section in notifier.entries():
            for credential in named_by(section) if part in declared else ():
                _of_part(found, notifier, part, credential, source, may_lack=may_lack)
    _of_heartbeat(found, alerts.top["heartbeat"], source, may_lack=sandbox)
    return found


def _of_application(found: Found, drill: Node, source: Source) -> None:
    match source.find(drill["application"], "credential"):
        case SecretStr() as secret:
            found.secrets[f"drills/{drill['name'].text}/credential"] = secret
        case Absent() as absent:
            found.problems.append(absent.at.problem(absent.because))


def _of_heartbeat(found: Found, heartbeat: Node, source: Source, *, may_lack: bool) -> None:
    match source.find(heartbeat, "url"):
        case SecretStr() as secret:
            found.secrets["heartbeat/url"] = secret
        case Absent() as absent if not may_lack:
            found.problems.append(absent.at.problem(absent.because))


def _of_endpoint(found: Found, name: str, endpoint: Node, source: Source, *, sandbox: bool) -> None:
    openrouter = endpoint["dialect"].text == SANDBOX_DIALECT
    if sandbox and openrouter:
        found.secrets[f"endpoints/{name}"] = SecretStr("sandbox")
        return
    match source.find(endpoint, "credential"):
        case SecretStr() as secret:
            found.secrets[f"endpoints/{name}"] = secret
        case Absent() as absent:
            found.problems.append(absent.at.problem(absent.because))
        case None if openrouter:
            found.problems.append(endpoint.problem("names no credential; write credential_env: OPENROUTER_API_KEY"))
    ca_file = endpoint["ca_file"]
    unread = source.read(ca_file, ca_file.text) if ca_file.text is not None else None
    if isinstance(unread, Absent):
        found.problems.append(ca_file.problem(unread.because))


def _of_part(found: Found, notifier: Node, part: str, credential: str, source: Source, *, may_lack: bool) -> None:
    """A section inside a notifier: without its credential that part is off, and the notifier speaks all the same."""
    name = notifier["name"].text or ""
    match source.find(notifier[part], credential):
        case SecretStr() as secret:
            found.secrets[f"notifiers/{name}/{part}.{credential}"] = secret
        case Absent() as absent if may_lack:
            found.muted[f"{name}/{part}"] = f"{part} of {name}: {absent}"
        case Absent() as absent:
            hint = "; mend this, or write optional: true to do without it"
            found.problems.append(absent.at.problem(absent.because + hint))


def _of_notifier(found: Found, notifier: Node, credential: str, source: Source, *, may_lack: bool) -> None:
    name = notifier["name"].text or ""
    match source.find(notifier, credential):
        case SecretStr() as secret:
            found.secrets[f"notifiers/{name}/{credential}"] = secret
        case Absent() as absent if may_lack:
            found.muted[name] = f"{name}: {absent}"
        case Absent() as absent:
            hint = "; mend this, or write optional: true to do without this notifier"
            found.problems.append(absent.at.problem(absent.because + hint))
