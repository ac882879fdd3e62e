"""The files of a report: all of them are written, or the old ones stay."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from errno import EISDIR
from pathlib import Path

from verify.errors import UnavailableError


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write each file under a temporary name and only then give all of them their own.

    Raises UnavailableError, which says what was kept, when one cannot be written.
    """
    temporary: dict[str, str] = {}
    placed: list[str] = []
    name = ""
    try:
        folder.mkdir(exist_ok=True)
        for name, data in contents.items():
            _refuse_folder(folder / name)
            handle, temporary[name] = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary[name], 0o644)
        for name in contents:
            os.replace(temporary[name], folder / name)
            placed.append(name)
    except OSError as error:
        kept = [other for other in contents if other not in placed and (folder / other).is_file()]
        state = f"kept as before: {', '.join(kept)}" if kept else "no report was there before"
        raise _unwritable(folder / name, error, "; ".join([*_replaced(placed), state])) from None
    finally:
        for other in temporary.values():
            Path(other).unlink(missing_ok=True)


def require_folder(path: Path) -> None:
    """Raise UnavailableError unless the folder exists in which a file or folder is to be made."""
    if not path.parent.exists():
        raise UnavailableError(
            f"cannot write {path}: the folder {path.parent} does not exist; make it first, or choose another"
        )


def require_writable(folder: Path, names: Sequence[str]) -> None:
    """Raise UnavailableError unless the folder can be made and these files written; leaves no trace."""
    place = folder
    absent = False
    try:
        absent = not folder.exists()
        for place in (folder / name for name in names):
            _refuse_folder(place)
        place = folder
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(place, error, "nothing was computed") from None
    finally:
        if absent:
            with suppress(OSError):
                folder.rmdir()


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(EISDIR, "a folder of this name is in the way")


def _replaced(placed: Sequence[str]) -> list[str]:
    return [f"replaced: {', '.join(placed)}"] if placed else []


def _unwritable(path: Path, error: OSError, state: str) -> UnavailableError:
    return UnavailableError(
        f"cannot write {path} ({error.strerror}); {state}; choose a place that can be written"
    )
