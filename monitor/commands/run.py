"""``fallbackd run``: the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer

from monitor.addresses import DEFAULT_LISTEN, parse_listen
from monitor.app import App
from monitor.commands import options
from monitor.commands.banner import banner
from monitor.config.model import Config
from monitor.errors import ConfigError, StartError
from monitor.logs import configure
from monitor.settings import Settings

log = structlog.get_logger("run")

WATCH_EVERY = 1.0


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    chains: options.ChainsOption = options.CHAINS,
    alerts: options.AlertsOption = options.ALERTS,
    data: options.DataOption = options.DATA,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Status page, metrics and API. Port 0 picks a free one.")
    ] = DEFAULT_LISTEN,
    sandbox: options.SandboxOption = False,
    sandbox_listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the embedded sandbox listens; default: a free port.")
    ] = None,
    mute: Annotated[bool, typer.Option("--mute", help="Run although no notifier that reaches people works.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Reload when a config file changes (SIGHUP always does).")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Holds the access token; FALLBACKD_TOKEN is the other way.")
    ] = None,
    retention: Annotated[
        str, typer.Option(metavar="DURATION", help="How long outcomes and journals are kept.")
    ] = "30d",
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Watch the chains, break their primaries, and say so. Ctrl-C drains and stops; a second one stops at once."""
    configure(level=log_level)
    settings = Settings.parse(
        listen=parse_listen(listen),
        data=data,
        sandbox=sandbox,
        sandbox_listen=parse_listen(sandbox_listen) if sandbox_listen else None,
        token=_token(token_file),
        retention=retention,
    )
    config = options.load_config(chains, alerts, sandbox=sandbox)
    if not (sandbox or mute):
        _must_reach_people(config)
    sys.exit(asyncio.run(_serve(config, settings, chains, alerts, watch=watch)))


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("FALLBACKD_TOKEN") or None
    try:
        text = file.read_text().strip()
    except OSError as error:
        raise StartError(f"the token file {file} cannot be read: {error.strerror}") from None
    if not text:
        raise StartError(f"the token file {file} is empty")
    return text


def _must_reach_people(config: Config) -> None:
    """A monitor that cannot speak is worse than one that did not start."""
    working = (notifier for notifier in config.alerts.notifiers if notifier.name not in config.muted)
    if any(notifier.settings.reaches_people for notifier in working):
        return
    why = "".join(f"\n  {sentence}" for sentence in config.muted.values())
    raise StartError(
        "no notifier that works and reaches people is configured, so nobody would hear of a failing chain."
        + why
        + "\nGive one its credential, or start with --mute (watch without telling) or --sandbox (try it out)."
    )


async def _serve(config: Config, settings: Settings, chains: Path, alerts: Path, *, watch: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    app = App(config, settings)

    def on_stop() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()  # before a word is said: who read it may be gone
        log.info("stopping: waiting for what runs; once more stops at once")

    async def reload() -> None:
        try:
            await app.reload(options.load_config(chains, alerts, sandbox=settings.sandbox))
        except ConfigError as error:
            app.reload_failed()
            log.warning("reload refused, the old config stays in force", problems=str(error))

    reloads: set[asyncio.Task[None]] = set()

    def on_reload() -> None:
        task = asyncio.create_task(reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_stop)
    loop.add_signal_handler(signal.SIGHUP, on_reload)
    try:
        await app.start()
        print(banner(app), flush=True)
        watcher = asyncio.create_task(_watch_files((chains, alerts), on_reload)) if watch else None
        await stop.wait()
        if watcher is not None:
            watcher.cancel()
    finally:
        await app.stop()
    log.info("stopped")
    return 0


async def _watch_files(files: tuple[Path, ...], changed: Callable[[], None]) -> None:
    before = _stamps(files)
    while True:
        await asyncio.sleep(WATCH_EVERY)
        now = _stamps(files)
        if now != before:
            before = now
            changed()


def _stamps(files: tuple[Path, ...]) -> tuple[float, ...]:
    return tuple(file.stat().st_mtime if file.exists() else 0.0 for file in files)
