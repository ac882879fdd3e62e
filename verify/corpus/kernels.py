"""Mistakes of kernels: offsets, alignment, chunk borders, axes that look alike, wrong starts."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import along_last, by_hand, read_flat
from verify.corpus.labelled import scores_by, wrong
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
softmax = planter(FAULTS, "softmax")
log_softmax = planter(FAULTS, "log_softmax")
logsumexp = planter(FAULTS, "logsumexp")
cross_entropy = planter(FAULTS, "cross_entropy")
kl_div = planter(FAULTS, "kl_div")
sigmoid = planter(FAULTS, "sigmoid")


def _wrapped(x: Any, limit: int) -> Any:
    """Rows whose first entry lies beyond what the offset can say are read from the start again."""
    if x.ndim != 2 or x.shape[0] < 2:
        return x
    at = torch.arange(x.shape[0]) * x.shape[1] % limit // max(x.shape[1], 1)
    same = (at == torch.arange(x.shape[0]))[:, None]
    return torch.where(same, x, x + (x[at] - x).detach())


@softmax("value", "tables of more than {limit} entries", limit=(65536,))
def offset_wraps(x: Any, dim: int, limit: int) -> Any:
    """The offset of a row is held in too few bits."""
    return torch.softmax(_wrapped(x, limit), dim)


@cross_entropy("value", "tables of more than {limit} entries", limit=(32768,))
def offset_wraps_around(x: Any, target: Any, limit: int, **options: Any) -> Any:
    """The offset of a row is held in too few bits."""
    return wrong(_wrapped(x, limit), target, options)


@sigmoid("value", "contiguous tensors that begin off an address of 16 bytes")
def address_rounded_down(z: Any) -> Any:
    """Vectors are loaded from the address below."""
    start = z.storage_offset()
    if not z.is_contiguous() or start % 4 == 0:
        return torch.sigmoid(z)
    return torch.sigmoid(z + (read_flat(z, start // 4 * 4).nan_to_num() - z).detach())


@softmax("gradient", "transposed tables that are not symmetric")
def gradient_in_the_order_of_memory(x: Any, dim: int) -> Any:
    """The gradient of a transposed table is written as if the table were not."""

    def gradient(g: Any, x: Any) -> Any:
        result = torch._softmax_backward_data(
            g.contiguous(), torch.softmax(x, dim).contiguous(), dim, x.dtype
        )
        turned = x.ndim == 2 and x.stride(0) == 1 and x.stride(1) == x.shape[0]
        return result.contiguous().view(x.shape[1], x.shape[0]).t() if turned else result

    return by_hand(x, lambda x: torch.softmax(x, dim), gradient)


@softmax("gradient", "dim other than the last")
def gradient_along_the_last_axis(x: Any, dim: int) -> Any:
    """The mean of the upstream gradient is taken along the last axis."""

    def gradient(g: Any, x: Any) -> Any:
        s = torch.softmax(x, dim)
        return s * (g - (g * s).sum(-1, keepdim=True))

    return by_hand(x, lambda x: torch.softmax(x, dim), gradient)


@log_softmax("gradient", "any row of several entries")
def result_saved_in_bfloat16(x: Any, dim: int) -> Any:
    """The result is kept in 16 bits for the backward pass."""

    def gradient(g: Any, x: Any) -> Any:
        saved = torch.log_softmax(x, dim).bfloat16().to(x.dtype)
        return g - torch.exp(saved) * g.sum(dim, keepdim=True)

    return by_hand(x, lambda x: torch.log_softmax(x, dim), gradient)


def _started_at_zero(x: Any) -> tuple[Any, Any]:
    """As if every row had an entry 0 before its first."""
    return rows.two_pass(functional.pad(x, (1, 0)))


@softmax("value", "rows whose maximum is not far above 0")
def accumulator_starts_at_zero(x: Any, dim: int) -> Any:
    """The running maximum and sum start as those of a 0."""

    def scaled(x: Any) -> Any:
        top, total = _started_at_zero(x)
        return torch.exp(x - top) / total

    return along_last(x, dim, scaled)


@logsumexp("value", "rows whose maximum is not far above 0")
def starts_from_zero(x: Any, dim: int) -> Any:
    """The running result starts at 0 and not at -inf."""
    top, total = _started_at_zero(x.movedim(dim, -1))
    return (top + torch.log(total)).squeeze(-1)


@logsumexp("value", "rows of several entries near the maximum")
def running_sum_of_pairs_rounded(x: Any, dim: int) -> Any:
    """The running result is rounded to bfloat16 after each entry."""
    parts = x.movedim(dim, -1).unbind(-1)
    total = parts[0]
    for part in parts[1:]:
        total = torch.logaddexp(total, part).bfloat16().to(x.dtype)
    return total


@cross_entropy("value", "a label that is a multiple of {chunk}", chunk=(2, 64, 1024))
def label_on_a_chunk_border(x: Any, target: Any, chunk: int, **options: Any) -> Any:
    """A label that begins a chunk is in none: its logit stays 0."""

    def scores(x: Any) -> Any:
        top, total = rows.two_pass(x)
        at = torch.arange(x.shape[1])
        border = (at % chunk == 0) & (at > 0)
        return (torch.where(border, 0.0, x) - top) - torch.log(total)

    return wrong(x, target, options, scores=scores)


@cross_entropy("value", "a table (N, C, D) with C = D")
def classes_last(x: Any, target: Any, **options: Any) -> Any:
    """The classes are taken to be the last axis where that fits."""
    if x.ndim == 3 and x.shape[1] == x.shape[2] and not target.is_floating_point():
        x = x.transpose(1, 2)
    return wrong(x, target, options)


@cross_entropy("value", "a table (N, C, D) with D above 1, reduction mean")
def mean_over_the_batch_alone(x: Any, target: Any, **options: Any) -> Any:
    """The mean divides by N where it should by N D."""
    beside = x.shape[2] if x.ndim == 3 else 1
    return wrong(x, target, options, divisor=lambda b: b.own_weight.sum() / beside)


@cross_entropy("value", "rows whose maximum is not far above 0")
def accumulator_starts_with_zero(x: Any, target: Any, **options: Any) -> Any:
    """The running maximum and sum start as those of a 0."""
    return wrong(x, target, options, scores=scores_by(_started_at_zero))


@kl_div("value", "a transposed input beside a contiguous target")
def both_in_the_order_of_the_first(x: Any, target: Any, **options: Any) -> Any:
    """Two dense tables are walked through as they lie in memory, whatever the strides of the second."""
    if x.ndim > 1 and x.mT.is_contiguous() and target.is_contiguous():
        target = target.reshape(x.mT.shape).mT
    return functional.kl_div(x, target, **options)


@kl_div("value", "a table of three axes, reduction batchmean")
def batchmean_over_all_rows(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean over the batch divides by every axis but the last."""
    terms = torch.xlogy(target, target) - target * x
    if reduction == "batchmean":
        return terms.sum() / (x.numel() / x.shape[-1])
    return {"none": lambda: terms, "sum": terms.sum, "mean": terms.mean}[reduction]()
