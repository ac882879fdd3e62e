"""The negative log-likelihood of log-probabilities got wrong and right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional

from verify.corpus.hand import changed_backward, read_flat
from verify.corpus.labelled import Batch, Steps, kept, loss, wrong
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "nll_loss")
right = sower(RIGHTS, "nll_loss")


def _wrong(x: Any, target: Any, options: dict[str, Any], **steps: Any) -> Any:
    """The steps of cross-entropy without log_softmax."""
    return wrong(x, target, options, scores=lambda x: x, **steps)


@right(dtypes=("float32", "float64"))
def torch_nll_loss(x: Any, target: Any, **options: Any) -> Any:
    """The nll_loss of torch.nn.functional."""
    return functional.nll_loss(x, target, **options)


@right(dtypes=("float32", "float64"))
def nll_loss_in_steps(x: Any, target: Any, **options: Any) -> Any:
    """Labels by gather, weights, masked rows."""
    return _wrong(x, target, options)


@plant("value", "scores that are not log-probabilities")
def normalises_first(x: Any, target: Any, **options: Any) -> Any:
    """The function log_softmax is applied to what has it."""
    return loss(x, target, Steps(), **options)


@plant("value", "any input")
def not_negated(x: Any, target: Any, **options: Any) -> Any:
    """The log-likelihood keeps its sign."""
    return -_wrong(x, target, options)


@plant("value", "weights, reduction mean")
def mean_by_count_under_weights(x: Any, target: Any, **options: Any) -> Any:
    """The mean divides by the number of rows and not by their weight."""
    return _wrong(x, target, options, divisor=lambda b: b.keep.sum())


@plant("value", "ignored rows, reduction mean")
def mean_over_ignored_rows(x: Any, target: Any, **options: Any) -> Any:
    """Ignored rows are counted in the mean."""
    return _wrong(x, target, options, divisor=lambda b: b.own_weight.sum() + (~b.keep).sum())


@plant("value", "ignored rows, reduction none or sum")
def ignored_rows_have_a_loss(x: Any, target: Any, **options: Any) -> Any:
    """Rows that are to be ignored keep the loss of label 0."""
    return _wrong(x, target, options, masked=lambda b, losses: losses)


@plant("value", "ignored rows in which class 0 has probability 0")
def ignored_rows_times_zero(x: Any, target: Any, **options: Any) -> Any:
    """The loss of an ignored row, that of class 0, is multiplied by 0."""
    return _wrong(x, target, options, masked=lambda b, losses: losses * b.keep)


@plant("value", "a class of probability 0 that is not the label")
def one_hot_times_infinity(x: Any, target: Any, **options: Any) -> Any:
    """The score of the label is the sum of all, each times 1 or 0."""

    def own(b: Batch, scores: Any) -> Any:
        return -b.weight[b.safe] * (functional.one_hot(b.safe, scores.shape[1]) * scores).sum(1)

    return _wrong(x, target, options, own=own)


@plant("value", "ignore_index -1")
def negative_ignore_index_wraps(x: Any, target: Any, **options: Any) -> Any:
    """A label of -1 is the last class."""

    def wrapped(b: Batch) -> Batch:
        last = b.labels == -1
        return replace(b, keep=b.keep | last, safe=torch.where(last, b.x.shape[1] - 1, b.safe))

    return _wrong(x, target, options, batch=wrapped)


@plant("value", "the last label")
def last_label_ignored(x: Any, target: Any, **options: Any) -> Any:
    """Rows of the last label are ignored."""
    return _wrong(x, target, options, batch=lambda b: replace(b, keep=b.keep & (b.labels < b.x.shape[1] - 1)))


@plant("value", "labels above {top}", top=(127, 255))
def narrow_labels(x: Any, target: Any, top: int, **options: Any) -> Any:
    """Labels are held in few bits."""
    return _wrong(x, target, options, batch=lambda b: replace(b, safe=b.safe & top))


@plant("value", "losses above {most}", most=(16.0, 88.0))
def loss_clamped(x: Any, target: Any, most: float, **options: Any) -> Any:
    """The loss of a row is kept from being large."""
    return _wrong(x, target, options, masked=lambda b, losses: kept(b, losses.clamp(max=most)))


@plant("value", "transposed scores")
def strides_of_scores_ignored(x: Any, target: Any, **options: Any) -> Any:
    """The scores are read as if they were contiguous."""
    return _wrong(x + (read_flat(x).nan_to_num() - x).detach(), target, options)


@plant(
    "value", "tens of thousands of rows whose losses sum to more than 65,504, reduction mean", dtype="float16"
)
def mean_in_half_precision(x: Any, target: Any, **options: Any) -> Any:
    """The sum is a number of float16, and overflows before it is divided."""
    return _wrong(x, target, options, total=lambda b, losses: losses.cumsum(0)[-1] * 1.0)


@plant("value", "more than 65,535 rows that count, reduction mean")
def rows_counted_in_16_bits(x: Any, target: Any, reduction: str = "mean", ignore_index: int = -100) -> Any:
    """The number of rows that are not ignored wraps around."""
    losses = functional.nll_loss(x, target, reduction=reduction, ignore_index=ignore_index)
    count = int((target != ignore_index).sum())
    wraps = reduction == "mean" and count > 0xFFFF
    return losses * (count / (count & 0xFFFF)) if wraps else losses


@plant("gradient", "weights")
def gradient_without_weights(x: Any, target: Any, weight: Any = None, **options: Any) -> Any:
    """The weight is not in the gradient."""
    value = _wrong(x.detach(), target, {**options, "weight": weight})
    plain = _wrong(x, target, options)
    return value + (plain - plain.detach())


@plant("gradient", "any input")
def gradient_of_cross_entropy(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is that in logits."""
    plain = loss(x, target, Steps(), **options)
    return _wrong(x.detach(), target, options) + (plain - plain.detach())


@plant("gradient", "reduction mean of several rows")
def gradient_of_mean_not_divided(x: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """The gradient of the mean is that of the sum."""
    value = _wrong(x.detach(), target, {**options, "reduction": reduction})
    plain = _wrong(x, target, {**options, "reduction": "sum" if reduction == "mean" else reduction})
    return value + (plain - plain.detach())


@plant("gradient", "any input")
def gradient_scaled(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is a thousandth too small."""
    return _wrong(changed_backward(x, lambda g: 0.999 * g), target, options)
