"""The gradient of cross-entropy got wrong, under a right value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from verify.corpus.hand import changed_backward, read_flat
from verify.corpus.labelled import Backward, Steps, loss, wrong_gradient
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "cross_entropy")


@plant("gradient", "any row of several entries")
def softmax_term_deleted(x: Any, target: Any, **options: Any) -> Any:
    """Only the label has a gradient."""
    return wrong_gradient(x, target, options, lambda b: -b.upstream * b.wanted)


@plant("gradient", "any row")
def label_term_deleted(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is softmax."""
    return wrong_gradient(
        x, target, options, lambda b: b.upstream * b.softmax * b.wanted.sum(1, keepdim=True)
    )


@plant("gradient", "an upstream gradient that is not 1")
def upstream_ignored(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is computed in the forward pass and handed on as it is."""
    return wrong_gradient(x, target, options, lambda b: b.gradient, torch.ones_like)


@plant("gradient", "reduction none with upstream gradients that differ")
def first_upstream_for_all(x: Any, target: Any, **options: Any) -> Any:
    """The upstream gradient of the first row serves for all."""
    return wrong_gradient(x, target, options, lambda b: b.gradient, lambda g: g.reshape(-1)[0].expand_as(g))


@plant("gradient", "reduction none with 1 for the first upstream gradient and others that differ")
def scaling_skipped_where_the_first_is_one(x: Any, target: Any, **options: Any) -> Any:
    """Where the first upstream gradient is 1 none is multiplied in."""

    def change(g: Any) -> Any:
        return torch.where(g.reshape(-1)[0] == 1, torch.ones_like(g), g) if g.numel() else g

    return wrong_gradient(x, target, options, lambda b: b.gradient, change)


@plant("gradient", "reduction none with several rows")
def upstream_summed(x: Any, target: Any, **options: Any) -> Any:
    """The upstream gradients of all rows are added."""
    return wrong_gradient(x, target, options, lambda b: b.gradient, lambda g: g.sum().expand_as(g))


@plant("gradient", "reduction none with an upstream gradient of stride 0")
def upstream_strides_ignored(x: Any, target: Any, **options: Any) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return wrong_gradient(x, target, options, lambda b: b.gradient, read_flat)


@plant("gradient", "reduction mean of several rows")
def mean_not_divided(x: Any, target: Any, **options: Any) -> Any:
    """The gradient of the mean is that of the sum."""

    def combine(b: Backward) -> Any:
        count = b.batch.own_weight.sum() if b.batch.reduction == "mean" else 1
        return b.gradient * count

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "reduction mean with ignored rows")
def mean_divided_by_all_rows(x: Any, target: Any, **options: Any) -> Any:
    """The gradient of the mean counts ignored rows."""

    def combine(b: Backward) -> Any:
        if b.batch.reduction != "mean":
            return b.gradient
        weight = b.batch.own_weight.sum()
        return b.gradient * (weight / (weight + (~b.batch.keep).sum()))

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "reduction mean under weights")
def mean_divided_by_count_under_weights(x: Any, target: Any, **options: Any) -> Any:
    """The gradient of the mean divides by the number of rows."""

    def combine(b: Backward) -> Any:
        if b.batch.reduction != "mean":
            return b.gradient
        return b.gradient * (b.batch.own_weight.sum() / b.batch.keep.sum())

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "ignored rows")
def ignored_rows_have_a_gradient(x: Any, target: Any, **options: Any) -> Any:
    """Ignored rows keep the softmax term."""
    return wrong_gradient(
        x, target, options, lambda b: torch.where(b.batch.keep.unsqueeze(1), b.gradient, b.softmax)
    )


@plant("gradient", "ignored rows under label smoothing")
def ignored_rows_are_smoothed(x: Any, target: Any, **options: Any) -> Any:
    """Under label smoothing ignored rows have a gradient."""

    def combine(b: Backward) -> Any:
        return b.gradient + (~b.batch.keep).unsqueeze(1) * b.batch.smoothing * b.softmax

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "weights")
def weight_forgotten(x: Any, target: Any, **options: Any) -> Any:
    """The weight of the label is not in the gradient."""

    def combine(b: Backward) -> Any:
        own = b.wanted / b.wanted.sum(1, keepdim=True).clamp(min=1e-30)
        return replace(b, wanted=own).gradient if b.batch.weighted else b.gradient

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "weights")
def weight_on_the_label_only(x: Any, target: Any, **options: Any) -> Any:
    """The softmax term is not weighted."""
    return wrong_gradient(x, target, options, lambda b: b.upstream * (b.softmax - b.wanted))


@plant("gradient", "label smoothing")
def smoothing_forgotten(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is that of the loss without smoothing."""

    def combine(b: Backward) -> Any:
        one_hot = torch.nn.functional.one_hot(b.batch.safe, b.wanted.shape[1])
        return replace(b, wanted=b.batch.weight[b.batch.safe].unsqueeze(1) * one_hot).gradient

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "label smoothing")
def smoothing_over_the_others(x: Any, target: Any, **options: Any) -> Any:
    """The gradient shares the smoothing among the K - 1 other classes."""

    def combine(b: Backward) -> Any:
        classes = b.wanted.shape[1]
        if not b.batch.smoothing or classes == 1:
            return b.gradient
        one_hot = torch.nn.functional.one_hot(b.batch.safe, classes)
        share = b.batch.smoothing * b.batch.weight / (classes - 1) * (1 - one_hot)
        own = (1 - b.batch.smoothing) * b.batch.weight[b.batch.safe].unsqueeze(1) * one_hot
        return replace(b, wanted=own + share).gradient

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "label smoothing")
def smoothing_not_taken_from_the_label(x: Any, target: Any, **options: Any) -> Any:
    """The label's entry is softmax - 1 under smoothing too."""

    def combine(b: Backward) -> Any:
        one_hot = torch.nn.functional.one_hot(b.batch.safe, b.wanted.shape[1])
        extra = b.batch.smoothing * b.batch.weight[b.batch.safe].unsqueeze(1) * one_hot
        return b.gradient - b.upstream * extra

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "probabilities below {least}", least=(1e-3, 1e-5, 2.0**-12))
def gradient_filtered(x: Any, target: Any, least: float, **options: Any) -> Any:
    """Entries whose probability is small get no gradient."""

    def combine(b: Backward) -> Any:
        small = (b.softmax < least) & (b.wanted == 0)
        return torch.where(small, 0.0, b.gradient)

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "rows wider than {lanes}, and not by a multiple", lanes=(4, 64, 1024))
def tail_not_written(x: Any, target: Any, lanes: int, **options: Any) -> Any:
    """The gradient behind the last whole vector stays 0."""

    def combine(b: Backward) -> Any:
        width = b.softmax.shape[1]
        whole = width - width % lanes if width > lanes else width
        return b.gradient * (torch.arange(width) < whole)

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "a label in a later chunk of {chunk} classes", chunk=(2, 1024))
def label_in_a_later_chunk(x: Any, target: Any, chunk: int, **options: Any) -> Any:
    """Nothing is subtracted at a label beyond the first chunk."""
    return wrong_gradient(
        x,
        target,
        options,
        lambda b: b.gradient + b.upstream * b.wanted * (torch.arange(b.wanted.shape[1]) >= chunk),
    )


