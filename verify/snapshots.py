"""Snapshots: what is kept of a tensor that went by, and how far two of them are apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from verify.backends import DTYPES, load_torch
from verify.floats import format_named

ENTRIES = 1 << 16
"""Entries that are kept of a tensor; of a larger one every so many-th, and the sum of all bits."""

_WHOLE = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Shape and dtype of a tensor, the sum of its bits as whole numbers, and some of its entries."""

    shape: tuple[int, ...]
    dtype: str
    bits: int
    entries: Any

    @property
    def form(self) -> tuple[tuple[int, ...], str]:
        """What any implementation gives alike."""
        return self.shape, self.dtype


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a tensor is from what is right: ``same`` bit by bit; else the largest error that was seen.

    ``ulp`` is in units in the last place of the right entry, ``relative`` a share of that entry, ``share`` a
    share of the largest right entry; inf for what is no number, or where the right entries are 0.
    """

    same: bool = True
    ulp: float = 0.0
    relative: float = 0.0
    share: float = 0.0

    def __or__(self, other: Difference) -> Difference:
        """The larger of both."""
        return Difference(
            self.same and other.same,
            max(self.ulp, other.ulp),
            max(self.relative, other.relative),
            max(self.share, other.share),
        )


NOTHING = Difference()
"""No difference at all."""


def snapshot(tensor: Any) -> Snapshot:
    """What is kept of a tensor."""
    flat = tensor.detach().resolve_neg().reshape(-1)
    step = 1 if flat.numel() <= ENTRIES else flat.numel() // ENTRIES | 1
    bits = _bits(flat) if flat.numel() > ENTRIES else 0
    name = str(tensor.dtype).removeprefix("torch.")
    return Snapshot(tuple(tensor.shape), name, bits, flat[::step].clone())


def _bits(flat: Any) -> int:
    """The sum of the bits of a tensor in pieces of 64, of the entries that are left over by themselves."""
    torch = load_torch()
    pieces = 8 // flat.element_size()
    whole = getattr(torch, _WHOLE[flat.element_size()])
    if flat.storage_offset() % pieces:
        return int(flat.view(whole).sum(dtype=torch.int64))
    cut = flat.numel() - flat.numel() % pieces
    return int(flat[:cut].view(torch.int64).sum()) + int(flat[cut:].view(whole).sum(dtype=torch.int64))


def equal(a: Snapshot, b: Snapshot) -> bool:
    """Whether two snapshots are of tensors equal bit by bit."""
    torch = load_torch()
    if a.form != b.form or a.bits != b.bits:
        return False
    whole = getattr(torch, _WHOLE[a.entries.element_size()])
    return bool(torch.equal(a.entries.view(whole), b.entries.view(whole)))


def difference(got: Snapshot, right: Snapshot) -> Difference:
    """How far one is from the other, which has the same form; entries that are both nan count as equal."""
    if equal(got, right):
        return Difference()
    if right.dtype not in DTYPES or got.form != right.form:
        return Difference(False, math.inf, math.inf, math.inf)
    torch, format = load_torch(), format_named(right.dtype)
    a, b = got.entries.double(), right.entries.double()
    alike = (a == b) | (a.isnan() & b.isnan())
    error = (a - b).abs().masked_fill(alike, 0.0).nan_to_num(nan=math.inf)
    exponent = torch.frexp(b).exponent.clamp(min=format.emin + 1)
    unit = torch.exp2((exponent - format.precision).double())
    size = b.abs()
    finite = size.masked_fill(~size.isfinite(), 0.0)
    largest = float(finite.max()) if finite.numel() else 0.0
    relative = torch.where(error > 0, error / size, 0.0)
    worst = float(error.max()) if error.numel() else 0.0
    share = (worst / largest if largest else math.inf) if worst else 0.0
    return Difference(False, _largest(error / unit), _largest(relative), share)


def _largest(numbers: Any) -> float:
    return float(numbers.max()) if numbers.numel() else 0.0
