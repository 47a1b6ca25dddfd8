"""The list of all dashboards, and their JSON."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import chain, drills, gateway, itself, overview, providers
from dashboards.frame import assemble
from dashboards.reading import FOLDER

PAGES = (overview.PAGE, chain.PAGE, providers.PAGE, drills.PAGE, gateway.PAGE, itself.PAGE)


def written() -> dict[str, str]:
    """The text of every file by its name."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {f"{page.uid}.json": f"{encoder.encode(assemble(page))}\n" for page in PAGES}


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    texts = written()
    for old in folder.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)
