"""Fingerprints: what the lines of a journal depend on, so that those of another sweep are recognised."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from fractions import Fraction
from types import CodeType
from typing import Any

from verify.backends import load_torch
from verify.form import Form
from verify.oracle import Undecided
from verify.signatures import attribute, name_of
from verify.sweeps.subject import Subject

PROBES = 24
"""Inputs at which the exact value and the bound are taken into the fingerprint of an operation."""


def operation_print(form: Form, aspect: str, dtype: str, device: str) -> str:
    """The fingerprint of statement, domain and bound: their values at a few inputs spread over the domain."""
    subject = Subject(lambda: None, form, aspect, dtype, device)
    inputs = subject.order.between(subject.curve.low, subject.curve.high)
    told = [form.id, aspect, dtype, repr(subject.curve)]
    for k in range(PROBES):
        n = inputs.start + (inputs.stop - 1 - inputs.start) * k // (PROBES - 1)
        other = inputs.start + (inputs.stop - 1 - inputs.start) * (7 * k % PROBES) // (PROBES - 1)
        arguments = [subject.order.value(m) for m in (n, other)[: form.arity]]
        if any(isinstance(a, float) for a in arguments) and any(a - a != 0 for a in arguments):
            continue
        truth = subject.enclosure(*arguments)
        told.append("none" if isinstance(truth, Undecided) else _digits(truth.lower))
        told.append(_digits(subject.bound(*arguments)))
    return hashlib.sha256("|".join(told).encode()).hexdigest()[:16]


def _digits(number: Fraction | float | None) -> str:
    """Ten digits, which is coarser than any two evaluations differ by."""
    return "none" if number is None else f"{float(number):.10e}"


def candidate_print(candidate: Callable[..., Any]) -> str:
    """The fingerprint of a function: its name, and its source or its code, but not what it calls."""
    told = [name_of(candidate)]
    inner = attribute(candidate, "__wrapped__") or attribute(candidate, "func") or candidate
    try:
        told.append(inspect.getsource(inner))
    except (OSError, TypeError):
        code = attribute(inner, "__code__")
        told += _code(code) if isinstance(code, CodeType) else []
    told.append(repr(attribute(inner, "__defaults__")))
    return hashlib.sha256("|".join(told).encode()).hexdigest()[:16]


def _code(code: CodeType) -> list[str]:
    told = [code.co_code.hex(), repr(code.co_names)]
    for constant in code.co_consts:
        told += _code(constant) if isinstance(constant, CodeType) else [repr(constant)]
    return told


def machine(device: str) -> dict[str, str]:
    """What decides torch's rounding: its version, and the kind of processor."""
    torch = load_torch()
    kind = f"cpu {torch.backends.cpu.get_cpu_capability()}"
    if device == "cuda":
        kind = f"cuda {torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"
    return {"torch": str(torch.__version__), "device": kind}
