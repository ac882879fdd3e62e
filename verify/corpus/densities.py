"""Likelihoods of normal, Poisson, Laplace and negative binomial distributions, got wrong and right."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus.hand import by_hand, changed_backward
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
gaussian = planter(FAULTS, "gaussian_nll_loss")
poisson = planter(FAULTS, "poisson_nll_loss")
laplace = planter(FAULTS, "laplace_nll")
right_gaussian = sower(RIGHTS, "gaussian_nll_loss")
right_poisson = sower(RIGHTS, "poisson_nll_loss")
right_laplace = sower(RIGHTS, "laplace_nll")

SINGLE = ("float32", "float64")


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def _normal(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    return _reduced((torch.log(v) + (x - t) ** 2 / v) / 2, reduction)


@right_gaussian(dtypes=SINGLE)
def half_of_two_terms(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Half of log v and the squared distance over v."""
    return _normal(x, t, v, reduction)


@right_gaussian(dtypes=SINGLE)
def torch_gaussian_nll_loss(x: Any, t: Any, v: Any, **options: Any) -> Any:
    """The gaussian_nll_loss of torch.nn.functional."""
    return functional.gaussian_nll_loss(x, t, v, **options)


@right_gaussian(dtypes=SINGLE)
def normal_log_prob(x: Any, t: Any, v: Any, reduction: str = "mean", full: bool = False) -> Any:
    """Minus the log_prob of torch.distributions.Normal, which has the constant in it."""
    if not full:
        raise NotImplementedError("without the constant")
    return _reduced(-torch.distributions.Normal(x, v.sqrt(), validate_args=False).log_prob(t), reduction)


