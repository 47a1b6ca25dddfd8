"""``fallbackd sandbox``: a private OpenRouter to run against and to break."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from chaos.sandbox import Sandbox
from monitor import addresses
from monitor.clock import utc
from monitor.commands import options, remote
from monitor.config.quantity import parse_duration, parse_percent
from monitor.errors import CommandError

SandboxUrl = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="FALLBACKD_SANDBOX_URL",
        metavar="URL",
        help="The sandbox to talk to; default: the one inside the daemon of --data, else 127.0.0.1:9470.",
    ),
]


def register(app: typer.Typer) -> None:
    sandbox = typer.Typer(help="A private OpenRouter to run against and to break.", invoke_without_command=True)
    sandbox.callback()(serve)
    sandbox.command("break")(break_)
    sandbox.command("mend")(mend)
    sandbox.command("list")(list_)
    app.add_typer(sandbox, name="sandbox")


def serve(
    context: typer.Context,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Port 0 picks a free one.")
    ] = addresses.DEFAULT_SANDBOX,
    seed: Annotated[int, typer.Option(help="Answers and latencies repeat for the same seed.")] = 0,
) -> None:
    """A private OpenRouter to run against and to break; without a sub-command it listens until Ctrl-C."""
    if context.invoked_subcommand is None:
        asyncio.run(_serve(*addresses.parse_listen(listen), seed))


async def _serve(host: str, port: int, seed: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: os._exit(130) if stop.is_set() else stop.set())
    sandbox = Sandbox(seed=seed)
    base = await sandbox.start(host, port)
    print(f"The sandbox speaks OpenRouter's API at {base} (any key will do). Ctrl-C stops.", flush=True)
    try:
        await stop.wait()
    finally:
        await sandbox.stop()


def break_(
    model: Annotated[str, typer.Argument(help="A model id, or * for the sandbox's own front door.")],
    with_: Annotated[str, typer.Option("--with", metavar="FAULT", help="What goes wrong, such as rate_limited.")],
    provider: Annotated[str | None, typer.Option(help="Only at this provider (a slug); default: at all.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the fault; may be repeated.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="SHAPE", help="Which requests it meets, such as every_nth:n=3 or flapping:down=10s,up=20s."
        ),
    ] = None,
    for_: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="Mend by itself after this.")] = None,
    count: Annotated[int | None, typer.Option(help="Mend by itself after this many requests.")] = None,
    url: SandboxUrl = None,
    data: options.DataOption = options.DATA,
) -> None:
    """Break a model (or one of its providers) in a running sandbox."""
    body: dict[str, Any] = {"model": model, "with": with_, "options": dict(map(_option, option or ()))}
    body |= {"provider": provider} if provider else {}
    body |= _shape(shape) if shape else {}
    body |= {"count": count} if count else {}
    try:
        body |= {"seconds": parse_duration(for_)} if for_ else {}
    except ValueError as error:
        raise CommandError(f"--for {for_}: {error}") from None
    remote.call("POST", f"{_url(url, data)}/control/breaks", body=body)
    when = f", {shape}" if shape else ""
    print(f"Broken: {model}{f' at {provider}' if provider else ''} answers with {with_}{when}.")


def mend(
    model: Annotated[str | None, typer.Argument(help="Default: everything.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only at this provider.")] = None,
    url: SandboxUrl = None,
    data: options.DataOption = options.DATA,
) -> None:
    """Mend what was broken."""
    params = {key: value for key, value in {"model": model, "provider": provider}.items() if value}
    mended = remote.call("DELETE", f"{_url(url, data)}/control/breaks", params=params)["mended"]
    print(f"Mended: {mended}." if mended else "Nothing was broken there.")


def list_(url: SandboxUrl = None, data: options.DataOption = options.DATA, as_json: options.JsonOption = False) -> None:
    """List what is broken, and the faults that there are."""
    base = _url(url, data)
    found = remote.call("GET", f"{base}/control/breaks") | remote.call("GET", f"{base}/control/faults")
    if as_json:
        options.print_json(found)
        return
    _print_breaks(found["breaks"])
    for what, words in (
        ("faults", ("fault", "what happens", "settings (--set NAME=VALUE)")),
        ("shapes", ("shape", "which requests meet it", "settings (--shape SHAPE:NAME=VALUE,...)")),
    ):
        table = Table(*words, box=None, pad_edge=False)
        for one in found[what]:
            given = ", ".join(f"{name}={option['default']:g}" for name, option in one["options"].items())
            table.add_row(one["name"], one["meaning"], given)
        options.console().print(table)
        print()


def _print_breaks(breaks: list[dict[str, Any]]) -> None:
    if not breaks:
        print("Nothing is broken. What can be:\n")
        return
    table = Table("broken model", "provider", "fault", "shape", "ends", box=None, pad_edge=False)
    for one in breaks:
        ends = [f"at {utc(one['until'])}"] if one["until"] else []
        ends += [f"after {one['left']} more requests"] if one["left"] is not None else []
        table.add_row(
            one["model"], one["provider"] or "all", one["fault"], one["shape"], " or ".join(ends) or "when mended"
        )
    options.console().print(table)
    print()


def _shape(text: str) -> dict[str, Any]:
    """``every_nth:n=3`` as its name and options."""
    name, _, options = text.partition(":")
    given = dict(_option(one, "--shape") for one in options.split(",") if one)
    return {"shape": name.replace("-", "_"), "shape_options": given}


def _option(text: str, of: str = "--set") -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if value.endswith("%"):
            return name, parse_percent(value)
        return name, parse_duration(value) if value[-1:].isalpha() else float(value)
    except ValueError as error:
        why = str(error) if equals and value[-1:] in "%smhd" else "write NAME=VALUE, as in retry_after=30s"
        raise CommandError(f"{of} {text}: {why}{'' if equals else ' (no = found)'}") from None


def _url(url: str | None, data: Path) -> str:
    if url:
        return url.rstrip("/").removesuffix("/api/v1")
    found = addresses.find(data)
    return found.sandbox if found and found.sandbox else f"http://{addresses.DEFAULT_SANDBOX}"
