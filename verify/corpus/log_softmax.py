"""Log-softmax got wrong: its sum, its shift, its memory, its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import along_last, by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "log_softmax")


def _from(x: Any, dim: int, statistics: Any, *given: Any) -> Any:
    """Log-softmax from the largest entry and the sum of each row."""

    def scores(x: Any) -> Any:
        top, total = statistics(x, *given)
        return (x - top) - torch.log(total)

    return along_last(x, dim, scores)


def _with_gradient(x: Any, dim: int, gradient: Any) -> Any:
    """A right value; ``gradient(g, s)`` works along the last axis, s being softmax."""

    def backward(g: Any, x: Any) -> Any:
        return gradient(g.movedim(dim, -1), torch.softmax(x, dim).movedim(dim, -1)).movedim(-1, dim)

    return by_hand(x, lambda x: torch.log_softmax(x, dim), backward)


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(8, 16, 64, 256))
def tail_lanes_dropped(x: Any, dim: int, lanes: int) -> Any:
    """The entries behind the last whole vector are not in the sum."""
    return _from(x, dim, rows.tail_dropped, lanes)


@plant("value", "rows wider than {width}", width=(32, 2048, 32768))
def one_block_only(x: Any, dim: int, width: int) -> Any:
    """The sum ends where the block ends."""
    return _from(x, dim, rows.limited, width)


@plant("value", "rows exactly {width} wide", width=(32, 128, 1024, 4096))
def last_entry_of_a_full_block_dropped(x: Any, dim: int, width: int) -> Any:
    """A row that fills the block loses its last entry, by < in place of <=."""
    return _from(x, dim, rows.limited, width - 1) if x.shape[dim] == width else torch.log_softmax(x, dim)


@plant("value", "a width that is no multiple of {block}", block=(4, 128))
def last_block_filled_with_zeros(x: Any, dim: int, block: int) -> Any:
    """The filling of the last block is 0 and not -inf."""
    return _from(x, dim, rows.padded_with, block, 0.0)


@plant("value", "rows wholly below -10000 whose width is no multiple of {block}", block=(4,))
def last_block_filled_with_a_large_number(x: Any, dim: int, block: int) -> Any:
    """The filling of the last block is -10000 and not -inf."""
    return _from(x, dim, rows.padded_with, block, -1e4)


@plant("value", "rows wider than {block} whose maximum is in a later block", block=(4, 32, 256, 2048))
def rescale_missing(x: Any, dim: int, block: int) -> Any:
    """The running sum is not brought to the new maximum."""
    return _from(x, dim, lambda x: rows.online(x, block, rescale=False))


@plant("value", "rows wider than {block} with a dominant entry at a block's edge", block=(4, 128, 1024))
def block_edge_left_out(x: Any, dim: int, block: int) -> Any:
    """The first entry of every later block is not added."""
    return _from(x, dim, rows.boundary_skipped, block)


@plant("value", "a first block of {block} entries -inf, and finite ones after it", block=(2, 16))
def empty_first_block(x: Any, dim: int, block: int) -> Any:
    """A first block of -inf gives inf - inf."""
    return _from(x, dim, lambda x: rows.online(x, block, guard=False))


@plant("value", "rows far apart in one table")
def shifted_by_the_largest_of_all(x: Any, dim: int) -> Any:
    """One maximum for the whole table."""
    return _from(x, dim, lambda x: rows.shifted_by(x, x.detach().max()))


@plant("value", "three axes, dim 1, places behind the first {lanes} far apart from the first", lanes=(16,))
def shift_of_the_first_lane(x: Any, dim: int, lanes: int) -> Any:
    """Every further vector of places takes the maximum of the first place."""
    top = x.amax(dim, keepdim=True)
    if x.ndim == 3 and dim == 1 and x.shape[2] > lanes:
        top = torch.cat([top[..., :lanes], top[..., :1].expand(-1, -1, x.shape[2] - lanes)], 2)
    return x - top - torch.log(torch.exp(x - top).sum(dim, keepdim=True))


@plant("value", "rows wholly below -88")
def maximum_starts_at_zero(x: Any, dim: int) -> Any:
    """The search for the maximum starts at 0."""
    return _from(x, dim, lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=0)))


@plant("value", "rows wider than {block} with a far larger entry behind", block=(4, 64))
def shifted_by_the_first_block(x: Any, dim: int, block: int) -> Any:
    """The maximum is taken of the first block alone."""
    return _from(x, dim, rows.online_first_top, block)


@plant("value", "a large entry")
def not_shifted(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


@plant("value", "entries far below the maximum")
def log_of_softmax(x: Any, dim: int) -> Any:
    """The logarithm of a probability that underflows."""
    return torch.log(torch.softmax(x, dim))


@plant("value", "entries far below the maximum", least=(1e-7, 1e-12))
def log_of_clipped_softmax(x: Any, dim: int, least: float) -> Any:
    """Probabilities are clipped before the logarithm."""
    return torch.log(torch.softmax(x, dim).clamp(min=least))


@plant("value", "entries far below the maximum", epsilon=(1e-6, 1e-10))
def epsilon_in_the_logarithm(x: Any, dim: int, epsilon: float) -> Any:
    """A small number is added to the probability."""
    return torch.log(torch.softmax(x, dim) + epsilon)


@plant("value", "a common offset")
def subtracts_logsumexp(x: Any, dim: int) -> Any:
    """The rounding of a large logsumexp is in every result."""
    return x - torch.logsumexp(x, dim, keepdim=True)


@plant("value", "any row of several entries")
def summed_in_half_precision(x: Any, dim: int) -> Any:
    """float32 exponentials are added in float16."""
    return _from(x, dim, rows.summed_in, torch.float16)


@plant("value", "flat rows of 2048 and more entries", dtype="float16")
def sum_stagnates_in_half_precision(x: Any, dim: int) -> Any:
    """A sum of float16 numbers stays where it is from 2048 on."""
    return _from(x, dim, rows.summed_in, torch.float16)


@plant("value", "any row of several entries")
def exponentials_in_bfloat16(x: Any, dim: int) -> Any:
    """The exponentials of a float32 row are taken in bfloat16."""
    return _from(x, dim, rows.exponentials_in, torch.bfloat16)


@plant("value", "many entries {gap} below the maximum", gap=(4.0, 10.0))
def far_entries_left_out(x: Any, dim: int, gap: float) -> Any:
    """Entries far below the largest are not in the sum."""
    return _from(x, dim, rows.far_off_left_out, gap)


@plant("value", "any row")
def epsilon_in_the_sum(x: Any, dim: int) -> Any:
    """A small number is added to the sum before the logarithm."""
    return _from(x, dim, lambda x: (rows.top_of(x), rows.two_pass(x)[1] + 1e-5))


@plant("value", "any row of several entries")
def polynomial_exp(x: Any, dim: int) -> Any:
    """The exponential by a polynomial of degree 3."""
    top = x.detach().amax(dim, keepdim=True)
    return (x - top) - torch.log(rows.fast_exp(x - top, 3).sum(dim, keepdim=True))


@plant("value", "dim 0")
def last_axis_always(x: Any, dim: int) -> Any:
    """The axis is taken to be the last."""
    return torch.log_softmax(x, -1)


@plant("value", "transposed tensors")
def strides_ignored(x: Any, dim: int) -> Any:
    """Memory is read as if the tensor were contiguous."""
    return torch.log_softmax(x + (read_flat(x) - x).detach(), dim)


@plant("value", "results in another base")
def in_bits(x: Any, dim: int) -> Any:
    """The result is to base 2."""
    return torch.log_softmax(x, dim) / math.log(2)


@plant("value", "confident rows in which the largest entry's score is small")
def values_clamped(x: Any, dim: int) -> Any:
    """Scores near 0 are moved to -1e-6."""
    return torch.log_softmax(x, dim).clamp(max=-1e-6)


@plant("value", "-inf beside finite entries")
def minus_infinity_gives_nan(x: Any, dim: int) -> Any:
    """The sum is taken of shifted entries times their exponentials, where 0 times -inf is nan."""
    top = x.detach().amax(dim, keepdim=True)
    e = torch.exp(x - top)
    zero = ((x - top) * e).sum(dim, keepdim=True).detach() * 0
    return (x - top) - torch.log(e.sum(dim, keepdim=True)) + zero


@plant("value", "any float64 row", dtype="float64")
def single_precision_inside(x: Any, dim: int) -> Any:
    """float64 is computed in float32."""
    return torch.log_softmax(x.float(), dim).double()


@plant("side effects", "any input")
def result_in_the_input(x: Any, dim: int) -> Any:
    """The result is written over the input."""
    if x.requires_grad:
        return torch.log_softmax(x, dim)
    return x.copy_(torch.log_softmax(x, dim))


@plant("side effects", "a backward pass")
def upstream_overwritten(x: Any, dim: int) -> Any:
    """The backward pass writes its result over the upstream gradient."""

    def gradient(g: Any, x: Any) -> Any:
        result = torch._log_softmax_backward_data(g, torch.log_softmax(x, dim), dim, x.dtype)
        torch.empty(0, dtype=g.dtype).set_(g.untyped_storage()).add_(1)
        return result

    return by_hand(x, lambda x: torch.log_softmax(x, dim), gradient)


@plant("gradient", "any upstream gradient whose sum is not 0")
def softmax_term_deleted(x: Any, dim: int) -> Any:
    """The gradient does not flow through the sum."""
    return _with_gradient(x, dim, lambda g, s: g.clone())


@plant("gradient", "any upstream gradient whose sum is not 1")
def upstream_not_summed(x: Any, dim: int) -> Any:
    """The sum of the upstream gradient is taken to be 1."""
    return _with_gradient(x, dim, lambda g, s: g - s)


@plant("gradient", "upstream gradients that differ from element to element")
def upstream_not_summed_over_the_row(x: Any, dim: int) -> Any:
    """Each probability is multiplied by its own upstream gradient and not by their sum."""
    return _with_gradient(x, dim, lambda g, s: g - s * g)


@plant("gradient", "any upstream gradient")
def upstream_averaged(x: Any, dim: int) -> Any:
    """The mean of the upstream gradient stands for its sum."""
    return _with_gradient(x, dim, lambda g, s: g - s * g.mean(-1, keepdim=True))


@plant("gradient", "several rows with gradients of their own")
def upstream_summed_over_all(x: Any, dim: int) -> Any:
    """The upstream gradient is summed over the whole table."""
    return _with_gradient(x, dim, lambda g, s: g - s * g.sum())


@plant("value", "large scores with more digits than float32 has", dtype="float64")
def maximum_in_single_precision(x: Any, dim: int) -> Any:
    """The maximum of a table of doubles comes from a reduction in float32."""
    shifted = x - x.detach().float().amax(dim, keepdim=True).double()
    return shifted - torch.log(torch.exp(shifted).sum(dim, keepdim=True))


@plant("gradient", "rows wider than {lanes}, and not by a multiple", lanes=(8, 128))
def gradient_tail_dropped(x: Any, dim: int, lanes: int) -> Any:
    """The upstream gradient is summed over whole vectors only."""

    def gradient(g: Any, s: Any) -> Any:
        width = s.shape[-1]
        whole = width - width % lanes if width > lanes else width
        return g - s * g[..., :whole].sum(-1, keepdim=True)

    return _with_gradient(x, dim, gradient)


@plant("gradient", "probabilities below {least}", least=(1e-4, 1e-6))
def gradient_filtered(x: Any, dim: int, least: float) -> Any:
    """Entries of small probability get no softmax term."""
    return _with_gradient(x, dim, lambda g, s: g - torch.where(s < least, 0, s) * g.sum(-1, keepdim=True))


@plant("gradient", "upstream gradients of stride 0, or transposed")
def upstream_strides_ignored(x: Any, dim: int) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(lambda x: torch.log_softmax(x, dim), x, read_flat)


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(x: Any, dim: int) -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(lambda x: torch.log_softmax(x, dim), x, torch.ones_like)


@plant("gradient", "any upstream gradient")
def gradient_in_half_precision(x: Any, dim: int) -> Any:
    """The probabilities of the backward pass are rounded to float16."""
    return _with_gradient(x, dim, lambda g, s: g - s.half().to(s.dtype) * g.sum(-1, keepdim=True))


@plant("gradient", "any upstream gradient")
def gradient_scaled(x: Any, dim: int) -> Any:
    """The gradient is a thousandth too large."""
    return functional.log_softmax(changed_backward(x, lambda g: g * 1.001), dim)
