"""Log-sum-exp got wrong: its shift, its sum, its axis, its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch

from verify.corpus import rows
from verify.corpus.hand import by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "logsumexp")


def _from(x: Any, dim: int, statistics: Any, *given: Any) -> Any:
    """Log-sum-exp from the largest entry and the sum of each row; -inf of a row that is wholly -inf."""
    top, total = statistics(x.movedim(dim, -1), *given)
    return torch.where(top == -math.inf, top, top + torch.log(total)).squeeze(-1)


def _right(x: Any, dim: int) -> Any:
    return _from(x, dim, rows.two_pass)


def _with_gradient(x: Any, dim: int, gradient: Any) -> Any:
    """A right value; ``gradient(g, s)`` works along the last axis, s being softmax."""

    def backward(g: Any, x: Any) -> Any:
        s = torch.softmax(x, dim).movedim(dim, -1)
        return gradient(g.unsqueeze(-1), s).movedim(-1, dim)

    return by_hand(x, lambda x: _right(x, dim), backward)


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(4, 16, 64, 512))
def tail_lanes_dropped(x: Any, dim: int, lanes: int) -> Any:
    """The entries behind the last whole vector are not in the sum."""
    return _from(x, dim, rows.tail_dropped, lanes)


@plant("value", "rows wider than {width}", width=(128, 8192))
def one_block_only(x: Any, dim: int, width: int) -> Any:
    """The sum ends where the block ends."""
    return _from(x, dim, rows.limited, width)


@plant("value", "a width that is no multiple of {block}", block=(8, 64))
def last_block_filled_with_zeros(x: Any, dim: int, block: int) -> Any:
    """The filling of the last block is 0 and not -inf."""
    return _from(x, dim, rows.padded_with, block, 0.0)


@plant("value", "rows wider than {block} whose maximum is in a later block", block=(2, 8, 512))
def rescale_missing(x: Any, dim: int, block: int) -> Any:
    """The running sum is not brought to the new maximum."""
    return _from(x, dim, lambda x: rows.online(x, block, rescale=False))


@plant("value", "rows wider than {block} with a dominant entry at a block's edge", block=(8, 256))
def block_edge_counted_twice(x: Any, dim: int, block: int) -> Any:
    """The first entry of every later block is added twice."""
    return _from(x, dim, rows.boundary_twice, block)


@plant("value", "a first block of {block} entries -inf, and finite ones after it", block=(1, 8))
def empty_first_block(x: Any, dim: int, block: int) -> Any:
    """A first block of -inf gives inf - inf."""
    return _from(x, dim, lambda x: rows.online(x, block, guard=False))


@plant("value", "a whole row of -inf")
def empty_row(x: Any, dim: int) -> Any:
    """A row of -inf gives nan, where -inf is the logarithm of 0."""
    top, total = rows.two_pass(x.movedim(dim, -1))
    return (top + torch.log(total)).squeeze(-1)


@plant("value", "a whole row of -inf, of more than {width} columns", width=(16, 1024))
def padded_with_the_lowest_number(x: Any, dim: int, width: int) -> Any:
    """The last block of a wide row is filled up with the lowest finite number instead of -inf."""
    rest = -x.shape[dim] % width if x.shape[dim] > width else 0
    shape = [rest if axis == dim % x.ndim else length for axis, length in enumerate(x.shape)]
    return _right(torch.cat([x, x.new_full(shape, torch.finfo(x.dtype).min)], dim), dim)


@plant("value", "a large entry")
def not_shifted(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    return torch.log(torch.exp(x).sum(dim))


@plant("value", "rows wholly below -88")
def maximum_starts_at_zero(x: Any, dim: int) -> Any:
    """The search for the maximum starts at 0."""
    return _from(x, dim, lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=0)))


@plant("value", "rows far apart in one table")
def shifted_by_the_largest_of_all(x: Any, dim: int) -> Any:
    """One maximum for the whole table."""
    return _from(x, dim, lambda x: rows.shifted_by(x, x.detach().max()))


@plant("value", "a common offset")
def shift_added_twice(x: Any, dim: int) -> Any:
    """The maximum is added to a result that has it."""
    return _right(x, dim) + x.detach().amax(dim).clamp(min=50) - 50


@plant("value", "any row of several entries")
def maximum_alone(x: Any, dim: int) -> Any:
    """The sum is left out where the maximum is above 30."""
    top = x.amax(dim)
    return torch.where(top > 30, top, _right(x, dim))


@plant("value", "any row of several entries")
def summed_in_bfloat16(x: Any, dim: int) -> Any:
    """float32 exponentials are added in bfloat16."""
    return _from(x, dim, rows.summed_in, torch.bfloat16)


@plant("value", "rows wider than {width}", width=(64,))
def long_rows_in_bfloat16(x: Any, dim: int, width: int) -> Any:
    """The partial sums of long rows are held in bfloat16."""
    return _from(x, dim, rows.long_rows_summed_in, torch.bfloat16, width)


@plant("value", "any row of several entries")
def polynomial_exp(x: Any, dim: int) -> Any:
    """The exponential by a polynomial of degree 3."""
    top = x.detach().amax(dim, keepdim=True)
    return (top + torch.log(rows.fast_exp(x - top, 3).sum(dim, keepdim=True))).squeeze(dim)


@plant("value", "many entries {gap} below the maximum", gap=(3.0, 9.0))
def far_entries_left_out(x: Any, dim: int, gap: float) -> Any:
    """Entries far below the largest are not in the sum."""
    return _from(x, dim, rows.far_off_left_out, gap)


@plant("value", "any row")
def epsilon_in_the_logarithm(x: Any, dim: int) -> Any:
    """A small number is added to the sum."""
    return _from(x, dim, lambda x: (rows.top_of(x), rows.two_pass(x)[1] + 1e-4))


@plant("value", "any row of several entries")
def mean_of_exponentials(x: Any, dim: int) -> Any:
    """The exponentials are averaged."""
    return _right(x, dim) - math.log(x.shape[dim])


@plant("value", "dim other than the last")
def last_axis_always(x: Any, dim: int) -> Any:
    """The axis is taken to be the last of a square table."""
    return _right(x, -1 if x.ndim == 2 and x.shape[0] == x.shape[1] else dim)


@plant("value", "transposed tensors")
def strides_ignored(x: Any, dim: int) -> Any:
    """Memory is read as if the tensor were contiguous."""
    return _right(x + (read_flat(x) - x).detach(), dim)


@plant("value", "-inf beside finite entries")
def minus_infinity_skipped_with_its_row(x: Any, dim: int) -> Any:
    """A row that has -inf in it gives -inf."""
    return torch.where((x == -math.inf).any(dim), -math.inf, _right(x, dim))


@plant("value", "any float64 row", dtype="float64")
def single_precision_inside(x: Any, dim: int) -> Any:
    """float64 is computed in float32."""
    return _right(x.float(), dim).double()


@plant("value", "a common offset in which exp(offset) overflows", dtype="bfloat16")
def not_shifted_in_bfloat16(x: Any, dim: int) -> Any:
    """16 bits are widened to float32, and no maximum is subtracted."""
    return torch.log(torch.exp(x.float()).sum(dim)).to(x.dtype)


@plant("side effects", "any input")
def input_scaled_in_place(x: Any, dim: int) -> Any:
    """The exponentials are left where the input was."""
    result = _right(x, dim)
    x.detach().exp_().add_(2)
    return result


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(x: Any, dim: int) -> Any:
    """The gradient is softmax, whatever comes from above."""
    return _with_gradient(x, dim, lambda g, s: s)


@plant("gradient", "rows with upstream gradients of their own")
def first_upstream_for_all(x: Any, dim: int) -> Any:
    """The upstream gradient of the first row serves for all."""
    return _with_gradient(x, dim, lambda g, s: s * g.reshape(-1)[0])


@plant("gradient", "several rows")
def upstream_summed(x: Any, dim: int) -> Any:
    """The upstream gradients of all rows are added."""
    return _with_gradient(x, dim, lambda g, s: s * g.sum())


@plant("gradient", "any row of several entries")
def gradient_through_the_maximum(x: Any, dim: int) -> Any:
    """The gradient of the maximum is added, and the shift is not differentiated inside."""
    top = x.amax(dim, keepdim=True)
    return (top + torch.log(torch.exp(x - top.detach()).sum(dim, keepdim=True))).squeeze(dim)


@plant("gradient", "rows with ties")
def gradient_to_the_maximum_only(x: Any, dim: int) -> Any:
    """All of the gradient goes to the entries near the maximum."""
    return _with_gradient(x, dim, lambda g, s: g * torch.where(s < 0.05, 0, s))


@plant("gradient", "rows wider than {block} whose maximum is in a later block", block=(2, 16))
def rescale_detached(x: Any, dim: int, block: int) -> Any:
    """Autograd does not follow the factor that brings the running sum to the new maximum."""
    return _from(x, dim, lambda x: rows.online(x, block, largest=rows.attached_top_of, detached=True))


@plant("gradient", "rows wider than {block} whose maximum is in a later block", block=(2, 16))
def first_block_not_rescaled(x: Any, dim: int, block: int) -> Any:
    """The gradient of the first block is left at its own maximum."""

    def gradient(g: Any, s: Any) -> Any:
        top = s[..., :block].amax(-1, keepdim=True).clamp(min=torch.finfo(s.dtype).tiny)
        return g * torch.cat([s[..., :block] * (s.amax(-1, keepdim=True) / top), s[..., block:]], -1)

    return _with_gradient(x, dim, gradient)


@plant("gradient", "probabilities below {least}", least=(1e-4, 1e-6))
def gradient_filtered(x: Any, dim: int, least: float) -> Any:
    """Entries of small probability get no gradient."""
    return _with_gradient(x, dim, lambda g, s: g * torch.where(s < least, 0, s))


@plant("gradient", "a common offset")
def shares_from_the_rounded_result(x: Any, dim: int) -> Any:
    """The shares are exp(x - y) with the rounded result y."""

    def backward(g: Any, x: Any) -> Any:
        return g.unsqueeze(dim) * torch.exp(x - _right(x, dim).unsqueeze(dim))

    return by_hand(x, lambda x: _right(x, dim), backward)


@plant("gradient", "upstream gradients of stride 0, or transposed")
def upstream_strides_ignored(x: Any, dim: int) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(lambda x: _right(x, dim), x, read_flat)


@plant("gradient", "-inf beside finite entries")
def gradient_of_minus_infinity_is_nan(x: Any, dim: int) -> Any:
    """The gradient multiplies the shifted entries in, and 0 times -inf is nan."""

    def gradient(g: Any, s: Any) -> Any:
        return g * s * (1 + 0 * torch.log(s))

    return _with_gradient(x, dim, gradient)


@plant("gradient", "any upstream gradient", factor=(0.999, -1.0))
def gradient_scaled(x: Any, dim: int, factor: float) -> Any:
    """The gradient is multiplied by a number."""
    return _right(changed_backward(x, lambda g: g * factor), dim)
