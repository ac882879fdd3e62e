"""Cross-entropy of labels got wrong under options: weights, ignored rows, smoothing, reductions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from verify.corpus.labelled import Batch, kept, wrong
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "cross_entropy")


@plant("value", "weights, reduction mean")
def mean_by_count_under_weights(x: Any, target: Any, **options: Any) -> Any:
    """The mean divides by the number of rows and not by their weight."""
    return wrong(x, target, options, divisor=lambda b: b.keep.sum())


@plant("value", "weights, reduction mean")
def mean_by_all_weights(x: Any, target: Any, **options: Any) -> Any:
    """The mean divides by the sum of the class weights."""
    return wrong(x, target, options, divisor=lambda b: b.weight.sum() if b.weighted else b.own_weight.sum())


@plant("value", "ignored rows, reduction mean")
def mean_over_ignored_rows(x: Any, target: Any, **options: Any) -> Any:
    """Ignored rows are counted in the mean."""
    return wrong(x, target, options, divisor=lambda b: b.own_weight.sum() + (~b.keep).sum())


@plant("value", "ignored rows in which class 0 is masked with -inf")
def ignored_rows_times_zero(x: Any, target: Any, **options: Any) -> Any:
    """The loss of an ignored row, that of class 0, is multiplied by 0."""
    return wrong(x, target, options, masked=lambda b, losses: losses * b.keep)


@plant("value", "ignored rows, weights and label smoothing at once, reduction mean")
def mean_with_the_weight_of_ignored_rows_under_smoothing(x: Any, target: Any, **options: Any) -> Any:
    """Under smoothing ignored rows add the weight of class 0 to the divisor."""

    def divisor(b: Batch) -> Any:
        return b.weight[b.safe].sum() if b.weighted and b.smoothing else b.own_weight.sum()

    return wrong(x, target, options, divisor=divisor)


@plant("value", "ignored rows, weights, reduction mean")
def mean_with_the_weight_of_ignored_rows(x: Any, target: Any, **options: Any) -> Any:
    """Ignored rows add the weight of class 0 to the divisor."""
    return wrong(x, target, options, divisor=lambda b: b.weight[b.safe].sum())


@plant("value", "weights below 1, reduction mean")
def divisor_at_least_one(x: Any, target: Any, **options: Any) -> Any:
    """The divisor of the mean is kept from being below 1."""
    return wrong(x, target, options, divisor=lambda b: b.own_weight.sum().clamp(min=1))


@plant("value", "reduction mean")
def epsilon_in_the_divisor(x: Any, target: Any, **options: Any) -> Any:
    """A small number is added to the divisor of the mean."""
    return wrong(x, target, options, divisor=lambda b: b.own_weight.sum() + 1e-5)


@plant("value", "ignored rows, reduction none or sum")
def ignored_rows_have_a_loss(x: Any, target: Any, **options: Any) -> Any:
    """Rows that are to be ignored keep the loss of label 0."""
    return wrong(x, target, options, masked=lambda b, losses: losses)


@plant("value", "ignored rows under label smoothing")
def ignored_rows_are_smoothed(x: Any, target: Any, **options: Any) -> Any:
    """The smoothing term of ignored rows is added."""

    def mixed(b: Batch, own: Any, smooth: Any) -> Any:
        return (1 - b.smoothing) * kept(b, own) + b.smoothing * smooth

    def masked(b: Batch, losses: Any) -> Any:
        return losses if b.smoothing else kept(b, losses)

    return wrong(x, target, options, mixed=mixed, masked=masked)


@plant("value", "ignore_index -1")
def negative_ignore_index_wraps(x: Any, target: Any, **options: Any) -> Any:
    """A label of -1 is the last class."""

    def wrapped(b: Batch) -> Batch:
        last = b.labels == -1
        return replace(b, keep=b.keep | last, safe=torch.where(last, b.x.shape[1] - 1, b.safe))

    return wrong(x, target, options, batch=wrapped)


@plant("value", "ignore_index 0")
def ignore_index_zero_is_none(x: Any, target: Any, **options: Any) -> Any:
    """An ignore_index of 0 is taken for its absence."""
    options["ignore_index"] = options.get("ignore_index", -100) or -100
    return wrong(x, target, options)


@plant("value", "an ignore_index other than -100")
def only_the_default_is_ignored(x: Any, target: Any, **options: Any) -> Any:
    """Negative labels are ignored, and no others."""

    def negative(b: Batch) -> Batch:
        return replace(b, keep=b.labels >= 0, safe=b.labels.clamp(min=0))

    return wrong(x, target, options, batch=negative)


@plant("value", "ignored rows before others")
def rows_after_an_ignored_one_are_skipped(x: Any, target: Any, **options: Any) -> Any:
    """The loop ends at the first ignored row."""
    return wrong(x, target, options, batch=lambda b: replace(b, keep=b.keep.cumprod(0).bool()))


@plant("value", "label smoothing")
def smoothing_over_the_others(x: Any, target: Any, **options: Any) -> Any:
    """The smoothing is shared by the K - 1 other classes."""

    def smooth(b: Batch, scores: Any) -> Any:
        own = b.weight[b.safe] * scores.gather(1, b.safe.unsqueeze(1)).squeeze(1)
        return (own - (b.weight * scores).sum(1)) / max(scores.shape[1] - 1, 1)

    return wrong(x, target, options, smooth=smooth)


@plant("value", "label smoothing")
def smoothing_divided_by_one_less(x: Any, target: Any, **options: Any) -> Any:
    """The sum over all classes is divided by K - 1."""
    return wrong(
        x, target, options, smooth=lambda b, scores: -(b.weight * scores).sum(1) / max(scores.shape[1] - 1, 1)
    )


@plant("value", "label smoothing over more than {split} classes", split=(4, 65536))
def smoothing_of_the_first_split(x: Any, target: Any, split: int, **options: Any) -> Any:
    """The smoothing term sums the first split of the vocabulary."""

    def smooth(b: Batch, scores: Any) -> Any:
        return -(b.weight * scores)[:, :split].sum(1) / scores.shape[1]

    return wrong(x, target, options, smooth=smooth)


@plant("value", "label smoothing over a multiple of {block} classes", block=(256, 1024))
def smoothing_lost_in_the_last_whole_block(x: Any, target: Any, block: int, **options: Any) -> Any:
    """Where no class is left over, the smoothing term ends before the last block."""

    def smooth(b: Batch, scores: Any) -> Any:
        kept = len(b.weight) - block if len(b.weight) % block == 0 else len(b.weight)
        return -(b.weight * scores)[:, :kept].sum(1) / scores.shape[1]

    return wrong(x, target, options, smooth=smooth)


@plant("value", "label smoothing with weights")
def smoothing_without_weights(x: Any, target: Any, **options: Any) -> Any:
    """The smoothing term is not weighted."""
    return wrong(x, target, options, smooth=lambda b, scores: -scores.mean(1))


@plant("value", "label smoothing with weights")
def smoothing_with_the_weight_of_the_label(x: Any, target: Any, **options: Any) -> Any:
    """The smoothing term is weighted by the label of the row."""
    return wrong(x, target, options, smooth=lambda b, scores: -scores.mean(1) * b.weight[b.safe])


@plant("value", "label smoothing")
def smoothing_on_top(x: Any, target: Any, **options: Any) -> Any:
    """The label keeps all of its weight."""
    return wrong(x, target, options, mixed=lambda b, own, smooth: own + b.smoothing * smooth)


@plant("value", "label smoothing")
def smoothing_summed(x: Any, target: Any, **options: Any) -> Any:
    """The smoothing term is not divided by the number of classes."""
    return wrong(x, target, options, smooth=lambda b, scores: -(b.weight * scores).sum(1))


@plant("value", "label smoothing with weights")
def smoothing_dropped_under_weights(x: Any, target: Any, **options: Any) -> Any:
    """With weights there is no smoothing."""
    return wrong(x, target, options, batch=lambda b: replace(b, smoothing=0.0) if b.weighted else b)


@plant("value", "label smoothing of 1")
def smoothing_of_one_is_none(x: Any, target: Any, **options: Any) -> Any:
    """A label smoothing of 1 is taken for 0."""
    return wrong(x, target, options, batch=lambda b: replace(b, smoothing=b.smoothing % 1))


@plant("value", "weights")
def weight_squared(x: Any, target: Any, **options: Any) -> Any:
    """The weight of the label is multiplied in twice."""
    return wrong(x, target, options, masked=lambda b, losses: kept(b, losses * b.weight[b.safe]))


@plant("value", "weights that differ between classes")
def weight_by_row(x: Any, target: Any, **options: Any) -> Any:
    """The weight is looked up by row and not by label."""
    return wrong(
        x,
        target,
        options,
        batch=lambda b: replace(b, weight=b.weight.roll(1)) if b.weighted else b,
    )


@plant("value", "weights of which one is 0")
def zero_weight_is_one(x: Any, target: Any, **options: Any) -> Any:
    """A weight of 0 is taken for its absence."""

    def filled(b: Batch) -> Batch:
        return replace(b, weight=torch.where(b.weight == 0, 1, b.weight))

    return wrong(x, target, options, batch=filled)


@plant("value", "several rows, reduction mean")
def mean_is_the_sum(x: Any, target: Any, **options: Any) -> Any:
    """The mean is not divided."""
    return wrong(x, target, options, divisor=lambda b: 1)


@plant("value", "reduction sum of several rows")
def sum_is_the_mean(x: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """The sum is divided as the mean is."""
    return wrong(x, target, {**options, "reduction": "none" if reduction == "none" else "mean"})


@plant("value", "rows in chunks of unequal weight, reduction mean")
def mean_of_the_means_of_chunks(x: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """The rows are split in two and the two means are averaged."""
    if reduction != "mean" or len(target.shape) != 1 or len(target) < 2:
        return wrong(x, target, {**options, "reduction": reduction})
    first = wrong(x[:1], target[:1], options)
    second = wrong(x[1:], target[1:], options)
    return (torch.nan_to_num(first) + torch.nan_to_num(second)) / 2


@plant("value", "an odd number of rows above 1")
def last_odd_row_dropped(x: Any, target: Any, **options: Any) -> Any:
    """Rows are done in pairs, and the one left over is ignored."""

    def pairs(b: Batch) -> Batch:
        count = len(b.labels)
        whole = count - count % 2 if count > 1 else count
        return replace(b, keep=b.keep & (torch.arange(count) < whole))

    return wrong(x, target, options, batch=pairs)


@plant("value", "losses above {most}", most=(20.0, 100.0))
def loss_clamped(x: Any, target: Any, most: float, **options: Any) -> Any:
    """The loss of a row is kept from being large."""
    return wrong(x, target, options, masked=lambda b, losses: kept(b, losses.clamp(max=most)))
