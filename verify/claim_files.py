"""Claim files: claims of the user's own, loaded from Python files and folders of them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from verify.catalogue import claims, find
from verify.claim import Claim, Part
from verify.errors import UsageError, VerifyError
from verify.guard import guarded
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.words import kind_of

NAME = "CLAIMS"
"""A file that has this name at its top level holds the claims in it and no others."""


def split(names: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Ids of the catalogue, and paths: what is no id and names a file or folder, or looks as if it did.

    Raises ``UsageError`` for a name that is neither, with the nearest ids, and for a path that is not there.
    """
    known = set(_ids_of_the_catalogue())
    ids, paths = [], []
    for name in dict.fromkeys(names):
        if name in known:
            ids.append(name)
        elif os.path.exists(name):
            paths.append(name)
        elif name.endswith(".py") or {"/", os.sep}.intersection(name):
            raise UsageError(f"{name!r} is not there; give the path of a Python file, or of a folder of them")
        else:
            ids.append(name)
    return ids, tuple(paths)


def chosen(ids: Sequence[str], own: Mapping[str, Claim]) -> dict[str, Claim]:
    """Of the catalogue and of one's own the claims with these ids, and all one's own where no id is of them.

    Raises ``UsageError`` for an id that neither has.
    """
    found = {name: find(name, own.values()) for name in ids}
    listed = {name for claim in own.values() for name in _ids_of(claim)}
    return found if listed & found.keys() else {**found, **own}


def claims_at(paths: Sequence[str]) -> dict[str, Claim]:
    """The claims in Python files, and in the files ``*.py`` of folders but for ``_*.py``, by their ids.

    A file has the claims in its ``CLAIMS``, a tuple or list, or else every claim at its top level. It may
    import the files beside it; afterwards neither they nor their folder can be imported. Raises
    ``UsageError`` for a file that raises, for what is not a claim, for a claim with nothing to prove or with
    a formula that raises, and for an id that another claim has, here or in the catalogue.
    """
    taken = dict.fromkeys(_ids_of_the_catalogue(), "the catalogue")
    found: dict[str, Claim] = {}
    for file, claim in _loaded([file for path in paths for file in _files(Path(path))]):
        _require_sound(claim, file)
        if claim.id in taken:
            raise UsageError(
                f"{file}: the id {claim.id!r} is that of a claim in {taken[claim.id]}; an id is given once, "
                "so choose another"
            )
        taken[claim.id] = str(file)
        found[claim.id] = claim
    return found


@contextlib.contextmanager
def blamed(where: str) -> Iterator[None]:
    """What goes wrong with a formula inside is a ``UsageError`` that says where."""
    try:
        yield
    except VerifyError as error:
        raise UsageError(f"{where}: {error}") from error
    except Exception as error:
        raise UsageError(
            f"{where} raises {_named(error)}; a formula takes c and the declared variables, in their order, "
            "and is made of them (docs/add-a-claim.md)"
        ) from error


def _ids_of_the_catalogue() -> Iterator[str]:
    for claim in claims():
        yield from _ids_of(claim)


def _ids_of(claim: Claim) -> Iterator[str]:
    yield claim.id
    if claim.corrected is not None:
        yield claim.corrected.id


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.suffix != ".py":
            raise UsageError(f"{path} is not a Python file; give one that ends in .py, or a folder of them")
        return [path]
    found = sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))
    if not found:
        raise UsageError(f"{path} has no Python file; files *.py are looked at, _*.py and subfolders are not")
    return found


def _loaded(files: list[Path]) -> Iterator[tuple[Path, Claim]]:
    """Each claim once, with the file in which it was first seen."""
    seen: set[int] = set()
    with _importing({file.resolve().parent for file in files}):
        modules = [(file, _module(file)) for file in dict.fromkeys(files)]
    for file, module in modules:
        for claim in _claims_of(module, file):
            if id(claim) not in seen:
                seen.add(id(claim))
                yield file, claim


@contextlib.contextmanager
def _importing(folders: set[Path]) -> Iterator[None]:
    """Inside, the files of the folders can be imported; afterwards all is as it was."""
    path, modules, write = list(sys.path), set(sys.modules), sys.dont_write_bytecode
    sys.path[:0] = sorted(map(str, folders))
    importlib.invalidate_caches()
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, write
        gone = {name for name in sys.modules.keys() - modules if _home(sys.modules[name]) in folders}
        for name in [name for name in sys.modules if {name, name.partition(".")[0]} & gone]:
            del sys.modules[name]


def _home(module: ModuleType) -> Path | None:
    """The folder from which a module, or a package as a whole, was imported; None if it is built in."""
    inside = getattr(module, "__path__", None)
    place = next(iter(inside), None) if inside is not None else getattr(module, "__file__", None)
    return Path(place).resolve().parent if place else None


def _module(file: Path) -> ModuleType:
    """The module that a file is, under its own name where that is free; what it prints goes to stderr."""
    present = sys.modules.get(file.stem)
    if present is not None and Path(getattr(present, "__file__", None) or "").resolve() == file.resolve():
        return present
    name = file.stem if present is None else f"claims in {file}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with guarded():
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UsageError(
            f"{file}{_line(error, file)} raises {_named(error)}; claims are loaded by running their file"
        ) from error
    return module


def _line(error: BaseException, file: Path) -> str:
    """The last line of the file that was reached before the error."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines.append(error.lineno)
    return f", line {lines[-1]}," if lines else ""


def _named(error: BaseException) -> str:
    told = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


def _claims_of(module: ModuleType, file: Path) -> list[Claim]:
    if not hasattr(module, NAME):
        return [value for value in vars(module).values() if isinstance(value, Claim)]
    listed = getattr(module, NAME)
    if not isinstance(listed, tuple | list):
        raise UsageError(f"{file}: {NAME} is {kind_of(listed)}; make it a tuple of claims")
    for value in listed:
        if not isinstance(value, Claim):
            raise UsageError(f"{file}: {NAME} has {value!r} in it; it may hold values of verify.Claim alone")
    return list(listed)


def _require_sound(claim: Claim, file: Path) -> None:
    """Each claim has something to prove, in parts whose formulas can be built."""
    parts = [*_of(claim.parts, claim, file), *_of(claim.holds_when, claim, file)]
    parts += [claim.literal] if claim.literal is not None else []
    if not parts:
        raise UsageError(f"{file}: claim {claim.id} has nothing to prove; give it parts=(Part(...),)")
    for part in parts:
        _require_built(part, f"{file}: claim {claim.id}, part {part.id}")
    if claim.corrected is not None:
        _require_sound(claim.corrected, file)


def _of(parts: Any, claim: Claim, file: Path) -> tuple[Part, ...]:
    if not isinstance(parts, tuple | list) or not all(isinstance(part, Part) for part in parts):
        raise UsageError(
            f"{file}: claim {claim.id} has {parts!r} for parts; give a tuple, as in (Part(...),)"
        )
    return tuple(parts)


def _require_built(part: Part, where: str) -> None:
    if part.relation not in {"=", "<=", "<"}:
        raise UsageError(f"{where}: the relation is {part.relation!r}; it can be '=', '<=' or '<'")
    checks: list[tuple[str, Callable[[], object]]] = [
        ("what is given", lambda: assume(part.given, ())),
        ("the left side", lambda: build(part.left, part.given)),
        ("the right side", lambda: build(part.right, part.given)),
        ("a hypothesis", lambda: assume(part.given, part.hypotheses)),
    ]
    for what, check in checks:
        with blamed(f"{where}: {what}"):
            check()
