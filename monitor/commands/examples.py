"""What to type: examples that stand below the help of each command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import typer

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "run": (
        ("run --sandbox", "try it out: no key, no cost"),
        ("run --mute", "watch what chains.yaml names, and tell nobody"),
        ("run --chains /etc/fallbackd/chains.yaml --alerts /etc/fallbackd/alerts.yaml --data /var/lib/fallbackd", ""),
    ),
    "check": (("check --chains chains.yaml --alerts alerts.yaml", ""),),
    "plan": (
        ("plan", "with prices as they are now"),
        ("plan --sandbox", "with the sandbox's prices: no key is needed"),
    ),
    "probe": (
        ("probe chat", "the chain, then each of its targets"),
        ("probe chat --target primary --kind tools", "one target, one kind of question"),
    ),
    "drill": (
        ("drill primary-gone", "run it now, and exit by its verdict"),
        ("drill --matrix chat --dry-run", "every edge with every fault: what it would cost"),
        ("drill primary-gone --ci --junit drills.xml", "in a build"),
    ),
    "stop": (("stop", "no drill breaks anything until: fallbackd release"),),
    "release": (("release", ""),),
    "coverage": (("coverage chat", "which failovers of the chain are proven"),),
    "chains": (
        ("chains", "who serves now"),
        ("chains --json", ""),
    ),
    "catalogue": (
        ("catalogue", "what changed at the endpoints, and which chains it concerns"),
        ("catalogue --sandbox", "without a daemon"),
    ),
    "explain": (("explain chat", "the latest answer of the chain: who was asked, who answered, and why"),),
    "diff": (("diff chat", "does the endpoint do what the chain declares?"),),
    "top": (
        ("top", ""),
        ("top chat", "one chain, target by target"),
    ),
    "gateway": (("gateway --listen 127.0.0.1:9480", "in a process of its own"),),
    "alerts": (
        ("alerts --why", "why somebody was told, or nobody"),
        ("alerts test chain-down", "send a marked example through the real route"),
    ),
    "silence": (
        ("silence add chat --for 1h --why deploy", ""),
        ("silence list", ""),
    ),
    "export": (
        ("export schema chains", "for editors"),
        ("export prometheus-rules --into rules.yml --tests rules_test.yml", ""),
    ),
    "import": (
        ("import litellm config.yaml --output chains.yaml", ""),
        ("import openrouter request.json", ""),
        ("import portkey config.json", ""),
    ),
    "sandbox": (
        ("sandbox --listen 127.0.0.1:9470", "a sandbox of its own"),
        ("sandbox break openai/gpt-5-mini --with rate_limited --for 5m", "break a model of the one that runs"),
        ("sandbox mend", "mend everything"),
    ),
}


def teach(app: typer.Typer) -> None:
    """Put the examples below the help of the commands and groups that they are for."""
    for command in app.registered_commands:
        command.epilog = "\n\n".join(_lines(command.name or ""))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance.info.epilog = "\n\n".join(_lines(group.name or ""))


def _lines(command: str) -> Iterator[str]:
    for typed, meaning in EXAMPLES.get(command, ()):
        yield f"[bold]fallbackd {typed}[/bold]{f'  ({meaning})' if meaning else ''}"
