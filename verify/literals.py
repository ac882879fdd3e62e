"""Literals: a tensor as an expression of plain torch, short also for a wide one."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from typing import Any

from verify.backends import bytes_of

WRITTEN = 256
"""Up to so many numbers are written out."""

PACKED = "torch.frombuffer(bytearray(zlib.decompress(base64.b64decode("
"""How the literal of a wide tensor of many different numbers begins; it needs base64 and zlib."""


def literal(tensor: Any, device: str = "cpu") -> str:
    """Source of an expression that makes the tensor, bit by bit but for the sign of a nan.

    A wide tensor of one number at most places is that number and the others; any other wide tensor
    is its bytes, packed.
    """
    dtype, shape = tensor.dtype, tuple(tensor.shape)
    place = "" if device == "cpu" else f', device="{device}"'
    if not tensor.numel():
        return f"torch.empty({shape}, dtype={dtype}{place})"
    if tensor.numel() <= WRITTEN:
        return f"torch.tensor({_written(tensor.tolist())}, dtype={dtype}{place})"
    entries = tensor.reshape(-1).tolist()
    common = Counter(map(repr, entries)).most_common(1)[0][0]
    others = [at for at, entry in enumerate(entries) if repr(entry) != common]
    if len(others) <= WRITTEN:
        number = _written(next(entry for entry in entries if repr(entry) == common))
        text = f"torch.full({shape}, {number}, dtype={dtype}{place})"
        if not others:
            return text
        changed = f"torch.tensor({_written([entries[at] for at in others])}, dtype={dtype}{place})"
        return f"{text}.put_(torch.tensor({others}{place}), {changed})"
    packed = base64.b64encode(zlib.compress(bytes_of(tensor), 9)).decode()
    text = f'{PACKED}"{packed}"))), dtype={dtype}).reshape({shape})'
    return text if device == "cpu" else f'{text}.to("{device}")'


def _written(entries: Any) -> str:
    """Nested lists of numbers as Python reads them."""
    if isinstance(entries, list):
        return f"[{', '.join(map(_written, entries))}]"
    text = repr(entries)
    return text if text.lstrip("-")[0].isdigit() else f'float("{text}")'
