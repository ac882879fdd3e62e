"""The largest entry of each row and the sum of its shifted exponentials, got wrong in many ways.

Each function takes rows along the last axis and gives (top, total), both with that axis of length 1;
right is total = sum exp(x - top). Softmax, log_softmax, logsumexp and cross-entropy are built on it.
"""

from __future__ import annotations

import math
from typing import Any

import torch


def top_of(x: Any) -> Any:
    """The largest entry of each row, of which no gradient is taken."""
    return x.detach().amax(-1, keepdim=True)


def two_pass(x: Any) -> tuple[Any, Any]:
    """Right: the maximum, then the sum."""
    top = top_of(x)
    return top, torch.exp(x - top).sum(-1, keepdim=True)


def shifted_by(x: Any, top: Any) -> tuple[Any, Any]:
    """The sum for a shift other than the maximum."""
    return top, torch.exp(x - top).sum(-1, keepdim=True)


def tail_dropped(x: Any, lanes: int) -> tuple[Any, Any]:
    """Rows longer than a vector are summed in whole vectors, and what is left over is not."""
    width = x.shape[-1]
    whole = width - width % lanes if width > lanes else width
    top = top_of(x)
    return top, torch.exp(x[..., :whole] - top).sum(-1, keepdim=True)


def limited(x: Any, width: int) -> tuple[Any, Any]:
    """No more entries are read than fit in one block."""
    return two_pass(x[..., :width])


def padded_with(x: Any, block: int, filler: float) -> tuple[Any, Any]:
    """The last block is filled up, and its filling is counted."""
    padded = torch.nn.functional.pad(x, (0, -x.shape[-1] % block), value=filler)
    return two_pass(padded)


def boundary_twice(x: Any, block: int) -> tuple[Any, Any]:
    """Blocks overlap by one entry."""
    top = top_of(x)
    total = torch.exp(x - top).sum(-1, keepdim=True)
    return top, total + torch.exp(x[..., block::block] - top).sum(-1, keepdim=True)


def boundary_skipped(x: Any, block: int) -> tuple[Any, Any]:
    """The first entry of every block but the first is left out."""
    top = top_of(x)
    total = torch.exp(x - top).sum(-1, keepdim=True)
    return top, total - torch.exp(x[..., block::block] - top).sum(-1, keepdim=True)


def attached_top_of(x: Any) -> Any:
    """The largest entry of each row, of which autograd takes a gradient too, equal parts of equal ones."""
    return x.amax(-1, keepdim=True)


def online(
    x: Any,
    block: int,
    *,
    rescale: bool = True,
    guard: bool = True,
    detached: bool = False,
    largest: Any = top_of,
) -> tuple[Any, Any]:
    """One pass over blocks with a running maximum; ``rescale`` and ``guard`` off make it wrong.

    Without ``rescale`` the sum so far is not brought to the new maximum; without ``guard`` a first
    block of -inf gives inf - inf. ``detached``: autograd does not follow what rescales the sum.
    ``largest`` gives the maximum of a block.
    """
    top = torch.full_like(x[..., :1], -math.inf)
    total = torch.zeros_like(top)
    for part in x.split(block, -1):
        new = torch.maximum(top, largest(part))
        shift = torch.where(new == -math.inf, 0, new) if guard else new
        scale: Any = torch.exp(top - shift) if rescale else 1
        scale = scale.detach() if detached else scale
        total = total * scale + torch.exp(part - shift).sum(-1, keepdim=True)
        top = new
    return top, total


def online_attached(x: Any, block: int) -> tuple[Any, Any]:
    """As `online`, differentiated through the running maximum."""
    return online(x, block, largest=attached_top_of)


def online_first_top(x: Any, block: int) -> tuple[Any, Any]:
    """The maximum of the first block serves for all."""
    return shifted_by(x, top_of(x[..., :block]))


def summed_in(x: Any, dtype: Any) -> tuple[Any, Any]:
    """The exponentials are right, and are added in a 16-bit format, one after the other."""
    top = top_of(x)
    total = torch.zeros_like(top, dtype=dtype)
    for entry in torch.exp(x - top).to(dtype).split(1, -1):
        total = total + entry
    return top, total.to(x.dtype)


def long_rows_summed_in(x: Any, dtype: Any, width: int) -> tuple[Any, Any]:
    """Rows above a width are added in partial sums of a 16-bit format."""
    if x.shape[-1] <= width:
        return two_pass(x)
    top = top_of(x)
    parts = [part.sum(-1, keepdim=True).to(dtype) for part in torch.exp(x - top).split(width, -1)]
    total = torch.zeros_like(parts[0])
    for part in parts:
        total = total + part
    return top, total.to(x.dtype)


def exponentials_in(x: Any, dtype: Any) -> tuple[Any, Any]:
    """The exponentials are taken in a 16-bit format."""
    top = top_of(x)
    return top, torch.exp((x - top).to(dtype)).to(x.dtype).sum(-1, keepdim=True)


def fast_exp(x: Any, degree: int) -> Any:
    """2^k times a Taylor polynomial on |r| <= log(2)/2: relative error r^(degree + 1) / (degree + 1)!."""
    k = torch.round(x / math.log(2))
    r = x - k * math.log(2)
    series = sum(r**i / math.factorial(i) for i in range(degree + 1))
    return series * torch.exp2(k)


def far_off_left_out(x: Any, gap: float) -> tuple[Any, Any]:
    """Entries far below the largest are not added."""
    top = top_of(x)
    e = torch.exp(x - top)
    return top, torch.where(x - top < -gap, 0, e).sum(-1, keepdim=True)
