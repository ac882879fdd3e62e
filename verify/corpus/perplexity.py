"""Perplexity of labels under logits, got wrong and right."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus.hand import changed_backward
from verify.corpus.labelled import wrong
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "perplexity")
right = sower(RIGHTS, "perplexity")


def _axis(x: Any) -> int:
    return 0 if x.ndim == 1 else 1


@right(dtypes=("float32", "float64"))
def exp_of_cross_entropy(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The exponential of the mean cross-entropy."""
    return torch.exp(functional.cross_entropy(x, target, ignore_index=ignore_index))


@right()
def perplexity_in_double(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """Computed in float64 and rounded once."""
    return torch.exp(functional.cross_entropy(x.double(), target, ignore_index=ignore_index)).to(x.dtype)


@right(dtypes=("float32", "float64", "bfloat16"))
def perplexity_by_hand(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """With the maximum as shift, differentiated through the maximum."""

    def scores(x: Any) -> Any:
        shifted = x - x.amax(1, keepdim=True)
        return shifted - torch.log(torch.exp(shifted).sum(1, keepdim=True))

    return torch.exp(wrong(x, target, {"ignore_index": ignore_index}, scores=scores))


@plant("value", "any logits")
def to_base_two(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """2 to the power of a loss in nats."""
    return torch.exp2(functional.cross_entropy(x, target, ignore_index=ignore_index))


@plant("value", "ignored rows")
def mean_over_ignored_rows(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """Ignored rows are counted in the mean."""
    return torch.exp(functional.cross_entropy(x, target, ignore_index=ignore_index, reduction="none").mean())


@plant("value", "several rows")
def mean_of_perplexities(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The perplexities of the rows are averaged."""
    losses = functional.cross_entropy(x, target, ignore_index=ignore_index, reduction="none")
    keep = target != ignore_index
    return (torch.exp(losses) * keep).sum() / keep.sum()


@plant("value", "mean losses above {limit}", limit=(10.0, 20.0, 70.0))
def mean_loss_clamped(x: Any, target: Any, limit: float, ignore_index: int = -100) -> Any:
    """The mean is clamped before the exponential, as training scripts do so that it does not overflow."""
    return torch.exp(functional.cross_entropy(x, target, ignore_index=ignore_index).clamp(max=limit))


@plant("value", "rows wider than 256")
def vocabulary_cut_off(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """Classes behind the first 256 are not in the sum, unless a label is among them."""
    few = 256 if x.shape[_axis(x)] > 256 and int(target.max()) < 256 else x.shape[_axis(x)]
    return torch.exp(functional.cross_entropy(x.narrow(_axis(x), 0, few), target, ignore_index=ignore_index))


@plant("value", "several rows")
def exp_of_the_sum(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The losses are added and not averaged."""
    return torch.exp(functional.cross_entropy(x, target, ignore_index=ignore_index, reduction="sum"))


@plant("value", "any logits")
def loss_in_half_precision(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The mean loss is rounded to bfloat16."""
    mean = functional.cross_entropy(x, target, ignore_index=ignore_index)
    return torch.exp(mean.bfloat16().to(x.dtype))


@plant("value", "-1 as ignored label")
def negative_label_clamped(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """Negative labels are read as label 0."""
    return torch.exp(functional.cross_entropy(x, target.clamp(min=0), ignore_index=ignore_index))


@plant("gradient", "any logits")
def gradient_of_the_loss(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The gradient is not multiplied by the perplexity."""
    mean = functional.cross_entropy(x, target, ignore_index=ignore_index)
    return torch.exp(mean.detach()) + (mean - mean.detach())


@plant("gradient", "any logits")
def gradient_scaled(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """The gradient is a thousandth too large."""
    changed = changed_backward(x, lambda g: 1.001 * g)
    return torch.exp(functional.cross_entropy(changed, target, ignore_index=ignore_index))


@plant("gradient", "small probabilities")
def gradient_filtered(x: Any, target: Any, ignore_index: int = -100) -> Any:
    """Entries of probability below 1 in 20 have no gradient."""
    small = torch.softmax(x.detach(), _axis(x)) < 0.05
    return torch.exp(
        functional.cross_entropy(torch.where(small, x.detach(), x), target, ignore_index=ignore_index)
    )