@plant("gradient", "label 0")
def label_zero_skipped(x: Any, target: Any, **options: Any) -> Any:
    """Nothing is subtracted at label 0."""
    return wrong_gradient(
        x,
        target,
        options,
        lambda b: b.gradient + b.upstream * b.wanted * (torch.arange(b.wanted.shape[1]) == 0),
    )


@plant("gradient", "several rows")
def last_row_without_gradient(x: Any, target: Any, **options: Any) -> Any:
    """The last of several rows gets no gradient."""

    def combine(b: Backward) -> Any:
        count = len(b.batch.labels)
        return b.gradient * ((torch.arange(count) < count - 1) | (count == 1)).unsqueeze(1)

    return wrong_gradient(x, target, options, combine)


@plant("gradient", "any row")
def in_half_precision(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is rounded to float16."""
    return wrong_gradient(x, target, options, lambda b: b.gradient.half().to(x.dtype))


@plant("gradient", "confident rows", dtype="float32")
def softmax_rounded_before_the_label(x: Any, target: Any, **options: Any) -> Any:
    """Softmax is rounded to bfloat16 before the label is subtracted."""
    return wrong_gradient(
        x, target, options, lambda b: replace(b, softmax=b.softmax.bfloat16().to(x.dtype)).gradient
    )


@plant("gradient", "any row", factor=(1.001, -1.0, 0.5))
def scaled(x: Any, target: Any, factor: float, **options: Any) -> Any:
    """The gradient is multiplied by a number."""
    return loss(changed_backward(x, lambda g: g * factor), target, Steps(), **options)


@plant("gradient", "gradients above {most}", most=(0.1, 1.0))
def clipped(x: Any, target: Any, most: float, **options: Any) -> Any:
    """The gradient is clipped."""
    return wrong_gradient(x, target, options, lambda b: b.gradient.clamp(-most, most))


@plant("gradient", "any input")
def detached(x: Any, target: Any, **options: Any) -> Any:
    """The result is cut off from autograd."""
    return loss(x.detach(), target, Steps(), **options)
