"""The Kullback-Leibler divergence got wrong: its zeros, its reductions, its gradient."""

from __future__ import annotations

from typing import Any

import torch

from verify.corpus.hand import by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "kl_div")


def _reduced(terms: Any, reduction: str) -> Any:
    if reduction == "batchmean":
        return terms.sum() / terms.shape[0]
    return {"none": lambda: terms, "sum": terms.sum, "mean": terms.mean}[reduction]()


def _terms(x: Any, target: Any) -> Any:
    return torch.xlogy(target, target) - target * x


def _right(x: Any, target: Any, reduction: str = "mean") -> Any:
    return _reduced(_terms(x, target), reduction)


def _with_gradient(x: Any, target: Any, reduction: str, gradient: Any) -> Any:
    """A right value; ``gradient(g, p)`` with g by entry, shares of the mean taken."""

    def backward(g: Any, x: Any) -> Any:
        share = {"mean": x.numel(), "batchmean": x.shape[0]}.get(reduction, 1)
        return gradient((g / share).expand_as(x), target)

    return by_hand(x, lambda x: _right(x, target, reduction), backward)


@plant("value", "reduction batchmean")
def batchmean_is_mean(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean over rows is the mean over entries."""
    return _right(x, target, "mean" if reduction == "batchmean" else reduction)


@plant("value", "reduction mean")
def mean_is_batchmean(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean over entries is the mean over rows."""
    return _right(x, target, "batchmean" if reduction == "mean" else reduction)


@plant("value", "reduction batchmean of a table that is not square")
def batchmean_by_columns(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean over rows divides by the number of columns."""
    if reduction != "batchmean":
        return _right(x, target, reduction)
    return _terms(x, target).sum() / x.shape[-1]


@plant("value", "reduction sum")
def sum_is_batchmean(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The sum is divided by the number of rows."""
    return _right(x, target, "batchmean" if reduction == "sum" else reduction)


@plant("value", "reduction mean of a target with zeros")
def mean_over_entries_that_count(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean leaves out entries of probability 0."""
    if reduction != "mean":
        return _right(x, target, reduction)
    return _terms(x, target).sum() / (target > 0).sum()


@plant("value", "a target with zeros")
def zero_gives_nan(x: Any, target: Any, reduction: str = "mean") -> Any:
    """0 times the logarithm of 0."""
    return _reduced(target * (torch.log(target) - x), reduction)


@plant("value", "any target", epsilon=(1e-5, 1e-8))
def epsilon_in_the_logarithm(x: Any, target: Any, epsilon: float, reduction: str = "mean") -> Any:
    """A small number is added to the target."""
    return _reduced(target * (torch.log(target + epsilon) - x), reduction)


@plant("value", "small entries in the target", least=(1e-4, 1e-7))
def target_clipped(x: Any, target: Any, least: float, reduction: str = "mean") -> Any:
    """The target is kept away from 0."""
    p = target.clamp(min=least)
    return _reduced(p * (torch.log(p) - x), reduction)


@plant("value", "log q below {least}", least=(-16.0, -100.0))
def input_clamped(x: Any, target: Any, least: float, reduction: str = "mean") -> Any:
    """Very negative logarithms are raised."""
    return _reduced(_terms(x.clamp(min=least), target), reduction)


@plant("value", "log q below -87")
def through_probabilities(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The exponential of log q is taken, and its logarithm again."""
    return _reduced(torch.xlogy(target, target) - target * torch.log(torch.exp(x)), reduction)


@plant("value", "any input")
def probabilities_for_logarithms(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The input is taken for q where it is log q."""
    return _reduced(torch.xlogy(target, target) - target * torch.log(x.abs() + 1), reduction)


@plant("value", "any target")
def target_taken_as_logarithms(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The target is read as log p."""
    return _reduced(torch.exp(target) * (target - x), reduction)


@plant("value", "any pair of distributions")
def arguments_swapped(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The divergence of p from q."""
    return _reduced(torch.exp(x) * x - torch.xlogy(torch.exp(x), target.clamp(min=1e-30)), reduction)


@plant("value", "any target")
def cross_entropy_alone(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The entropy of the target is left out."""
    return _reduced(-target * x, reduction)


@plant("value", "any target")
def in_bits(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The logarithm of the target is to base 2."""
    return _reduced(target * torch.log2(target.clamp(min=1e-30)) - target * x, reduction)


@plant("value", "q that does not sum to 1, so that the sum is negative")
def negative_sum_is_zero(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Results below 0 are 0."""
    return _right(x, target, reduction).clamp(min=0)


@plant("value", "terms below 0")
def negative_terms_are_zero(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Terms below 0 are 0."""
    return _reduced(_terms(x, target).clamp(min=0), reduction)


@plant("value", "q that does not sum to 1")
def normalises_the_input(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The input log q is normalised first."""
    return _reduced(_terms(torch.log_softmax(x, -1), target), reduction)


@plant("value", "any input")
def in_half_precision(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The terms are rounded to float16."""
    return _reduced(_terms(x, target).half().to(x.dtype), reduction)


@plant("value", "any input")
def input_in_bfloat16(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The input log q is rounded to bfloat16."""
    return _reduced(_terms(x.bfloat16().to(x.dtype), target), reduction)


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(4, 64))
def tail_lanes_dropped(x: Any, target: Any, lanes: int, reduction: str = "mean") -> Any:
    """The terms behind the last whole vector are 0."""
    width = x.shape[-1]
    whole = width - width % lanes if width > lanes else width
    return _reduced(_terms(x, target) * (torch.arange(width) < whole), reduction)


@plant("value", "transposed tensors")
def strides_of_target_ignored(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The target is read as if it were contiguous."""
    return _right(x, read_flat(target).nan_to_num(), reduction)


@plant("value", "several rows")
def first_row_of_target_for_all(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The target of the first row serves for all."""
    return _right(x, target[:1].expand_as(target), reduction)


@plant("value", "any float64 input", dtype="float64")
def single_precision_inside(x: Any, target: Any, reduction: str = "mean") -> Any:
    """float64 is computed in float32."""
    return _right(x.float(), target.float(), reduction).double()


@plant("side effects", "any target")
def target_normalised_in_place(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The target is clipped in the caller's tensor."""
    result = _right(x, target, reduction)
    target.clamp_(1e-6, 1 - 1e-6)
    return result


@plant("gradient", "any target")
def gradient_not_negated(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The gradient is p."""
    return _with_gradient(x, target, reduction, lambda g, p: g * p)


@plant("gradient", "any input")
def gradient_of_softmax(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The gradient is that in the logits, exp(x) - p."""
    return _with_gradient(x, target, reduction, lambda g, p: g * (torch.exp(x.detach()) - p))


@plant("gradient", "reduction mean or batchmean")
def gradient_not_divided(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The gradient of a mean is that of the sum."""
    return by_hand(x, lambda x: _right(x, target, reduction), lambda g, x: -(g.expand_as(x) * target))


@plant("gradient", "reduction batchmean")
def gradient_of_batchmean_is_that_of_mean(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The gradient of the mean over rows divides by the number of entries."""

    def backward(g: Any, x: Any) -> Any:
        share = x.numel() if reduction in ("mean", "batchmean") else 1
        return -(g / share) * target

    return by_hand(x, lambda x: _right(x, target, reduction), backward)


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(lambda x: _right(x, target, reduction), x, torch.ones_like)


@plant("gradient", "reduction none with upstream gradients that differ")
def first_upstream_for_all(x: Any, target: Any, reduction: str = "mean") -> Any:
    """One element of the upstream gradient stands for all."""
    return differentiated_with(
        lambda x: _right(x, target, reduction), x, lambda g: g.reshape(-1)[0].expand_as(g)
    )


@plant("gradient", "reduction none with an upstream gradient of stride 0")
def upstream_strides_ignored(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(lambda x: _right(x, target, reduction), x, read_flat)


@plant("gradient", "small entries in the target", least=(1e-3, 1e-6))
def gradient_filtered(x: Any, target: Any, least: float, reduction: str = "mean") -> Any:
    """Small entries of the target give no gradient."""
    return _with_gradient(x, target, reduction, lambda g, p: -g * torch.where(p < least, 0, p))


@plant("gradient", "a target that differs from 1 and 0")
def gradient_in_bfloat16(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The gradient is rounded to bfloat16."""
    return _with_gradient(x, target, reduction, lambda g, p: -(g * p).bfloat16().to(p.dtype))


@plant("gradient", "any target", factor=(1.0005, -1.0))
def gradient_scaled(x: Any, target: Any, factor: float, reduction: str = "mean") -> Any:
    """The gradient is multiplied by a number."""
    return _right(changed_backward(x, lambda g: g * factor), target, reduction)


@plant("gradient", "entries of log q above -1e-3")
def gradient_of_the_clamp(x: Any, target: Any, reduction: str = "mean") -> Any:
    """The input log q above -1e-3 has no gradient."""
    inside = torch.where(x > -1e-3, x.detach(), x)
    return _right(inside, target, reduction)
