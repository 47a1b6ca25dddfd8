"""Reads the credentials that the config names. Their values never appear in a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from monitor.config.document import Node

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_CUSTOMARY = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A credential that cannot be had: where it is named, and why, as a sentence about that place."""

    at: Node
    because: str

    def __str__(self) -> str:
        return self.because if self.because.startswith("the ") else f"{self.at.path[-1]} {self.because}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where credentials come from. ``folder`` is where the relative paths of a config file start."""

    environ: Mapping[str, str]
    folder: Path

    def find(self, section: Node, name: str) -> SecretStr | Absent | None:
        """The credential that ``NAME_env`` or ``NAME_file`` of a section names; None where neither does."""
        by_env, by_file = section[f"{name}_env"], section[f"{name}_file"]
        if by_env.text is not None:
            return self._from_environ(by_env, by_env.text)
        if by_file.text is not None:
            return self._from_file(by_file, by_file.text)
        return None

    def read(self, at: Node, written: str) -> bytes | Absent:
        """The first 64 kB of the file that a setting names."""
        try:
            path = self.folder / Path(written).expanduser()
            if not path.is_file():
                return Absent(at=at, because="names a file that does not exist")
            with path.open("rb") as stream:
                return stream.read(_MAX_BYTES)
        except OSError as error:
            return Absent(at=at, because=f"names a file that cannot be read: {error.strerror}")
        except (ValueError, RuntimeError):
            return Absent(at=at, because="is no path of a file")

    def _from_environ(self, at: Node, variable: str) -> SecretStr | Absent:
        if not _VARIABLE.fullmatch(variable):
            return Absent(at=at, because="is no name of an environment variable; name the variable, not its value")
        # A token pasted in place of a name can look like a name; only what nobody would call a token is repeated.
        named = f"the environment variable {variable if _CUSTOMARY.fullmatch(variable) else 'named here'}"
        value = self.environ.get(variable, "").strip()
        if not value:
            return Absent(at=at, because=f"{named} is {'empty' if variable in self.environ else 'not set'}")
        return _usable(at, value, named)

    def _from_file(self, at: Node, written: str) -> SecretStr | Absent:
        data = self.read(at, written)
        if isinstance(data, Absent):
            return data
        value = data.decode("utf-8", "replace").strip()
        return (
            _usable(at, value, "the file named here") if value else Absent(at=at, because="names a file that is empty")
        )


def _usable(at: Node, value: str, source: str) -> SecretStr | Absent:
    if not value.isascii() or not value.isprintable() or " " in value:
        return Absent(at=at, because=f"{source} holds more than one line, a blank, or a character that no key has")
    return SecretStr(value)


def named_by(section: Node) -> tuple[str, ...]:
    """The credentials that a section names: ``token`` for ``token_env`` or ``token_file``."""
    names = (key.rpartition("_")[0] for key, node in section.entries() if key.endswith(("_env", "_file")) and node.text)
    return tuple(dict.fromkeys(name for name in names if name))
