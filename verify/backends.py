"""The door to torch: dtypes, devices, exact transfer of numbers, and the facts of the machine."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from verify.errors import UnavailableError, UsageError, unknown
from verify.wide import Wide

DTYPES = ("float16", "bfloat16", "float32", "float64")
DEVICES = ("cpu", "cuda")

Exact = Fraction | float
"""A number read back from a tensor: an exact fraction, or the float ``nan``, ``inf`` or ``-inf``."""

Nested = Fraction | int | tuple["Nested", ...]
"""An input value: a number, a label (a Python int, counted from 1) or nested tuples of one of these."""


@functools.cache
def load_torch() -> Any:
    """The torch module, imported on the first call.

    Raises ``UnavailableError`` when torch is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise UnavailableError("torch is not installed; pip install 'lossproof[torch]'") from error


def torch_dtype(name: str) -> Any:
    """The torch dtype of a format name: float16, bfloat16, float32 or float64."""
    if name not in DTYPES:
        raise _unknown_dtype(name)
    return getattr(load_torch(), name)


def _unknown_dtype(name: object) -> UsageError:
    """The error for what is no dtype, another name of one, or a dtype of torch that cannot be checked."""
    torch = load_torch()
    known = getattr(torch, name, None) if isinstance(name, str) else None
    if not isinstance(known, torch.dtype):
        return unknown("dtype", name, DTYPES)
    proper = str(known).removeprefix("torch.")
    if proper in DTYPES:
        return UsageError(f"unknown dtype {name!r}; did you mean {proper}?")
    return UsageError(f"dtype {name!r} of torch cannot be checked; give one of {', '.join(DTYPES)}")


def devices_present() -> tuple[str, ...]:
    """The kinds of device on which torch can run here: always cpu, and cuda where there is one."""
    return ("cpu", "cuda") if load_torch().cuda.is_available() else ("cpu",)


def require_device(name: str) -> str:
    """``name`` if torch can run there; else ``UnavailableError``, or ``UsageError`` for an unknown kind."""
    if name not in DEVICES:
        raise UsageError(f"unknown device {name!r}; known: {', '.join(DEVICES)}")
    if name not in devices_present():
        raise UnavailableError(f"device {name!r} is not present; present: {', '.join(devices_present())}")
    return name


def tensor_from(value: Nested, dtype: str, device: str = "cpu") -> Any:
    """A tensor that holds exactly ``value``.

    Fractions and infinities become a tensor of ``dtype``; labels (ints, from 1) become an int64 tensor
    counted from 0. Nested tuples give the axes. Raises ``UsageError`` for a number that the dtype cannot
    hold.
    """
    torch = load_torch()
    if isinstance(value, Wide) and not value.tensor.is_floating_point():
        return (value.tensor - 1).to(device)
    if isinstance(value, Wide):
        narrow = value.tensor.to(torch_dtype(dtype))
        if not torch.equal(narrow.to(torch.float64).nan_to_num(0.5), value.tensor.nan_to_num(0.5)):
            raise UsageError(f"a wide table is not exactly representable in {dtype}; round it first")
        return narrow.to(device)
    if _are_labels(value):
        return (torch.tensor(value, dtype=torch.int64) - 1).to(device)
    wide = torch.tensor(_mapped(value, _exact_float), dtype=torch.float64)
    narrow = wide.to(torch_dtype(dtype))
    if not torch.equal(narrow.to(torch.float64), wide):
        raise UsageError(f"{value} is not exactly representable in {dtype}; round it to {dtype} first")
    return narrow.to(device)


def bulk_tensor(value: Any, device: str = "cpu") -> tuple[Any, bool]:
    """An exact value as a float64 tensor, or labels (from 1) as an int64 tensor from 0; and which it is."""
    torch = load_torch()
    if isinstance(value, Wide):
        whole = not value.tensor.is_floating_point()
        return value.tensor.to(device) - int(whole), whole
    if _are_labels(value):
        return torch.tensor(value, dtype=torch.int64, device=device) - 1, True
    return torch.tensor(_mapped(value, float), dtype=torch.float64, device=device), False


def exact_values(tensor: Any) -> list[Exact]:
    """The entries of a floating-point tensor, flattened, as exact numbers."""
    flat = tensor.detach().reshape(-1).to("cpu").to(load_torch().float64).tolist()
    return [_exact_number(entry) for entry in flat]


def exact_value(tensor: Any) -> Exact:
    """The number that a tensor with one entry holds; ``UsageError`` for any other size."""
    if tensor.numel() != 1:
        raise UsageError(f"a tensor of shape {tuple(tensor.shape)} is not one number; reduce it first")
    return exact_values(tensor)[0]


def bytes_of(tensor: Any) -> bytes:
    """The bytes of the entries of a tensor, in row-major order and the byte order of the machine."""
    return bytes(tensor.detach().cpu().reshape(-1).contiguous().view(load_torch().uint8).tolist())


def tensor_from_bytes(data: bytes, dtype: str, shape: Sequence[int]) -> tuple[Any, bytes]:
    """The tensor of a floating-point or int64 dtype whose entries ``data`` begins with, and what is left.

    Raises ``ValueError`` where the data is too short.
    """
    torch = load_torch()
    kind = torch.int64 if dtype == "int64" else torch_dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes are left where a tensor of {size} is due")
    entries = torch.tensor(list(data[:size]), dtype=torch.uint8).view(kind)
    return entries.reshape(tuple(shape)), data[size:]


def provenance() -> tuple[tuple[str, str], ...]:
    """What decides torch's rounding here: version, threads, determinism, TF32, processor and GPU."""
    torch = load_torch()
    facts = [
        ("torch", torch.__version__),
        ("torch threads", str(torch.get_num_threads())),
        ("torch deterministic algorithms", str(torch.are_deterministic_algorithms_enabled())),
        ("torch float32 matmul precision", torch.get_float32_matmul_precision()),
        ("CPU capability", torch.backends.cpu.get_cpu_capability()),
        ("cuda", "not present"),
    ]
    if torch.cuda.is_available():
        facts[-1] = ("cuda", f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}")
        facts.append(("cuda TF32", str(torch.backends.cuda.matmul.allow_tf32)))
    return tuple(facts)


def _are_labels(value: Nested) -> bool:
    """Whether nested tuples hold labels, as one of them shows; numbers are Fractions or infinities."""
    while isinstance(value, tuple) and value:
        value = value[0]
    return isinstance(value, int)


def _mapped(value: Nested, change: Any) -> Any:
    if isinstance(value, tuple):
        return [_mapped(entry, change) for entry in value]
    return change(value)


def _exact_float(value: Exact | int) -> float:
    """The float equal to ``value``; only an exact conversion is one that rounds nowhere."""
    if isinstance(value, float) and math.isinf(value):
        return value
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")) or Fraction(number) != value:
        raise UsageError(f"{value} is not exactly representable in float64; round it to the dtype first")
    return number


def _exact_number(entry: float) -> Exact:
    return Fraction(entry) if entry - entry == 0 else entry
