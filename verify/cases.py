"""Cases: one property of one call, as a line of text that brings it back bit by bit."""

from __future__ import annotations

import base64
import binascii
import json
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from verify.backends import bytes_of, exact_values, tensor_from, tensor_from_bytes
from verify.calls import LAYOUTS, Call
from verify.contexts.heights import Height, declared
from verify.contract import Contract
from verify.elements import Property, properties
from verify.errors import UsageError, VerifyError
from verify.floats import format_named
from verify.wide import Wide
from verify.words import kind_of

MARK = "lossproof1"
"""The first field of a witness: the program and the version of the format."""

_FIELDS = 9
_PLAIN = (type(None), bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Case:
    """One property of one call in one dtype on one device.

    ``grad`` says whether side effects are looked for in the backward pass too. ``candidate`` is where the
    function that it refutes was found, as "package.module:function"; empty where it has no such name.
    """

    call: Call
    aspect: Property
    dtype: str
    device: str
    grad: bool = True
    candidate: str = ""
    level: str = "stable"
    height: Height = None


def place_of(function: Callable[..., Any]) -> str:
    """Where a function can be imported from, as "package.module:function"; empty for one without a name."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not module or not name or not all(part.isidentifier() for part in name.split(".")):
        return _variable_of(function)
    # Functions of torch written in C are named for a class under which no one finds them.
    short = getattr(function, "__name__", name)
    return f"{module}:{short if getattr(sys.modules.get(module), short, None) is function else name}"


def _variable_of(function: Callable[..., Any]) -> str:
    """The place of the variable that holds a partial function, a module or a lambda, in its own module."""
    for part in (function, getattr(function, "func", None)):
        home = sys.modules.get(getattr(part, "__module__", None) or "")
        for name, value in (vars(home) if home else {}).items():
            if value is function:
                return f"{part.__module__}:{name}"
    return ""


def write_witness(case: Case) -> str:
    """The case as one line: readable fields, the tensors bit by bit, packed, and a checksum.

    It has no blanks and no quotes, so that it passes through a shell. Raises ``VerifyError`` where an
    option is not plain data.
    """
    call = case.call
    for name, value in call.options.items():
        if not isinstance(value, _PLAIN):
            raise VerifyError(f"option {name} is {kind_of(value)}, which a witness cannot hold")
    values = call.upstream, *call.values
    tensors = [tensor_from(value, case.dtype) for value in values]
    wide = [isinstance(value, Wide) for value in values]
    head = {
        "options": dict(call.options),
        "lengths": dict(call.lengths),
        "layout": call.layout,
        "expanded": call.expanded,
        "grad": case.grad,
        "level": case.level,
        "tensors": [
            [str(tensor.dtype).removeprefix("torch."), list(tensor.shape), one]
            for tensor, one in zip(tensors, wide, strict=True)
        ],
    }
    if call.tracked:
        head["tracked"] = True
    if case.height is not None:
        head["height"] = case.height
    data = json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(map(bytes_of, tensors))
    module, _, name = case.candidate.partition(":")
    fields = [call.contract.name, case.aspect, case.dtype, case.device, module, name]
    packed = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()
    text = ":".join([MARK, *(quote(field, safe="") for field in fields), packed])
    return f"{text}:{zlib.crc32(text.encode()):08x}"


def read_witness(text: str, contract_of: Callable[[str], Contract]) -> Case:
    """The case that a witness holds; ``contract_of`` gives the contract of a name.

    An option that it does not know stays at its default. Raises ``UsageError`` for a text that is not a
    witness, is not whole, or belongs to a contract that has changed since.
    """
    fields = _fields(text)
    name, aspect, dtype, device, module, function = map(unquote, fields[1:7])
    format_named(dtype)
    contract = contract_of(name)
    if aspect not in properties(contract, grad=True):
        raise UsageError(f"the witness is about the {aspect}, which {name} does not have")
    head, upstream, values = _unpacked(fields[7], dtype)
    options = {option.name: option.default for option in contract.options if option.default in option.values}
    options |= head["options"]
    if set(options) != {option.name for option in contract.options}:
        raise UsageError(f"the witness is for other options of {name} than there are now; make a new one")
    if len(values) != len(contract.variables(options)) or head["layout"] not in LAYOUTS:
        raise UsageError(f"the witness is for another contract of {name} than that of now; make a new one")
    how = head["layout"], head["expanded"], head.get("tracked", False)
    call = Call(contract, options, head["lengths"], values, upstream, *how)
    return Case(
        call,
        aspect,
        dtype,
        device,
        head["grad"],
        f"{module}:{function}" if function else "",
        head.get("level", "stable"),
        declared(head.get("height")),
    )


def _fields(text: str) -> list[str]:
    """The fields of a witness that is whole."""
    if not isinstance(text, str):
        raise UsageError(f"the witness is {kind_of(text)}; give the line that a failure prints")
    told = text.strip()
    shown = repr(told if len(told) <= 40 else f"{told[:40]}...")
    fields = told.split(":")
    if fields[0] != MARK:
        hint = "of another version" if fields[0].startswith(MARK.rstrip("0123456789")) else "none"
        raise UsageError(f"{shown} is no witness ({hint}); give the whole line that begins with {MARK}:")
    body, _, checksum = told.rpartition(":")
    if len(fields) != _FIELDS or checksum != f"{zlib.crc32(body.encode()):08x}":
        raise UsageError(f"the witness {shown} is cut off or changed; give it as it was printed")
    return fields


def _unpacked(packed: str, dtype: str) -> tuple[dict[str, Any], Any, tuple[Any, ...]]:
    """The plain data, the upstream gradient and the values."""
    try:
        told, _, data = zlib.decompress(base64.urlsafe_b64decode(packed)).partition(b"\n")
        head = json.loads(told)
        values = []
        for kind, shape, wide in head["tensors"]:
            tensor, data = tensor_from_bytes(data, kind, shape)
            values.append(_wide(tensor) if wide else _nested(tensor))
        upstream, *rest = values
        needed = {"options", "lengths", "layout", "expanded", "grad"}
        if data or not needed <= set(head):
            raise ValueError("more bytes than tensors, or a field that is missing")
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the witness cannot be unpacked: {error}") from error
    return head, upstream, tuple(rest)


def _wide(tensor: Any) -> Wide:
    """A tensor as a wide value; labels count from 1."""
    return Wide(tensor.double() if tensor.is_floating_point() else tensor + 1)


def _nested(tensor: Any) -> Any:
    """The exact values of a tensor as a call has them: nested tuples; labels count from 1."""
    entries: list[Any]
    if not tensor.numel():
        return ()
    if tensor.is_floating_point():
        entries = exact_values(tensor)
    else:
        entries = [label + 1 for label in tensor.reshape(-1).tolist()]
    for size in reversed(tensor.shape):
        entries = [tuple(entries[k : k + size]) for k in range(0, len(entries), size)]
    return entries[0]
