"""Places: functions and operations named on the command line, as "package.module:function"."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from verify.errors import UsageError, VerifyError, unknown
from verify.operation import Operation
from verify.words import kind_of


def function_at(place: str) -> Callable[..., Any]:
    """The function at a place such as "package.module:function"; modules of the working folder are found.

    Raises ``UsageError`` for a text of another form, a module that cannot be imported, and a name
    that is not there or cannot be called.
    """
    found = _at(place)
    if not callable(found):
        raise UsageError(f"{place} is {kind_of(found)}; give a function that can be called")
    return found  # type: ignore[no-any-return]


def operation_at(text: str) -> str | Operation:
    """The operation of one's own at a place such as "package.module:OPERATION"; any other text is a name.

    Raises ``UsageError`` as `function_at`, and for what is no `Operation`.
    """
    if ":" not in text:
        return text
    found = _at(text)
    if not isinstance(found, Operation):
        raise UsageError(f"{text} is {kind_of(found)}; give a verify.Operation with a contract")
    return found


def _at(place: str) -> Any:
    """What is found at a place."""
    module_name, path = parts_of(place)
    found: Any = _module(module_name)
    for name in path.split("."):
        if not hasattr(found, name):
            raise unknown(f"name in {module_name}", name, [known for known in dir(found) if known[0] != "_"])
        found = getattr(found, name)
    return found


def parts_of(place: str) -> tuple[str, str]:
    """Module and name of a place; ``UsageError`` for a text of another form."""
    module_name, colon, path = place.partition(":")
    if module_name.endswith(".py"):
        told = f"give its module, {Path(module_name).stem}:{path or 'function'}, from its folder"
        raise UsageError(f"{place!r} names a file; {told}")
    if not (colon and all(part.isidentifier() for part in module_name.split("."))):
        raise UsageError(f"{place!r} is no place; give package.module:function")
    if not all(part.isidentifier() for part in path.split(".")):
        raise UsageError(f"{path!r} in {place} cannot be reached by its name; give a function of a module")
    return module_name, path


def _module(name: str) -> Any:
    """A module, imported; whatever goes wrong in it is one sentence."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except VerifyError:
        raise
    except (Exception, SystemExit) as error:
        told = (str(error).strip().splitlines() or ["no message"])[0]
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        found = "; the working folder is searched, other folders if PYTHONPATH names them" if missing else ""
        raise UsageError(f"{name} cannot be imported: {type(error).__name__}: {told}{found}") from error
