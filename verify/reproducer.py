"""Reproducers: a finding as a script that needs torch alone, and a fresh interpreter that runs it."""

from __future__ import annotations

import ast
import atexit
import functools
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from verify.backends import Nested, load_torch
from verify.contexts.torch import Family, Index, TorchContext
from verify.errors import VerifyError
from verify.operation import Peer

_SERVER = """
import contextlib, io, json, sys
for line in sys.stdin:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(json.loads(line), "reproducer", "exec"), {"__name__": "__main__"})
    except BaseException as error:
        out.write(f"{type(error).__name__}: {error}")
    print(json.dumps(out.getvalue()), flush=True)
"""

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "__pow__": "**", "__eq__": "=="}
_REFLECTED = {"__rsub__": "sub", "__rdiv__": "div"}


class ReproducerError(VerifyError):
    """An implementation cannot be told as a script, or the script cannot be run."""


@dataclass(frozen=True, slots=True)
class _Text:
    """Source text with a place, a ``{}``, for each of the recorded values it uses."""

    template: str
    uses: tuple[int, ...] = ()


@dataclass(slots=True)
class _Tape:
    """What torch was asked to compute, in order, with the results kept alive."""

    texts: list[_Text] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    inputs: dict[int, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    muted: bool = False

    def add(self, text: _Text, result: Any) -> None:
        """Record the value that ``text`` makes, unless it is one already recorded."""
        if id(result) not in self.places:
            self.places[id(result)] = len(self.texts)
            self.texts.append(text)
            self.results.append(result)

    def told(self, argument: Any) -> _Text:
        """The text of an argument: a place for a recorded value, else a literal."""
        torch = load_torch()
        if id(argument) in self.places:
            return _Text("{}", (self.places[id(argument)],))
        if isinstance(argument, tuple | list):
            items = [self.told(item) for item in argument]
            inner = ", ".join(item.template for item in items)
            frame = "[{}]" if isinstance(argument, list) else "({},)" if len(items) == 1 else "({})"
            return _Text(frame.replace("{}", inner), tuple(use for item in items for use in item.uses))
        if isinstance(argument, torch.Tensor):
            raise ReproducerError("a tensor of unknown origin entered the computation")
        if isinstance(argument, torch.device):
            return _Text(repr(str(argument)))
        return _Text(str(argument) if isinstance(argument, torch.dtype) else repr(argument))

    def call(self, name: str, arguments: Sequence[Any], options: Mapping[str, Any], result: Any) -> None:
        """Record a call: an operator as such, a method of a tensor as one, anything else by its name."""
        kind, _, short = name.rpartition(".")
        own = kind == "torch.Tensor"
        if own and short == "__getitem__" and isinstance(arguments[1], tuple):
            arguments = [arguments[0], *arguments[1]]
        told = [self.told(argument) for argument in arguments]
        shown = [text.template for text in told]
        if own and short in _REFLECTED:
            told, shown, short = told[::-1], shown[::-1], _REFLECTED[short]
        for key, option in options.items():
            told.append(self.told(option))
            shown.append(f"{key}={told[-1].template}")
        if own and short == "__getitem__":
            template = f"{shown[0]}[{', '.join(shown[1:])}]"
        elif own and short in _OPERATORS:
            template = f"({f' {_OPERATORS[short]} '.join(shown)})"
        elif own and short == "neg":
            template = f"(-{shown[0]})"
        else:
            template = f"{shown[0]}.{short}({', '.join(shown[1:])})" if own else f"{name}({', '.join(shown)})"
        self.add(_Text(template, tuple(use for text in told for use in text.uses)), result)

    def statements(self, result: Any) -> tuple[list[str], str]:
        """The lines that lead to a result, and the expression for it; what is used once is inlined."""
        goal = self.places[id(result)]
        count = [0] * len(self.texts)
        count[goal] = 1
        for place in range(goal, -1, -1):
            if count[place]:
                for use in self.texts[place].uses:
                    count[use] += 1
        lines: list[str] = []
        shown: dict[int, str] = dict(self.inputs)
        for place in range(goal + 1):
            if not count[place] or place in shown:
                continue
            text = self.texts[place]
            expression = text.template.format(*(shown[use] for use in text.uses))
            if count[place] > 1:
                name = f"v{len(lines) + 1}"
                lines.append(f"{name} = {expression}")
                expression = name
            shown[place] = expression
        return lines, shown[goal]


def write_script(
    title: str,
    sides: Sequence[tuple[Callable[..., Any], Mapping[str, Peer]]],
    inputs: Sequence[tuple[str, Nested]],
    dtype: str,
    device: str,
    exact: str,
) -> str:
    """A script that imports only torch, computes each of ``sides`` at ``inputs`` and prints the results.

    A side is a formula with the peers chosen for its operations. Labels become positions from 0.
    ``exact`` is printed for comparison. Raises ``ReproducerError`` for a peer whose source cannot
    be read.
    """
    tape = _Tape()
    lines: list[str] = []
    shown: list[str] = []
    for formula, choice in sides:
        context = TorchContext(dtype, device, {k: _taped(peer, tape) for k, peer in choice.items()})
        if not lines:
            lifted = [context.lift(value) for _, value in inputs]
            for (name, _), value in zip(inputs, lifted, strict=True):
                tensor = value.tensor if isinstance(value, Family | Index) else value
                tape.add(_Text(name), tensor)
                tape.inputs[tape.places[id(tensor)]] = name
                lines.append(f"{name} = {_literal(tensor, device)}")
        with _recorder(tape):
            result = formula(context, *lifted)
        before, expression = tape.statements(result)
        lines += before
        shown.append(expression)
    definitions = [f"{source}\n\n" for source in tape.functions.values()]
    lines += [f'print("got  ", {expression}.item())' for expression in shown]
    head = [f'"""{title}"""', "", "import torch", "", *(["", *definitions] if definitions else [])]
    return "\n".join([*head, *lines, f'print("exact", "{exact}")', ""])


def got_of(printed: str) -> tuple[float, ...]:
    """The results that a script printed; empty when it did not come so far."""
    lines = [line.split(maxsplit=1) for line in printed.splitlines()]
    return tuple(float(line[1]) for line in lines if len(line) == 2 and line[0] == "got")


def run_script(script: str) -> str:
    """What a script prints, run in a fresh interpreter that is started once and kept for later scripts.

    An exception in the script is printed as its last line. Raises ``ReproducerError`` when the
    interpreter itself ended; the next script gets a new one.
    """
    server = _server(os.getpid())
    if server.stdin is None or server.stdout is None:
        raise ReproducerError("the interpreter for scripts has no pipes")
    try:
        server.stdin.write(json.dumps(script) + "\n")
        server.stdin.flush()
        printed = server.stdout.readline()
    except BrokenPipeError:
        printed = ""
    if not printed:
        _server.cache_clear()
        raise ReproducerError(f"the interpreter for scripts ended with code {server.wait()}")
    return str(json.loads(printed))


@functools.cache
def _server(owner: int) -> subprocess.Popen[str]:
    """An interpreter, isolated from this package, that runs scripts given as JSON lines.

    Each process has its own: a fork (``owner`` differs) does not share its parent's pipes.
    """
    server = subprocess.Popen(
        [sys.executable, "-I", "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_stop, server)
    return server


def _stop(server: subprocess.Popen[str]) -> None:
    server.communicate()


def _taped(peer: Peer, tape: _Tape) -> Peer:
    """The peer, recorded as one call; what it calls inside is not recorded."""

    def call(torch: Any, *arguments: Any) -> Any:
        tape.muted = True
        try:
            result = peer.call(torch, *arguments)
        finally:
            tape.muted = False
        function = peer.call.__name__
        tape.functions[function] = source_of(peer.call, peer.name)
        tape.call(f"{function}", [_Torch(), *arguments], {}, result)
        return result

    return replace(peer, call=call)


class _Torch:
    """Stands for the torch module in the arguments of a recorded call."""

    def __repr__(self) -> str:
        return "torch"


def source_of(function: Callable[..., Any], name: str) -> str:
    """The definition of a function or class without docstring and annotations; ``name`` is for messages."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError) as error:
        raise ReproducerError(f"the source of {name} cannot be read: {error}") from error
    if not isinstance(tree, ast.FunctionDef | ast.ClassDef):
        raise ReproducerError(f"{name} is not a function made by def")
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef):
            part.returns = None
        elif isinstance(part, ast.arg):
            part.annotation = None
    tree.decorator_list = [one for one in tree.decorator_list if not ast.unparse(one).endswith("in_place")]
    if ast.get_docstring(tree) and len(tree.body) > 1:
        tree.body = tree.body[1:]
    return ast.unparse(tree)


def _recorder(tape: _Tape) -> Any:
    """A torch function mode that records on the tape every call that makes a tensor."""
    torch = load_torch()

    class Recorder(torch.overrides.TorchFunctionMode):  # type: ignore[misc, name-defined]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if not tape.muted and isinstance(result, torch.Tensor):
                named = {key: value for key, value in (kwargs or {}).items() if str(value) != "cpu"}
                tape.call(torch.overrides.resolve_name(func), args, named, result)
            return result

    return Recorder()


def _literal(tensor: Any, device: str) -> str:
    place = "" if device == "cpu" else f', device="{device}"'
    return f"torch.tensor({tensor.tolist()}, dtype={tensor.dtype}{place})"
