"""Binary cross-entropy of logits got wrong: its cancellations, its clamps, its weights, its gradient."""

from __future__ import annotations

from typing import Any

import torch

from verify.corpus import rows
from verify.corpus.hand import by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "binary_cross_entropy_with_logits")


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def _losses(z: Any, t: Any) -> Any:
    return z.clamp(min=0) - z * t + torch.log1p(torch.exp(-z.abs()))


def right(z: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The sum of two softplus, with its gradient by hand."""
    w = torch.ones_like(z) if weight is None else weight.expand_as(z)
    up = torch.ones_like(z) if pos_weight is None else pos_weight.expand_as(z)

    def value(z: Any) -> Any:
        if pos_weight is None:
            return w * _losses(z, t)
        tail = torch.log1p(torch.exp(-z.abs()))
        return w * (up * t * ((-z).clamp(min=0) + tail) + (1 - t) * (z.clamp(min=0) + tail))

    def gradient(g: Any, z: Any) -> Any:
        if pos_weight is None:
            return g * w * (torch.sigmoid(z) - t)
        return g * w * ((1 - t) * torch.sigmoid(z) - up * t * torch.sigmoid(-z))

    return _reduced(by_hand(z, value, gradient), reduction)


def _with_gradient(z: Any, t: Any, reduction: str, gradient: Any) -> Any:
    """A right value; ``gradient(g, z)`` with g by entry."""
    return _reduced(by_hand(z, lambda z: _losses(z, t), gradient), reduction)


@plant("value", "target 0 and z < -17")
def difference_of_logit_and_log_sigmoid(z: Any, t: Any, reduction: str = "mean") -> Any:
    """(1 - t) z - log sigmoid(z) cancels."""
    return _reduced((1 - t) * z - torch.nn.functional.logsigmoid(z), reduction)


@plant("value", "|z| > 17")
def through_the_probability(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The logarithm of a probability that is 0 or 1."""
    return torch.nn.functional.binary_cross_entropy(torch.sigmoid(z), t, reduction=reduction)


@plant("value", "|z| large", least=(1e-7, 1e-4))
def clipped_probability(z: Any, t: Any, least: float, reduction: str = "mean") -> Any:
    """The probability is clipped before the logarithm."""
    s = torch.sigmoid(z).clamp(least, 1 - least)
    return _reduced(-(t * torch.log(s) + (1 - t) * torch.log(1 - s)), reduction)


@plant("value", "any z", epsilon=(1e-6, 1e-8))
def epsilon_in_the_logarithm(z: Any, t: Any, epsilon: float, reduction: str = "mean") -> Any:
    """A small number is added to each probability."""
    s, r = torch.sigmoid(z), torch.sigmoid(-z)
    return _reduced(-(t * torch.log(s + epsilon) + (1 - t) * torch.log(r + epsilon)), reduction)


@plant("value", "|z| > 17")
def log_of_one_plus(z: Any, t: Any, reduction: str = "mean") -> Any:
    """log(1 + e) loses a small e."""
    return _reduced(z.clamp(min=0) - z * t + torch.log(1 + torch.exp(-z.abs())), reduction)


@plant("value", "z < -89")
def softplus_of_minus_z_overflows(z: Any, t: Any, reduction: str = "mean") -> Any:
    """(1 - t) z + log(1 + exp(-z)) overflows."""
    return _reduced((1 - t) * z + torch.log1p(torch.exp(-z)), reduction)


@plant("value", "z < 0")
def shift_on_one_side_only(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The logit is not subtracted where it is negative."""
    return _reduced(z.clamp(min=0) - z.clamp(min=0) * t + torch.log1p(torch.exp(-z.abs())), reduction)


@plant("value", "any z")
def label_complemented(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The target is that of the other class."""
    return right(z, 1 - t, reduction=reduction)


@plant("value", "targets between 0 and 1")
def hard_labels(z: Any, t: Any, reduction: str = "mean") -> Any:
    """Soft targets are rounded."""
    return right(z, (t >= 0.5).to(t.dtype), reduction=reduction)


@plant("value", "targets between 0 and 1")
def soft_labels_positive(z: Any, t: Any, reduction: str = "mean") -> Any:
    """Every target above 0 counts as 1."""
    return right(z, (t > 0).to(t.dtype), reduction=reduction)


@plant("value", "|z| > 20", reach=(10.0, 20.0, 50.0))
def logits_clamped(z: Any, t: Any, reach: float, reduction: str = "mean") -> Any:
    """Logits are kept from being large."""
    return right(z.clamp(-reach, reach), t, reduction=reduction)


@plant("value", "losses above 100 of a mean")
def loss_clamped(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The loss of an entry is at most 100."""
    return _reduced(_losses(z, t).clamp(max=100.0), reduction)


@plant("value", "any z that is not 0")
def polynomial_exp(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The exponential by a polynomial of degree 3."""
    return _reduced(z.clamp(min=0) - z * t + torch.log1p(rows.fast_exp(-z.abs(), 3)), reduction)


@plant("value", "any z")
def in_bfloat16(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The logits are rounded to bfloat16."""
    return right(z.bfloat16().to(z.dtype), t, reduction=reduction)


@plant("value", "any z")
def losses_in_half_precision(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The losses are rounded to float16."""
    return _reduced(_losses(z, t).half().to(z.dtype), reduction)


@plant("value", "several columns, reduction mean")
def mean_over_rows(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The mean divides by the number of rows."""
    return _losses(z, t).sum() / z.shape[0] if reduction == "mean" else right(z, t, reduction=reduction)


@plant("value", "reduction sum")
def sum_is_the_mean(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The sum is divided as the mean is."""
    return right(z, t, reduction="mean" if reduction == "sum" else reduction)


@plant("value", "targets of which some are 0, reduction mean")
def mean_over_positive_targets(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The mean divides by the number of targets above 0."""
    if reduction != "mean":
        return right(z, t, reduction=reduction)
    return _losses(z, t).sum() / (t > 0).sum().clamp(min=1)


@plant("value", "rows wider than {lanes}, and not by a multiple", lanes=(8, 32))
def tail_lanes_dropped(z: Any, t: Any, lanes: int, reduction: str = "mean") -> Any:
    """The losses behind the last whole vector are 0."""
    width = z.shape[-1]
    whole = width - width % lanes if width > lanes else width
    return _reduced(_losses(z, t) * (torch.arange(width) < whole), reduction)


@plant("value", "transposed tensors")
def strides_of_target_ignored(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The target is read as if it were contiguous."""
    return right(z, read_flat(t).nan_to_num(), reduction=reduction)


@plant("value", "any z in float64", dtype="float64")
def single_precision_inside(z: Any, t: Any, reduction: str = "mean") -> Any:
    """float64 is computed in float32."""
    return right(z.float(), t.float(), reduction=reduction).double()


@plant("value", "weights on positive targets")
def pos_weight_on_negatives(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The weight of positive targets is on the other term."""
    if pos_weight is None:
        return right(z, t, reduction=reduction)
    return right(-z, 1 - t, pos_weight=pos_weight, reduction=reduction)


@plant("value", "weights on positive targets")
def pos_weight_on_both(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The weight of positive targets is on both terms."""
    return right(z, t, weight=pos_weight, reduction=reduction)


@plant("value", "weights on positive targets")
def pos_weight_ignored(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The weight of positive targets is not used."""
    return right(z, t, reduction=reduction)


@plant("value", "z < -88 with weights on positive targets")
def pos_weight_unstable(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """With a weight of positive targets the exponential is not shifted."""
    if pos_weight is None:
        return right(z, t, reduction=reduction)
    factor = 1 + (pos_weight - 1) * t
    return _reduced((1 - t) * z + factor * torch.log(1 + torch.exp(-z)), reduction)


@plant("value", "weights, reduction mean")
def mean_divided_by_weights(z: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The mean divides by the sum of the weights."""
    if weight is None or reduction != "mean":
        return right(z, t, weight=weight, reduction=reduction)
    return right(z, t, weight=weight, reduction="sum") / weight.expand_as(z).sum()


@plant("value", "weights on positive targets")
def pos_weight_as_weight_of_rows(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The weights of the classes are applied in reverse order."""
    turned = None if pos_weight is None else pos_weight.flip(0)
    return right(z, t, pos_weight=turned, reduction=reduction)


@plant("side effects", "any input")
def exponential_in_place(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The exponential is written over the logits."""
    result = right(z, t, reduction=reduction)
    z.detach().abs_().neg_().exp_()
    return result


@plant("gradient", "targets above 0")
def gradient_without_target(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient is sigmoid(z)."""
    return _with_gradient(z, t, reduction, lambda g, z: g * torch.sigmoid(z))


@plant("gradient", "z = 0")
def gradient_of_the_clamp_at_zero(z: Any, t: Any, reduction: str = "mean") -> Any:
    """Autograd through max(z, 0) and |z| gives 1 - t at z = 0."""
    return _reduced(_losses(z, t), reduction)


@plant("gradient", "|z| large", least=(1e-4, 1e-6))
def gradient_filtered(z: Any, t: Any, least: float, reduction: str = "mean") -> Any:
    """Small gradients are 0."""

    def gradient(g: Any, z: Any) -> Any:
        d = torch.sigmoid(z) - t
        return g * torch.where(d.abs() < least, 0, d)

    return _with_gradient(z, t, reduction, gradient)


@plant("gradient", "any z")
def gradient_with_the_derivative_of_sigmoid(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient of the squared error."""
    return _with_gradient(
        z, t, reduction, lambda g, z: g * (torch.sigmoid(z) - t) * torch.sigmoid(z) * torch.sigmoid(-z)
    )


@plant("gradient", "|z| > 100")
def gradient_through_the_probability(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient divides by a probability that is 0."""

    def gradient(g: Any, z: Any) -> Any:
        s = torch.sigmoid(z)
        return g * ((1 - t) / (1 - s) - t / s) * s * (1 - s)

    return _with_gradient(z, t, reduction, gradient)


@plant("gradient", "z > 0")
def gradient_of_the_saturated_side(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient is 1 - t from z = 10 on."""
    return _with_gradient(z, t, reduction, lambda g, z: g * (torch.where(z > 10, 1.0, torch.sigmoid(z)) - t))


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(lambda z: right(z, t, reduction=reduction), z, torch.ones_like)


@plant("gradient", "reduction none with upstream gradients that differ")
def first_upstream_for_all(z: Any, t: Any, reduction: str = "mean") -> Any:
    """One element of the upstream gradient stands for all."""
    return differentiated_with(
        lambda z: right(z, t, reduction=reduction), z, lambda g: g.reshape(-1)[0].expand_as(g)
    )


@plant("gradient", "reduction none with an upstream gradient of stride 0")
def upstream_strides_ignored(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(lambda z: right(z, t, reduction=reduction), z, read_flat)


@plant("gradient", "reduction mean of several entries")
def gradient_not_divided(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient of the mean is that of the sum."""
    factor = z.numel() if reduction == "mean" else 1
    return right(changed_backward(z, lambda g: g * factor), t, reduction=reduction)


@plant("gradient", "weights on positive targets")
def pos_weight_not_in_the_gradient(z: Any, t: Any, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """The gradient is that without a weight of positive targets."""
    free = right(z, t, reduction=reduction)
    return free + (right(z.detach(), t, pos_weight=pos_weight, reduction=reduction) - free.detach())


@plant("gradient", "any z")
def gradient_in_half_precision(z: Any, t: Any, reduction: str = "mean") -> Any:
    """The gradient is rounded to float16."""
    return _with_gradient(z, t, reduction, lambda g, z: (g * (torch.sigmoid(z) - t)).half().to(z.dtype))


@plant("gradient", "any z", factor=(0.999, 2.0))
def gradient_scaled(z: Any, t: Any, factor: float, reduction: str = "mean") -> Any:
    """The gradient is multiplied by a number."""
    return right(changed_backward(z, lambda g: g * factor), t, reduction=reduction)
