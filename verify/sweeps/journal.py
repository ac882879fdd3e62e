"""Journals: what a sweep has found so far, one line of JSON for each chunk, safe against sudden death."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify.errors import UnavailableError, UsageError
from verify.report.files import require_folder
from verify.report.jsonable import pack

FORMAT = 1
"""The version of the lines."""

_BEGINNING = b'{"format":'


def key_of(head: Mapping[str, Any]) -> str:
    """The fingerprint of a sweep, from the facts that its lines depend on."""
    return hashlib.sha256(_text(head).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Journal:
    """The chunks of one sweep that are known, by number; those in ``path`` where there is one.

    ``torn``: how many lines were cut off or damaged; their chunks are computed again. ``contradicted``:
    chunks that were computed twice, with different results.
    """

    head: Mapping[str, Any]
    path: Path | None = None
    chunks: dict[int, dict[str, Any]] = field(default_factory=dict)
    torn: int = 0
    contradicted: set[int] = field(default_factory=set)
    _file: int | None = None

    @property
    def key(self) -> str:
        """The fingerprint of the sweep."""
        return key_of(self.head)

    def read(self) -> None:
        """Take in the lines of the file, if it exists.

        Raises ``UsageError`` for a journal of another sweep or of a newer version and for another file, and
        ``UnavailableError`` for one that cannot be read, or whose folder does not exist.
        """
        if self.path is None:
            return
        require_folder(self.path)
        if not self.path.is_file():
            return
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise UnavailableError(f"the journal {self.path} cannot be read ({error.strerror})") from None
        for text in data.split(b"\n"):
            if text:
                self._take(text)
        if self.torn and not self.chunks and not _BEGINNING.startswith(data[: len(_BEGINNING)]):
            raise UsageError(f"{self.path} is no journal of a sweep, and is left as it is; give another file")

    def _take(self, text: bytes) -> None:
        line = _parsed(text)
        if line is None:
            self.torn += 1
        elif line["format"] > FORMAT:
            raise UsageError(
                f"the journal {self.path} has lines of format {line['format']}, and this release reads up to "
                f"{FORMAT}; use a newer release of lossproof, or another file"
            )
        elif line["sweep"] != self.key:
            self._refuse(line.get("head"))
        elif "chunk" in line:
            self.add(line["chunk"], line["found"])

    def _refuse(self, other: Any) -> None:
        """Raise ``UsageError`` for a line of another sweep, naming what differs where it says so."""
        told = ""
        if isinstance(other, dict):
            names = sorted({*other, *self.head})
            told = "; ".join(
                f"{name} is {other.get(name)!r} there and {self.head.get(name)!r} here"
                for name in names
                if other.get(name) != self.head.get(name)
            )
        raise UsageError(
            f"the journal {self.path} is of another sweep{': ' if told else ''}{told}; give another file, or "
            "run the sweep that it belongs to"
        )

    def add(self, chunk: int, found: dict[str, Any]) -> None:
        """Note what was found in a chunk; the same once more is harmless."""
        if self.chunks.setdefault(chunk, found) != found:
            self.contradicted.add(chunk)

    def write(self, chunk: int, found: dict[str, Any]) -> None:
        """Note what was found, and append its line to the file.

        Raises ``UnavailableError`` where it cannot be written; what was written before is kept.
        """
        plain = json.loads(_text(found))
        self.add(chunk, plain)
        if self.path is None:
            return
        try:
            if self._file is None:
                self._open()
            self._append({"chunk": chunk, "found": plain})
        except OSError as error:
            self.close()
            raise UnavailableError(
                f"the journal {self.path} cannot be written ({error.strerror}); the {len(self.chunks) - 1} "
                "chunks known before are kept; make room, or give another file, and run it again"
            ) from None

    def _open(self) -> None:
        path = self.path
        assert path is not None
        known = path.is_file() and path.stat().st_size > 0
        whole = not known or path.read_bytes()[-1:] == b"\n"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if not whole:
            os.write(self._file, b"\n")
        self._append({"head": dict(self.head)})

    def _append(self, content: Mapping[str, Any]) -> None:
        line = _text({"format": FORMAT, "sweep": self.key, **content})
        data = f'{line[:-1]},"crc":{zlib.crc32(line.encode())}}}\n'.encode()
        assert self._file is not None
        if os.write(self._file, data) != len(data):
            raise OSError(28, os.strerror(28))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _text(data: Mapping[str, Any]) -> str:
    """Compact JSON with sorted keys; inf and nan as in reports (docs/json.md)."""
    return json.dumps(pack(dict(data)), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _parsed(text: bytes) -> dict[str, Any] | None:
    """A line, or None for one that is cut off or damaged."""
    try:
        line = json.loads(text)
        version, crc = line["format"], line.pop("crc")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(version, int) or (version <= FORMAT and zlib.crc32(_text(line).encode()) != crc):
        return None
    return line if version > FORMAT or "sweep" in line else None
