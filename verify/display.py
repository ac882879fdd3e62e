"""Display: the tensors of a call as people read them, in hex floats, and wide ones by what is not alike."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

from verify.backends import tensor_from
from verify.calls import Call
from verify.judgement import as_float
from verify.verdict import Counterexample

SHORT = 32
"""A tensor of more entries is shown by its commonest entry and those that differ from it."""

SHOWN = 6

FAR = 2.0**53
"""From so many ulp on an error exceeds the exact value in every format, and ulps no longer tell how far."""


def shown_call(call: Call, dtype: str, *, outlined: bool = False) -> tuple[tuple[str, str], ...]:
    """The tensors of a call, its upstream gradient, and last the options with the layout, each by name.

    Numbers are hex floats, exact and short; labels count from 0, as in torch. Where it is ``outlined``, wide
    tensors have their shape alone, which costs no look at their entries.
    """
    show = _outlined if outlined else shown_tensor
    positional, keywords = call.arguments
    tensors = [(name, show(tensor_from(value, dtype))) for name, value in positional + keywords]
    options = [f"{name}={value!r}" for name, value in call.passed]
    layout = [*options, f"{call.layout} tensors"]
    if call.trained:
        layout.append(f"requires_grad of {' and '.join(call.trained)}")
    if call.expanded:
        layout.append("upstream of stride 0")
    upstream = show(tensor_from(call.upstream, dtype))
    return (*tensors, ("upstream", upstream), ("options", ", ".join(layout)))


def shown_tensor(tensor: Any) -> str:
    """A short tensor as nested lists; of a wide one the shape, the commonest entry and some others."""
    if not tensor.numel():
        return f"{tuple(tensor.shape)} tensor without entries"
    if tensor.numel() <= SHORT:
        return _nested(tensor.tolist())
    entries = tensor.reshape(-1).tolist()
    counted = Counter(map(hex_text, entries))
    ((common, times),) = counted.most_common(1)
    others = [place for place, entry in enumerate(entries) if hex_text(entry) != common]
    told = [f"{_index(place, tensor.shape)} = {hex_text(entries[place])}" for place in others[:SHOWN]]
    if len(others) > SHOWN:
        told.append(f"and {len(others) - SHOWN:,} more")
    shape = f"{tuple(tensor.shape)} tensor"
    if not others:
        return f"{shape}, all {common}"
    alike = f"{common} but" if times > 1 else "with"
    return f"{shape}, {alike} {', '.join(told)}"


def _outlined(tensor: Any) -> str:
    return shown_tensor(tensor) if tensor.numel() <= SHORT else f"{tuple(tensor.shape)} tensor"


def absolute(example: Counterexample) -> float | None:
    """The absolute error of finite numbers, where it exceeds the exact value by far; else None."""
    numbers = float(example.got), float(example.exact)
    if example.error_ulp < FAR or not all(map(math.isfinite, numbers)):
        return None
    return as_float(abs(Fraction(example.got) - Fraction(example.exact)))


def hex_text(number: float) -> str:
    """A float in hex without needless digits, such as 0x1.8p+3; whole numbers of tensors stay decimal."""
    if isinstance(number, int):
        return str(number)
    digits, mark, exponent = number.hex().partition("p")
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits}{mark}{exponent}"


def _nested(entries: Any) -> str:
    if isinstance(entries, list):
        return f"[{', '.join(_nested(entry) for entry in entries)}]"
    return hex_text(entries)


def _index(place: int, shape: Any) -> list[int]:
    """The index of an entry that is counted in row-major order."""
    index = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return index[::-1]
