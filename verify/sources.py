"""Sources: a function with all that it uses of its module, as text that runs by itself."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from verify.backends import load_torch
from verify.literals import literal
from verify.reproducer import source_of
from verify.words import kind_of

_PLAIN = (bool, int, float, str, type(None))


def source_with_needs(function: Callable[..., Any]) -> str:
    """The definition of a function, after the imports, constants, functions and classes that it uses.

    What it uses is found by name in its module and its closure, and so on for functions and classes
    of the same package. Raises ``ReproducerError`` where a source cannot be read. The text expects
    torch to be imported.
    """
    imports: dict[str, str] = {}
    pieces: dict[str, str] = {}
    package = str(function.__module__).partition(".")[0]

    def add(name: str, value: Any) -> None:
        if name in imports or name in pieces or value is load_torch():
            return
        if line := _import(name, value, package):
            imports[name] = line
        elif isinstance(value, FunctionType | type):
            pieces[name] = ""  # what calls itself needs itself no further
            for inner, used in _needs(value):
                add(inner, used)
            pieces[name] = pieces.pop(name) or source_of(value, name)
            if value.__name__ != name:
                pieces[name] += f"\n\n\n{name} = {value.__name__}"
        elif text := constant(value):
            pieces[name] = f"{name} = {text}"

    add(function.__name__, function)
    head = "\n".join(sorted(imports.values()))
    return "\n\n\n".join([*([head] if head else []), *pieces.values()])


def unwritten(printed: str, function: Callable[..., Any]) -> str:
    """What a script of a function lacked, as what it printed tells, and what to do; empty where nothing."""
    lacking = re.match(r"NameError: name '(\w+)' is not defined", (printed.splitlines() or [""])[-1])
    if not lacking:
        return ""
    name = lacking[1]
    held = dict(_needs(function)) if isinstance(function, FunctionType) else {}
    kind = f" ({kind_of(held[name])})" if name in held else ""
    return (
        f"{name}{kind}, which the function uses, cannot be written into a script; make it inside the "
        "function, or show the finding as it is by verify.replay(function, witness)"
    )


def _needs(value: Any) -> Iterator[tuple[str, Any]]:
    """The names that a function, or a class with its methods, uses of its module and closure."""
    if isinstance(value, type):
        for base in value.__bases__:
            yield base.__name__, base
        for member in vars(value).values():
            inner = getattr(member, "__func__", member)
            if isinstance(inner, FunctionType):
                yield from _needs(inner)
        return
    value = inspect.unwrap(value)
    cells = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
    for name in _names(value.__code__):
        if name in cells:
            with contextlib.suppress(ValueError):  # a cell that is still empty
                yield name, cells[name].cell_contents
        elif name in value.__globals__:
            yield name, value.__globals__[name]


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _import(name: str, value: Any, package: str) -> str:
    """The line that imports a value under a name; empty for what belongs to the package itself."""
    if isinstance(value, ModuleType):
        return f"import {name}" if value.__name__ == name else f"import {value.__name__} as {name}"
    own_name = str(getattr(value, "__name__", ""))
    for module in ("torch.nn.functional", "torch"):
        if callable(value) and getattr(sys.modules[module], own_name, None) is value:
            return f"from {module} import {own_name} as {name}"
    if not isinstance(value, FunctionType | type) or value.__qualname__ != value.__name__:
        return ""
    home = value.__module__
    own = home == "builtins" or home.partition(".")[0] == package
    return "" if own else f"from {home} import {value.__name__} as {name}"


def constant(value: Any) -> str:
    """Plain data, a dtype or a tensor as text; empty for anything else."""
    torch = load_torch()
    if isinstance(value, torch.Tensor):
        return literal(value.detach().cpu(), str(value.device))
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    plain = isinstance(value, tuple) and all(isinstance(item, _PLAIN) for item in value)
    return repr(value) if plain or isinstance(value, (*_PLAIN, torch.dtype)) else ""
