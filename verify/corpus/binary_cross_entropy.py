"""Binary cross-entropy of probabilities got wrong and right."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus.hand import by_hand, changed_backward, differentiated_with
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "binary_cross_entropy")
right = sower(RIGHTS, "binary_cross_entropy")


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def _losses(p: Any, t: Any) -> Any:
    return -(torch.xlogy(t, p) + torch.special.xlog1py(1 - t, -p))


def _weighted(losses: Any, weight: Any, reduction: str) -> Any:
    return _reduced(losses if weight is None else losses * weight, reduction)


def _right(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    return _weighted(_losses(p, t), weight, reduction)


@right(grad=False)
def torch_binary_cross_entropy(p: Any, t: Any, **options: Any) -> Any:
    """The values of torch.nn.functional; its gradient clamps p (1 - p) at 1e-12."""
    return functional.binary_cross_entropy(p, t, **options)


@right(dtypes=("float32", "float64"))
def binary_by_xlogy(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """By xlogy and xlog1py."""
    return _right(p, t, weight, reduction)


@plant("value", "small probabilities with target 0")
def log_of_complement(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The logarithm of 1 - p loses a small p."""
    losses = -(torch.xlogy(t, p) + torch.xlogy(1 - t, 1 - p))
    return _weighted(losses, weight, reduction)


@plant("value", "probabilities near 0 and 1", least=(1e-7, 1e-3))
def probabilities_clipped(p: Any, t: Any, least: float, weight: Any = None, reduction: str = "mean") -> Any:
    """Probabilities are kept away from 0 and 1."""
    return _right(p.clamp(least, 1 - least), t, weight, reduction)


@plant("value", "probabilities near 0", epsilon=(1e-6, 1e-12))
def epsilon_in_the_logarithm(
    p: Any, t: Any, epsilon: float, weight: Any = None, reduction: str = "mean"
) -> Any:
    """A small number is added inside the logarithms."""
    losses = -(t * torch.log(p + epsilon) + (1 - t) * torch.log1p(epsilon - p))
    return _weighted(losses, weight, reduction)


@plant("value", "targets between 0 and 1")
def hard_labels(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Soft targets are rounded."""
    return _right(p, (t > 0.5).to(t.dtype), weight, reduction)


@plant("value", "any input")
def positive_term_only(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The term of the other class is left out."""
    return _weighted(-torch.xlogy(t, p), weight, reduction)


@plant("value", "weights, reduction mean")
def mean_by_weights(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The mean divides by the sum of the weights."""
    if weight is None or reduction != "mean":
        return _right(p, t, weight, reduction)
    return (_losses(p, t) * weight).sum() / (weight + 0 * p.detach()).sum()


@plant("value", "any input")
def logarithms_in_half_precision(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The losses are rounded to float16."""
    return _weighted(_losses(p, t).half().to(p.dtype), weight, reduction)


def _gradient(p: Any, t: Any, options: dict[str, Any], derivative: Any) -> Any:
    weight, reduction = options.get("weight"), options.get("reduction", "mean")
    return _weighted(by_hand(p, lambda p: _losses(p, t), lambda g, p: g * derivative(p)), weight, reduction)


@plant("gradient", "any input")
def gradient_of_the_logit(p: Any, t: Any, **options: Any) -> Any:
    """The gradient is p - t."""
    return _gradient(p, t, options, lambda p: p - t)


@plant("gradient", "small probabilities")
def gradient_with_guarded_divisor(p: Any, t: Any, **options: Any) -> Any:
    """The divisor p (1 - p) is at least 1e-3."""
    return _gradient(p, t, options, lambda p: (p - t) / (p * (1 - p)).clamp(min=1e-3))


@plant("gradient", "any input")
def gradient_without_divisor(p: Any, t: Any, **options: Any) -> Any:
    """The divisor lacks 1 - p."""
    return _gradient(p, t, options, lambda p: (p - t) / p)


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(p: Any, t: Any, **options: Any) -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(lambda p: _right(p, t, **options), p, torch.ones_like)


@plant("gradient", "any input")
def gradient_scaled(p: Any, t: Any, **options: Any) -> Any:
    """The gradient is a thousandth too large."""
    return _right(changed_backward(p, lambda g: 1.001 * g), t, **options)
