"""Numbers that JSON lacks: inf and nan, kept as ``{"$number": "inf"}``."""

from __future__ import annotations

import math
from typing import Any

_NUMBER = "$number"


def pack(value: Any) -> Any:
    """``value``, nested dicts and lists of plain data, with inf and nan replaced by what JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(value)}
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    return value


def unpack(value: Any) -> Any:
    """The inverse of ``pack``, up to tuples, which come back as lists."""
    if isinstance(value, dict):
        if set(value) == {_NUMBER} and value[_NUMBER] in ("inf", "-inf", "nan"):
            return float(value[_NUMBER])
        return {key: unpack(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unpack(item) for item in value]
    return value
