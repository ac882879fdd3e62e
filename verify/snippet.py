"""Snippets: a refuting call as a script that needs torch and the candidate alone."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from verify.adapters import changes_input
from verify.backends import load_torch, tensor_from
from verify.calls import Call
from verify.candidate import Function, name_of
from verify.literals import PACKED, literal
from verify.reproducer import ReproducerError, run_script
from verify.signatures import autograd_class, signature_of
from verify.sources import constant, source_with_needs, unwritten
from verify.tensors import layout_at, layout_text
from verify.wide import Wide


def write_call(
    function: Function, call: Call, dtype: str, device: str, *, of: str, position: int, exact: str
) -> str:
    """A script that makes the call in plain torch and prints one element of its result, or of its
    gradient in the tensor ``of``.

    A function of torch is called by its name, any other from its source. Raises ``ReproducerError``
    where the source cannot be read.
    """
    end = [f'print("got  ", result.reshape(-1)[{position}].item())', f'print("exact", "{exact}")']
    return _written(function, call, dtype, device, of, end)


def failing_script(
    function: Function, call: Call, dtype: str, device: str, *, of: str, reason: str
) -> tuple[str | None, str]:
    """A script that makes a call that raises, or whose result or gradient has a wrong form.

    It was run and did so again; None where it did not, or where running it is no use or no help: for
    what hangs, ends the interpreter or wants more memory than there is. Then what the script lacks, if that
    is why there is none.
    """
    raised = re.match(r"it(?:s backward pass)? raised (\w+)", reason)
    misshapen = re.match(r"the (?:result|gradient) (?:is (?:a |on |torch\.)|has shape)", reason)
    if "memory" in reason.lower() or not (raised or misshapen):
        return None, ""
    given = {name: value for part in call.arguments for name, value in part}
    shape = tuple(tensor_from(given[of], dtype).shape) if of else call.shape
    end = [
        'print("got  ", tuple(result.shape), result.dtype, result.device.type)',
        f'print("due  ", {shape}, torch.{dtype}, "{device}")',
    ]
    try:
        script = _written(function, call, dtype, device, of, end)
        printed = run_script(script)
    except ReproducerError:
        return None, ""
    told, missing = printed.splitlines() or [""], unwritten(printed, function)
    if raised:
        same = told[-1].startswith(f"{raised[1]}:")
    else:
        same = not missing and (len(told) < 2 or told[-2].removeprefix("got") != told[-1].removeprefix("due"))
    return (script, "") if same else (None, missing)


def _written(function: Function, call: Call, dtype: str, device: str, of: str, end: Sequence[str]) -> str:
    """A script that makes the call, or differentiates it by ``of``, and then does what ``end`` says."""
    source, called = _callee(function)
    positional, keywords = call.arguments
    lines = [
        f"{name} = {_tensor(value, layout_at(call.layout, at), dtype, device)}"
        for at, (name, value) in enumerate(positional + keywords)
    ]
    trained = list(dict.fromkeys([*([of] if of else []), *call.trained]))
    lines += [f"{name}.requires_grad_()" for name in trained]
    copied = {*trained} if changes_input(function) else set()
    shown = [f"{name}.clone()" if name in copied else name for name, _ in positional]
    named = {name: name for name, _ in keywords} | {name: repr(value) for name, value in call.passed}
    lines.append(f"result = {called}({', '.join(_arguments(function, shown, named))})")
    if of:
        lines.append(f"upstream = {_upstream(call, dtype, device)}")
        differentiated = f"({', '.join(trained)})" if trained[1:] else of
        unused = ", allow_unused=True" if trained[1:] else ""
        lines.append(f"result, *_ = torch.autograd.grad(result, {differentiated}, upstream{unused})")
    title = f'"""{name_of(function)} as {call.contract.name} in {dtype} on {device}"""'
    imports = ["import torch", *(["import functools"] if called.startswith("functools.") else [])]
    imports += ["import base64", "import zlib"] if PACKED in "".join(lines) else []
    return "\n".join([title, "", *imports, "", *([source, "", ""] if source else []), *lines, *end, ""])


def _callee(function: Function) -> tuple[str, str]:
    """The source to put into the script, if any, and the expression that is called."""
    function = inspect.unwrap(function)
    if function_name := _torch_name(function):
        return "", function_name
    if isinstance(function, functools.partial):
        return _callee_of_partial(function)
    if owner := autograd_class(function):
        return source_with_needs(owner), f"{owner.__name__}.apply"
    if not isinstance(function, FunctionType):
        raise ReproducerError(f"{name_of(function)} is not a function made by def")
    return source_with_needs(function), function.__name__


def _callee_of_partial(function: functools.partial[Any]) -> tuple[str, str]:
    """As `_callee`; its own arguments have to be plain data."""
    source, called = _callee(function.func)
    given = [("", value) for value in function.args] + [(f"{k}=", v) for k, v in function.keywords.items()]
    texts = [(prefix, constant(value)) for prefix, value in given]
    if not all(text for _, text in texts):
        raise ReproducerError(f"what is given to {name_of(function)} cannot be written into a script")
    inner = ", ".join([called, *(prefix + text for prefix, text in texts)])
    return source, f"functools.partial({inner})"


def _arguments(function: Function, positional: list[str], named: dict[str, str]) -> list[str]:
    """The arguments of a call as text; those of an ``apply``, which takes no keywords, all by position."""
    signature = signature_of(function) if autograd_class(function) else None
    if signature is None:
        return positional + [f"{name}={text}" for name, text in named.items()]
    parameters = signature.parameters.values()
    told = signature.replace(
        parameters=[p if p.default is p.empty else p.replace(default=repr(p.default)) for p in parameters]
    )
    bound = told.bind(*positional, **named)
    bound.apply_defaults()
    return [*bound.args]


def _torch_name(function: Function) -> str:
    """The name under which torch itself offers a function; empty for any other function."""
    load_torch()
    name = getattr(function, "__name__", "")
    for module in ("torch.nn.functional", "torch", "torch.special"):
        if name and getattr(sys.modules.get(module), name, None) is function:
            return f"{module}.{name}"
    return ""


def _tensor(value: Any, layout: str, dtype: str, device: str) -> str:
    tensor = tensor_from(value, dtype, device)
    return layout_text(literal(tensor, device), tensor, layout)


def _upstream(call: Call, dtype: str, device: str) -> str:
    layout = layout_at(call.layout, -1)
    if not call.expanded or not call.shape:
        return _tensor(call.upstream, layout, dtype, device)
    first = call.upstream
    while isinstance(first, tuple | Wide):
        first = first[0]
    return f"{_tensor(first, layout, dtype, device)}.expand({call.shape})"
