"""Softmax got wrong: its sum, its shift, its axis, its memory."""

from __future__ import annotations

import math
from typing import Any

import torch

from verify.corpus import rows
from verify.corpus.hand import along_last, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "softmax")

_kept: dict[Any, Any] = {}


def _from(x: Any, dim: int, statistics: Any, *given: Any) -> Any:
    """Softmax from the largest entry and the sum of each row."""

    def scaled(x: Any) -> Any:
        top, total = statistics(x, *given)
        return torch.exp(x - top) / total

    return along_last(x, dim, scaled)


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(4, 8, 32, 128, 1024))
def tail_lanes_dropped(x: Any, dim: int, lanes: int) -> Any:
    """The entries behind the last whole vector are not in the sum."""
    return _from(x, dim, rows.tail_dropped, lanes)


@plant("value", "rows wider than {width}", width=(64, 1024, 4096, 65536))
def one_block_only(x: Any, dim: int, width: int) -> Any:
    """The sum ends where the block ends."""
    return _from(x, dim, rows.limited, width)


@plant("value", "a width that is no multiple of {block}", block=(2, 16, 256))
def last_block_filled_with_zeros(x: Any, dim: int, block: int) -> Any:
    """The filling of the last block is 0 and not -inf."""
    return _from(x, dim, rows.padded_with, block, 0.0)


@plant("value", "rows wider than {block} whose maximum is in a later block", block=(2, 16, 128, 1024, 4096))
def rescale_missing(x: Any, dim: int, block: int) -> Any:
    """The running sum is not brought to the new maximum."""
    return _from(x, dim, lambda x: rows.online(x, block, rescale=False))


@plant("value", "rows wider than {block} with a dominant entry at a block's edge", block=(2, 64, 512))
def block_edge_counted_twice(x: Any, dim: int, block: int) -> Any:
    """The first entry of every later block is added twice."""
    return _from(x, dim, rows.boundary_twice, block)


@plant("value", "a first block of {block} entries -inf, and finite ones after it", block=(1, 4, 64))
def empty_first_block(x: Any, dim: int, block: int) -> Any:
    """A first block of -inf gives inf - inf."""
    return _from(x, dim, lambda x: rows.online(x, block, guard=False))


@plant("value", "rows far apart in one table")
def shifted_by_the_largest_of_all(x: Any, dim: int) -> Any:
    """One maximum for the whole table."""
    return _from(x, dim, lambda x: rows.shifted_by(x, x.detach().max()))


@plant("value", "rows far apart in one table")
def shifted_by_the_first_row(x: Any, dim: int) -> Any:
    """The maximum of the first row serves for all."""
    return _from(x, dim, lambda x: rows.shifted_by(x, rows.top_of(x).reshape(-1)[0]))


@plant("value", "rows wider than {block} with a far larger entry behind", block=(2, 32, 1024))
def shifted_by_the_first_block(x: Any, dim: int, block: int) -> Any:
    """The maximum is taken of the first block alone."""
    return _from(x, dim, rows.online_first_top, block)


@plant("value", "rows wholly below -88")
def maximum_starts_at_zero(x: Any, dim: int) -> Any:
    """The search for the maximum starts at 0."""
    return _from(x, dim, lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=0)))


@plant("value", "rows wholly below -65504")
def maximum_starts_at_half_precision(x: Any, dim: int) -> Any:
    """The search for the maximum starts at the least number of float16."""
    return _from(x, dim, lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=-65504.0)))


@plant("value", "rows wholly below {least}, or -inf beside large negative entries", least=(-1e4, -1e5))
def entries_clamped(x: Any, dim: int, least: float) -> Any:
    """Very negative entries are taken to be a finite number, so that masked ones are."""
    return torch.softmax(x.clamp(min=least), dim)


@plant("value", "a common offset")
def mean_as_shift(x: Any, dim: int) -> Any:
    """The mean is subtracted in place of the maximum."""
    return _from(x, dim, lambda x: rows.shifted_by(x, x.detach().mean(-1, keepdim=True)))


