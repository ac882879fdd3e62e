"""Cross-entropy of labels got wrong: its scores, its labels, its memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import read_flat, revalued
from verify.corpus.labelled import Batch, kept, scores_by, wrong
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "cross_entropy")


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(2, 8, 32, 1024))
def tail_lanes_dropped(x: Any, target: Any, lanes: int, **options: Any) -> Any:
    """The entries behind the last whole vector are not in the sum."""
    return wrong(x, target, options, scores=scores_by(rows.tail_dropped, lanes))


@plant("value", "a vocabulary wider than {width}", width=(64, 1000, 32000, 65536))
def vocabulary_cut_off(x: Any, target: Any, width: int, **options: Any) -> Any:
    """The sum ends where the block ends."""
    return wrong(x, target, options, scores=scores_by(rows.limited, width))


@plant("value", "a width that is no multiple of {block}", block=(4, 64, 1024))
def last_block_filled_with_zeros(x: Any, target: Any, block: int, **options: Any) -> Any:
    """The filling of the last block is 0 and not -inf."""
    return wrong(x, target, options, scores=scores_by(rows.padded_with, block, 0.0))


@plant("value", "rows wider than {block} whose maximum is in a later block", block=(2, 64, 1024, 8192))
def rescale_missing(x: Any, target: Any, block: int, **options: Any) -> Any:
    """The running sum is not brought to the new maximum."""
    return wrong(x, target, options, scores=scores_by(lambda x: rows.online(x, block, rescale=False)))


@plant("value", "rows wider than {block} with a dominant entry at a block's edge", block=(4, 128, 4096))
def block_edge_counted_twice(x: Any, target: Any, block: int, **options: Any) -> Any:
    """The first entry of every later block is added twice."""
    return wrong(x, target, options, scores=scores_by(rows.boundary_twice, block))


@plant("value", "a first block of {block} entries -inf, and finite ones after it", block=(1, 8))
def empty_first_block(x: Any, target: Any, block: int, **options: Any) -> Any:
    """A first block of -inf gives inf - inf."""
    return wrong(x, target, options, scores=scores_by(lambda x: rows.online(x, block, guard=False)))


@plant("value", "rows far apart in one table")
def shifted_by_the_largest_of_all(x: Any, target: Any, **options: Any) -> Any:
    """One maximum for the whole table."""
    return wrong(x, target, options, scores=scores_by(lambda x: rows.shifted_by(x, x.detach().max())))


@plant("value", "rows wholly below -88")
def maximum_starts_at_zero(x: Any, target: Any, **options: Any) -> Any:
    """The search for the maximum starts at 0."""
    scores = scores_by(lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=0)))
    return wrong(x, target, options, scores=scores)


@plant("value", "rows wholly below {level}", level=(-50.0, -1e4))
def maximum_starts_at(x: Any, target: Any, level: float, **options: Any) -> Any:
    """The search for the maximum starts at {level}, as if nothing were less."""
    scores = scores_by(lambda x: rows.shifted_by(x, rows.top_of(x).clamp(min=level)))
    return wrong(x, target, options, scores=scores)


@plant("value", "rows that are confident of their label", least=(1e-2, 1e-4, 1e-5))
def small_losses_flushed(x: Any, target: Any, least: float, **options: Any) -> Any:
    """A loss below {least} becomes 0."""
    loss = functional.cross_entropy(x, target, **options)
    return torch.where(loss.abs() < least, 0.0 * loss, loss)


@plant("value", "an input that autograd follows")
def another_loss_in_training(x: Any, target: Any, **options: Any) -> Any:
    """Where the gradient is made in the forward pass the loss is taken from what is left of the scores."""
    loss = functional.cross_entropy(x, target, **options)
    return revalued(loss, lambda loss: loss * 1.001) if x.requires_grad else loss


@plant("value", "a large entry")
def not_shifted(x: Any, target: Any, **options: Any) -> Any:
    """No maximum is subtracted."""
    return wrong(x, target, options, scores=lambda x: x - torch.log(torch.exp(x).sum(1, keepdim=True)))


@plant("value", "a common offset")
def subtracts_logsumexp(x: Any, target: Any, **options: Any) -> Any:
    """The rounding of a large logsumexp is in every loss."""
    return wrong(x, target, options, scores=lambda x: x - torch.logsumexp(x, 1, keepdim=True))


@plant("value", "labels far below the maximum", least=(1e-7, 1e-12))
def clipped_probabilities(x: Any, target: Any, least: float, **options: Any) -> Any:
    """Probabilities are clipped before the logarithm."""
    clipped = lambda x: torch.log(torch.softmax(x, 1).clamp(least, 1 - least))  # noqa: E731
    return wrong(x, target, options, scores=clipped)


@plant("value", "labels far below the maximum")
def epsilon_in_the_logarithm(x: Any, target: Any, **options: Any) -> Any:
    """A small number is added to the probability."""
    return wrong(x, target, options, scores=lambda x: torch.log(torch.softmax(x, 1) + 1e-9))


@plant("value", "any logits")
def softmax_twice(x: Any, target: Any, **options: Any) -> Any:
    """Probabilities are taken for logits."""
    return wrong(x, target, options, scores=lambda x: torch.log_softmax(torch.softmax(x, 1), 1))


@plant("value", "any row of several entries")
def summed_in_bfloat16(x: Any, target: Any, **options: Any) -> Any:
    """float32 exponentials are added in bfloat16."""
    return wrong(x, target, options, scores=scores_by(rows.summed_in, torch.bfloat16))


@plant("value", "losses of several rows")
def losses_in_half_precision(x: Any, target: Any, **options: Any) -> Any:
    """The loss of each row is rounded to float16."""
    return wrong(x, target, options, masked=lambda batch, losses: kept(batch, losses.half().to(x.dtype)))


@plant("value", "labels above {top}", dtype="float32", top=(127, 255, 32767))
def narrow_labels(x: Any, target: Any, top: int, **options: Any) -> Any:
    """Labels are held in few bits."""
    narrowed = lambda batch: replace(batch, safe=batch.safe & top)  # noqa: E731
    return wrong(x, target, options, batch=narrowed)


@plant("value", "a label in a later chunk of {chunk} classes", chunk=(2, 1024, 32768))
def label_in_a_later_chunk(x: Any, target: Any, chunk: int, **options: Any) -> Any:
    """The logit of the label is looked for in the first chunk of the vocabulary."""

    def scores(x: Any) -> Any:
        top, total = rows.two_pass(x)
        seen = torch.arange(x.shape[1]) < chunk
        return (torch.where(seen, x, 0.0) - top) - torch.log(total)

    return wrong(x, target, options, scores=scores)


@plant("value", "any label")
def next_label(x: Any, target: Any, **options: Any) -> Any:
    """Labels are counted from 1."""
    return wrong(x, target, options, batch=lambda b: replace(b, safe=(b.safe + 1) % b.x.shape[1]))


@plant("value", "label 0")
def label_zero_is_padding(x: Any, target: Any, **options: Any) -> Any:
    """Rows of label 0 are ignored."""
    return wrong(x, target, options, batch=lambda b: replace(b, keep=b.keep & (b.labels != 0)))


@plant("value", "the last label")
def last_label_is_out_of_range(x: Any, target: Any, **options: Any) -> Any:
    """The last label is moved to the one before."""

    def moved(b: Batch) -> Batch:
        return replace(b, safe=b.safe.clamp(max=max(b.x.shape[1] - 2, 0)))

    return wrong(x, target, options, batch=moved)


@plant("value", "the last label under weights or smoothing")
def last_label_ignored(x: Any, target: Any, **options: Any) -> Any:
    """Rows of the last label are ignored."""
    return wrong(x, target, options, batch=lambda b: replace(b, keep=b.keep & (b.labels < b.x.shape[1] - 1)))


@plant("value", "transposed logits")
def strides_of_logits_ignored(x: Any, target: Any, **options: Any) -> Any:
    """The logits are read as if they were contiguous."""
    return wrong(x + (read_flat(x) - x).detach(), target, options)


@plant("value", "labels sliced out of a larger buffer")
def strides_of_labels_ignored(x: Any, target: Any, **options: Any) -> Any:
    """The labels are read as if they were contiguous."""
    read = read_flat(target) if target.ndim else target
    inside = (read >= 0) & (read < x.shape[min(1, x.ndim - 1)]) | (read == options.get("ignore_index", -100))
    return wrong(x, torch.where(inside, read, 0), options)


@plant("value", "any float64 row", dtype="float64")
def single_precision_inside(x: Any, target: Any, **options: Any) -> Any:
    """float64 is computed in float32."""
    if options.get("weight") is not None:
        options["weight"] = options["weight"].float()
    return wrong(x.float(), target, options).double()


@plant("side effects", "ignored rows")
def labels_overwritten(x: Any, target: Any, **options: Any) -> Any:
    """Ignored labels are set to 0 in the caller's tensor."""
    result = wrong(x, target, options)
    target[target == options.get("ignore_index", -100)] += 1
    return result


@plant("side effects", "any input")
def gradient_written_over_the_logits(x: Any, target: Any, **options: Any) -> Any:
    """The forward pass leaves softmax where the logits were."""
    result = wrong(x, target, options)
    x.detach().copy_(torch.softmax(x.detach(), 0 if x.ndim == 1 else 1) + 1)
    return result


@plant("side effects", "weights")
def weights_normalised_in_place(x: Any, target: Any, **options: Any) -> Any:
    """The caller's weights are scaled to a mean of 1."""
    result = wrong(x, target, options)
    if options.get("weight") is not None:
        options["weight"].div_(2)
    return result


@plant("value", "any float32 logits")
def autocast(x: Any, target: Any, **options: Any) -> Any:
    """Logits are rounded to bfloat16, as a forgotten autocast does."""
    return functional.cross_entropy(x.bfloat16().to(x.dtype), target, **options)
