"""Sources: a function with all that it uses of its module, as text that runs by itself."""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import inspect
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from verify.backends import load_torch
from verify.literals import literal
from verify.reproducer import source_of
from verify.words import kind_of

_PLAIN = (bool, int, float, str, type(None))
_ENDLESS = ("inf", "-inf", "nan")


def source_with_needs(function: Callable[..., Any]) -> str:
    """The definition of a function, after the imports, constants, functions and classes that it uses.

    What it uses is found by name in its module and its closure, and so on for functions and classes
    of the same package and of modules that are not installed; of a module of these, what is used is put into
    a namespace of its name. Raises ``ReproducerError`` where a source cannot be read. The text expects
    torch to be imported.
    """
    imports: dict[str, str] = {}
    pieces: dict[str, str] = {}
    spaces: dict[str, dict[str, None]] = {}
    package = str(function.__module__).partition(".")[0]

    def add_module(name: str, module: ModuleType, used: list[str]) -> None:
        imports["types"] = "import types"
        held = spaces.setdefault(name, {})
        for member in used:
            if member in vars(module) and member not in held:
                held[member] = None
                add(member, vars(module)[member], used)
        spaces[name] = spaces.pop(name)  # after the modules that it holds

    def add(name: str, value: Any, used: list[str]) -> None:
        if isinstance(value, ModuleType) and _own(value.__name__, package):
            add_module(name, value, used)
            return
        if name in imports or name in pieces or value is load_torch():
            return
        if line := _import(name, value, package):
            imports[name] = line
        elif isinstance(value := _unwrapped(value), FunctionType | type):
            pieces[name] = ""  # what calls itself needs itself no further
            names = list(_names_in(value, attributes=True))
            for inner, held in _needs(value).items():
                add(inner, held, names)
            pieces[name] = pieces.pop(name) or source_of(value, name)
            if value.__name__ != name:
                pieces[name] += f"\n\n\n{name} = {value.__name__}"
        elif text := constant(value):
            pieces[name] = f"{name} = {text}"

    add(function.__name__, function, [])
    head = "\n".join(sorted(imports.values()))
    written = {*imports, *pieces, *spaces}
    told = [
        f"{name} = types.SimpleNamespace({', '.join(f'{one}={one}' for one in held if one in written)})"
        for name, held in spaces.items()
    ]
    return "\n\n\n".join([*([head] if head else []), *pieces.values(), *told])


def unwritten(printed: str, function: Callable[..., Any]) -> str:
    """What a script of a function lacked, as what it printed tells, and what to do; empty where nothing."""
    lacking = re.match(r"NameError: name '(\w+)' is not defined", (printed.splitlines() or [""])[-1])
    if not lacking:
        return ""
    name = lacking[1]
    held = _needs(function) if isinstance(function, FunctionType) else {}
    kind = f" ({kind_of(held[name])})" if name in held else ""
    return (
        f"{name}{kind}, which the function uses, cannot be written into a script; make it inside the "
        "function, or show the finding as it is by verify.replay(function, witness)"
    )


def _unwrapped(value: Any) -> Any:
    """What a decorator that keeps it was put around; a source has its decorators."""
    return inspect.unwrap(value) if callable(value) else value


def _needs(value: Any) -> dict[str, Any]:
    """What a function, or a class with its methods, uses of its module and closure, by name."""
    functions = _functions_of(value)
    held = dict(vars(sys.modules[value.__module__])) if isinstance(value, type) else {}
    held |= {base.__name__: base for base in getattr(value, "__bases__", ())}
    for function in functions:
        held |= function.__globals__
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # a cell that is still empty
                held[name] = cell.cell_contents
    return {
        name: held[name]
        for name in _names_in(value, attributes=False)
        if name in held and name != "__class__"
    }


def _functions_of(value: Any) -> list[FunctionType]:
    """A function itself; of a class the methods that stand in its source."""
    if not isinstance(value, type):
        return [value]
    tree = ast.parse(source_of(value, value.__name__)).body[0]
    made = {part.name for part in ast.walk(tree) if isinstance(part, ast.FunctionDef)}
    members = (getattr(member, "__func__", member) for name, member in vars(value).items() if name in made)
    return [member for member in members if isinstance(member, FunctionType)]


def _names_in(value: Any, *, attributes: bool) -> Iterator[str]:
    """Every name that a function, or a class with its methods, looks up; those of attributes if asked for."""
    for part in ast.walk(ast.parse(source_of(value, value.__name__))):
        for early in _before_a_call(part):
            yield from (one.id for one in ast.walk(early) if isinstance(one, ast.Name))
    for function in _functions_of(value):
        yield from _names(function.__code__, attributes=attributes)


def _before_a_call(part: ast.AST) -> list[ast.AST]:
    """What is evaluated where a function or class is made: decorators, defaults, bases, class variables."""
    if isinstance(part, ast.FunctionDef):
        given = part.args
        return [*part.decorator_list, *given.defaults, *(one for one in given.kw_defaults if one)]
    if isinstance(part, ast.ClassDef):
        variables = (one for one in part.body if not isinstance(one, ast.FunctionDef))
        return [*part.decorator_list, *part.bases, *part.keywords, *variables]
    return []


def _names(code: CodeType, *, attributes: bool) -> Iterator[str]:
    loaded = (one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    yield from (*(code.co_names if attributes else loaded), *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant, attributes=attributes)


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
    own = home == "builtins" or _own(home, package)
    return "" if own else f"from {home} import {value.__name__} as {name}"


def _own(module: str, package: str) -> bool:
    """Whether a script cannot import a module: one of the package itself, or one that is not installed."""
    return module.partition(".")[0] == package or not _installed(module)


@functools.cache
def _installed(module: str) -> bool:
    """Whether a module is built in, of the standard library, or lies among the packages of an interpreter."""
    known = sys.modules.get(module)
    places = [getattr(known, "__file__", None), *getattr(known, "__path__", ())]
    path = Path(next((place for place in places if place), sysconfig.get_path("stdlib")))
    if {"site-packages", "dist-packages"} & {*path.parts}:
        return True
    return any(path.is_relative_to(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib"))


def constant(value: Any) -> str:
    """Plain data, a dtype or a tensor as text; empty for anything else."""
    torch = load_torch()
    if isinstance(value, torch.Tensor):
        return literal(value.detach().cpu(), str(value.device))
    if isinstance(value, float) and value - value != 0:
        return f'float("{value}")'
    return repr(value) if _plain(value) or isinstance(value, torch.dtype) else ""


def _plain(value: Any) -> bool:
    """Whether the text of a value makes it again: numbers, strings and containers of these."""
    if type(value) is dict:
        return all(_plain(item) for pair in value.items() for item in pair)
    if type(value) in (list, tuple, set):
        return all(_plain(item) for item in value)
    return isinstance(value, _PLAIN) and repr(value) not in _ENDLESS