@plant("value", "a common offset")
def scaled_to_base_two_before_the_shift(x: Any, dim: int) -> Any:
    """Logits are multiplied by log2(e) and rounded before the maximum is subtracted."""
    scaled = x * math.log2(math.e)
    e = torch.exp2(scaled - scaled.detach().amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@plant("value", "any row of several entries")
def summed_in_bfloat16(x: Any, dim: int) -> Any:
    """float32 exponentials are added in bfloat16."""
    return _from(x, dim, rows.summed_in, torch.bfloat16)


@plant("value", "rows wider than {width}", width=(64, 1024))
def long_rows_in_float16(x: Any, dim: int, width: int) -> Any:
    """The partial sums of long rows are held in float16."""
    return _from(x, dim, rows.long_rows_summed_in, torch.float16, width)


@plant("value", "rows of some hundred entries of like size", dtype="bfloat16")
def sum_stagnates_in_bfloat16(x: Any, dim: int) -> Any:
    """A sum of bfloat16 numbers stays where it is from 256 on."""
    return _from(x, dim, rows.summed_in, torch.bfloat16)


@plant("value", "any row of several entries")
def exponentials_in_half_precision(x: Any, dim: int) -> Any:
    """The exponentials of a float32 row are taken in float16."""
    return _from(x, dim, rows.exponentials_in, torch.float16)


@plant("value", "any row of several entries that are not exact logarithms", degree=(3, 4))
def polynomial_exp(x: Any, dim: int, degree: int) -> Any:
    """The exponential by a short polynomial: relative error 6e-4 at degree 3, 5e-5 at degree 4."""
    e = rows.fast_exp(x - x.detach().amax(dim, keepdim=True), degree)
    return e / e.sum(dim, keepdim=True)


@plant("value", "entries {gap} below the maximum", gap=(8.0, 16.0))
def small_probabilities_flushed(x: Any, dim: int, gap: float) -> Any:
    """Probabilities far below the largest are set to 0."""
    far = x - x.detach().amax(dim, keepdim=True) < -gap
    return torch.where(far, 0.0, torch.softmax(x, dim))


@plant("value", "any row")
def epsilon_in_the_divisor(x: Any, dim: int) -> Any:
    """A small number is added to the sum."""
    e = torch.exp(x - x.detach().amax(dim, keepdim=True))
    return e / (e.sum(dim, keepdim=True) + 1e-6)


@plant("value", "dim other than the last")
def last_axis_always(x: Any, dim: int) -> Any:
    """The axis is taken to be the last."""
    return torch.softmax(x, -1)


@plant("value", "dim -1")
def negative_axis_is_the_first(x: Any, dim: int) -> Any:
    """A negative axis is read as 0."""
    return torch.softmax(x, max(dim, 0))


@plant("value", "transposed tensors")
def strides_ignored(x: Any, dim: int) -> Any:
    """Memory is read as if the tensor were contiguous."""
    return torch.softmax(x + (read_flat(x) - x).detach(), dim)


@plant("value", "tensors sliced out of a larger buffer")
def row_stride_ignored(x: Any, dim: int) -> Any:
    """Transposed tensors are copied first; the padding between rows is not looked for."""
    if x.ndim and x.stride(-1) != 1:
        x = x.contiguous()
    return torch.softmax(x + (read_flat(x) - x).detach(), dim)


@plant("value", "tensors that begin inside a larger buffer")
def offset_ignored(x: Any, dim: int) -> Any:
    """A contiguous tensor is read from the start of its memory."""
    if not x.is_contiguous() or x.numel() == 0:
        x = x.contiguous()
    return torch.softmax(x + (read_flat(x, 0) - x).detach(), dim)


@plant("value", "an odd number of rows above 1")
def last_odd_row_dropped(x: Any, dim: int) -> Any:
    """Rows are done in pairs, and the one left over stays 0."""
    s = torch.softmax(x, dim)
    if x.ndim == 2 and x.shape[0] > 1 and x.shape[0] % 2:
        s = s * (torch.arange(x.shape[0]) < x.shape[0] - 1).unsqueeze(1)
    return s


@plant("value", "more than {rows} rows", rows=(3, 1024, 65535))
def rows_beyond_the_grid(x: Any, dim: int, rows: int) -> Any:
    """Rows behind the last that the grid reaches stay 0."""
    return torch.softmax(x, dim) * (torch.arange(x.shape[0]) < rows).reshape(-1, *[1] * (x.ndim - 1))


@plant("value", "-inf beside finite entries")
def minus_infinity_is_zero_times(x: Any, dim: int) -> Any:
    """The shift is multiplied by a mask, so that -inf becomes nan."""
    top = x.detach().amax(dim, keepdim=True)
    e = torch.exp((x - top) * (x > -math.inf).to(x.dtype))
    e = e * (x > -math.inf).to(x.dtype)
    return e / e.sum(dim, keepdim=True)


@plant("value", "any row in float64", dtype="float64")
def single_precision_inside(x: Any, dim: int) -> Any:
    """float64 is computed in float32."""
    return torch.softmax(x.float(), dim).double()


@plant("value", "a float64 row of several entries", dtype="float64")
def single_precision_constant(x: Any, dim: int) -> Any:
    """The exponential as a power of 2, with log2(e) rounded to float32."""
    base = float(torch.tensor(math.log2(math.e), dtype=torch.float32))
    e = torch.exp2((x - x.detach().amax(dim, keepdim=True)) * base)
    return e / e.sum(dim, keepdim=True)


@plant("side effects", "any input")
def shifted_in_place(x: Any, dim: int) -> Any:
    """The maximum is subtracted from the caller's tensor."""
    y = x.detach()
    s = torch.softmax(x, dim)
    y -= y.amax(dim, keepdim=True) + 1
    return s


@plant("side effects", "tensors sliced out of a larger buffer")
def padding_overwritten(x: Any, dim: int) -> Any:
    """The memory around a slice is set to 0."""
    s = torch.softmax(x, dim)
    kept = x.detach().clone()
    torch.empty(0, dtype=x.dtype).set_(x.untyped_storage()).zero_()
    x.detach().copy_(kept)
    return s


@plant("side effects", "two calls of one shape")
def one_buffer_for_all_results(x: Any, dim: int) -> Any:
    """Every result of a shape lies in the same memory."""
    s = torch.softmax(x, dim)
    if x.requires_grad:
        return s
    return _kept.setdefault((tuple(x.shape), x.dtype), torch.empty_like(s)).copy_(s)


@plant("side effects", "other numbers at the address of those before")
def maximum_kept_by_address(x: Any, dim: int) -> Any:
    """The shift of a row is kept by address and shape, and so rounds as the numbers before asked for."""
    right = x.detach().amax(dim, keepdim=True)
    kept = _kept.setdefault((x.data_ptr(), tuple(x.shape), dim), right)
    e = torch.exp(x - right - (kept - right).clamp(-8, 8).nan_to_num())
    return e / e.sum(dim, keepdim=True)


@plant("side effects", "a second call with the same input")
def noise_left_on(x: Any, dim: int) -> Any:
    """The logits are jittered, as in training, with fresh numbers at every call."""
    return torch.softmax(x + torch.rand(x.shape).to(x.dtype) / 1024, dim)