@right_gaussian(dtypes=SINGLE)
def standardised(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Half the square of the distance in standard deviations, and the logarithm of the deviation."""
    scale = v.sqrt()
    return _reduced(((t - x) / scale) ** 2 / 2 + scale.log(), reduction)


@right_gaussian(dtypes=SINGLE)
def by_precision(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The squared distance times the rounded reciprocal of the variance."""
    d, precision = x - t, 1 / v
    return _reduced((d * d * precision - precision.log()) / 2, reduction)


@gaussian("value", "any input")
def variance_as_deviation(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The variance is taken for the standard deviation."""
    return _normal(x, t, v * v, reduction)


@gaussian("value", "any input")
def logarithm_not_halved(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Only the squared distance is halved."""
    return _reduced(torch.log(v) + (x - t) ** 2 / v / 2, reduction)


@gaussian("value", "small variances")
def variance_clamped(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Variances are at least 1e-3."""
    return _normal(x, t, v.clamp(min=1e-3), reduction)


@gaussian("value", "any input")
def epsilon_added_to_the_variance(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """A small number is added to the variance."""
    return _normal(x, t, v + 1e-5, reduction)


@gaussian("value", "targets and means with a common offset")
def square_expanded(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """(x - t)^2 as x^2 - 2 x t + t^2, which cancels."""
    return _reduced((torch.log(v) + (x * x - 2 * x * t + t * t) / v) / 2, reduction)


@gaussian("value", "distances above 10")
def distance_clamped(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Distances are at most 10."""
    return _normal(t + (x - t).clamp(-10, 10), t, v, reduction)


@gaussian("gradient", "any input")
def gradient_not_over_the_variance(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The gradient in the mean is not divided by the variance."""
    losses = by_hand(x, lambda x: (torch.log(v) + (x - t) ** 2 / v) / 2, lambda g, x: g * (x - t))
    return _reduced(losses, reduction)


@gaussian("gradient", "any input")
def gradient_of_the_mean_doubled(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The half is forgotten in the gradient."""
    return _normal(changed_backward(x, lambda g: 2 * g), t, v, reduction)


@gaussian("gradient", "any upstream gradient")
def gradient_in_half_precision(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The gradient in the mean is rounded to float16."""
    return _normal(changed_backward(x, lambda g: g.half().to(g.dtype)), t, v, reduction)


@gaussian("gradient of var", "any input")
def variance_cut_off_from_the_logarithm(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The gradient in the variance lacks the logarithm."""
    return _reduced((torch.log(v.detach()) + (x - t) ** 2 / v) / 2, reduction)


@gaussian("gradient of var", "any input")
def variance_gradient_over_v_once(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The squared distance is divided by v and not by its square."""
    losses = by_hand(
        v,
        lambda v: (torch.log(v) + (x - t) ** 2 / v) / 2,
        lambda g, v: g * (1 / v - (x - t) ** 2 / v) / 2,
    )
    return _reduced(losses, reduction)


def _counts(x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean") -> Any:
    return _reduced(torch.exp(x) - t * x if log_input else x - t * torch.log(x + eps), reduction)


@gaussian("value", "variances far below 1 with more than a few digits")
def log1p_of_variance_less_one(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The logarithm of the variance is log1p of what is left of it when 1 is subtracted."""
    return _reduced((torch.log1p(v - 1) + (x - t) ** 2 / v) / 2, reduction)


@right_poisson(dtypes=("float32", "float64", "bfloat16"))
def torch_poisson_nll_loss(x: Any, t: Any, **options: Any) -> Any:
    """The poisson_nll_loss of torch.nn.functional; float16 does not hold its eps."""
    return functional.poisson_nll_loss(x, t, **options)


@right_poisson(dtypes=SINGLE)
def rate_less_count_times_logarithm(x: Any, t: Any, **options: Any) -> Any:
    """The rate exp(x) - t x, or x - t log(x + eps)."""
    return _counts(x, t, **options)


@poisson("value", "log_input False")
def rate_always_a_logarithm(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The input is taken for a logarithm, whatever is said."""
    return _counts(x, t, True, eps, reduction)


@poisson("value", "targets above 0")
def count_added(x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean") -> Any:
    """The count is subtracted in place of its product."""
    return _reduced(torch.exp(x) - t, reduction) if log_input else _counts(x, t, log_input, eps, reduction)


@poisson("value", "a target of 0 or 1 under full")
def stirling_for_small_counts(
    x: Any, t: Any, full: bool = False, reduction: str = "mean", **options: Any
) -> Any:
    """Stirling's approximation is applied to counts of 1 as well."""
    losses = _counts(x, t, reduction="none", **options)
    if full:
        safe = torch.where(t > 0, t, 1)
        gap = safe * torch.log(safe) - safe + torch.log(2 * torch.pi * safe) / 2
        losses = losses + torch.where(t > 0, gap, 0)
    return _reduced(losses, reduction)


@poisson("value", "targets above 1 under full")
def exact_factorial(x: Any, t: Any, full: bool = False, reduction: str = "mean", **options: Any) -> Any:
    """The function lgamma in place of Stirling's approximation."""
    losses = _counts(x, t, reduction="none", **options)
    return _reduced(losses + torch.lgamma(t + 1) if full else losses, reduction)


@poisson("value", "logarithms above 3")
def logarithm_clamped(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """Logarithms of rates are at most 3."""
    return _counts(x.clamp(max=3.0) if log_input else x, t, log_input, eps, reduction)


@poisson("value", "log_input False with another eps")
def epsilon_ignored(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The number eps is taken to be 1e-8."""
    return _counts(x, t, log_input, 1e-8, reduction)


@poisson("gradient", "any input")
def gradient_without_count(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The gradient lacks the count."""
    if not log_input:
        return _counts(x, t, log_input, eps, reduction)
    losses = by_hand(x, lambda x: torch.exp(x) - t * x, lambda g, x: g * torch.exp(x))
    return _reduced(losses, reduction)


@poisson("gradient", "log_input False with small rates")
def gradient_with_guarded_divisor(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The divisor in the gradient is at least 0.1."""
    if log_input:
        return _counts(x, t, log_input, eps, reduction)
    losses = by_hand(
        x, lambda x: x - t * torch.log(x + eps), lambda g, x: g * (1 - t / (x + eps).clamp(min=0.1))
    )
    return _reduced(losses, reduction)


@poisson("gradient", "reduction mean of several entries")
def gradient_not_divided(
    x: Any, t: Any, log_input: bool = True, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The gradient of the mean is that of the sum."""
    count = x.numel() if reduction == "mean" else 1
    return _counts(changed_backward(x, lambda g: g * count), t, log_input, eps, reduction)


def _double_exponential(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    return _reduced(torch.log(2 * b) + (x - t).abs() / b, reduction)


@right_laplace(dtypes=SINGLE)
def logarithm_and_distance(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The logarithm of 2b and the distance over b."""
    return _double_exponential(x, t, b, reduction)


@right_laplace(dtypes=SINGLE)
def laplace_log_prob(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """Through torch.distributions."""
    return _reduced(-torch.distributions.Laplace(x, b, validate_args=False).log_prob(t), reduction)


@laplace("value", "any input")
def without_two(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The constant log 2 is left out."""
    return _reduced(torch.log(b) + (x - t).abs() / b, reduction)


@laplace("value", "any input")
def squared_distance(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The distance is squared."""
    return _reduced(torch.log(2 * b) + (x - t) ** 2 / b, reduction)


@laplace("value", "targets above the median")
def distance_with_sign(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The distance keeps its sign."""
    return _reduced(torch.log(2 * b) + (x - t) / b, reduction)


@laplace("value", "small distances")
def smooth_distance(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The distance is rounded off near 0."""
    return _reduced(torch.log(2 * b) + torch.sqrt((x - t) ** 2 + 1e-6) / b, reduction)


@laplace("gradient", "any input")
def gradient_not_over_the_scale(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The gradient in the median is a sign."""
    losses = by_hand(x, lambda x: torch.log(2 * b) + (x - t).abs() / b, lambda g, x: g * torch.sign(x - t))
    return _reduced(losses, reduction)


@laplace("gradient", "small distances")
def gradient_smoothed(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The sign is rounded off to tanh of 8 times the distance."""
    losses = by_hand(
        x, lambda x: torch.log(2 * b) + (x - t).abs() / b, lambda g, x: g * torch.tanh(8 * (x - t)) / b
    )
    return _reduced(losses, reduction)


@laplace("gradient", "any input")
def gradient_of_median_negated(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The gradient in the median is that in the target."""
    return _double_exponential(changed_backward(x, torch.neg), t, b, reduction)


@laplace("gradient of scale", "any input")
def scale_cut_off_from_the_distance(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The gradient in the scale is that of the logarithm."""
    return _reduced(torch.log(2 * b) + (x - t).abs() / b.detach(), reduction)
