"""Cross-entropy against class probabilities, got wrong: their sum, their weights, their gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from verify.corpus.hand import by_hand
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "cross_entropy")
right = sower(RIGHTS, "cross_entropy")


def _axis(x: Any) -> int:
    return 0 if x.ndim == 1 else 1


def _along(x: Any, weight: Any) -> Any:
    """The class weights, of an axis beside the others."""
    if weight is None:
        return torch.ones((), dtype=x.dtype)
    return weight.reshape(-1, *[1] * (x.ndim - _axis(x) - 1))


def _reduced(losses: Any, reduction: str, divisor: Any = None) -> Any:
    if reduction == "none":
        return losses
    count = losses.numel() if divisor is None else divisor
    return losses.sum() if reduction == "sum" else losses.sum() / count


def _soft(
    x: Any,
    target: Any,
    weight: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    scores: Callable[..., Any] = torch.log_softmax,
    divisor: Any = None,
) -> Any:
    """Right; labels are declined."""
    if not target.is_floating_point():
        raise NotImplementedError("labels")
    axis = _axis(x)
    wanted = target * (1 - label_smoothing) + label_smoothing / x.shape[axis]
    losses = -(_along(x, weight) * wanted * scores(x, axis)).sum(axis)
    return _reduced(losses, reduction, divisor)


@right(dtypes=("float32", "float64"))
def against_probabilities(x: Any, target: Any, **options: Any) -> Any:
    """Minus the sum of weights, probabilities and scores."""
    return _soft(x, target, **options)


@plant("value", "probabilities that do not sum to 1")
def soft_target_normalised(x: Any, target: Any, **options: Any) -> Any:
    """The target is divided by its sum."""
    _soft(x, target, **options)
    total = target.sum(_axis(x), keepdim=True)
    return _soft(x, target / torch.where(total == 0, 1, total), **options)


@plant("value", "probabilities that do not sum to 1")
def soft_target_assumed_to_sum_to_one(x: Any, target: Any, **options: Any) -> Any:
    """The logsumexp is taken once."""
    _soft(x, target, **options)
    if options.get("weight") is not None or options.get("label_smoothing"):
        return _soft(x, target, **options)
    axis = _axis(x)
    shifted = x - x.detach().amax(axis, keepdim=True)
    losses = torch.logsumexp(shifted, axis) - (target * shifted).sum(axis)
    return _reduced(losses, options.get("reduction", "mean"))


@plant("value", "probabilities of several classes")
def soft_target_made_hard(x: Any, target: Any, **options: Any) -> Any:
    """The most probable class is taken for the label."""
    _soft(x, target, **options)
    labels = target.argmax(_axis(x), keepdim=True)
    return _soft(x, torch.zeros_like(target).scatter(_axis(x), labels, 1.0), **options)


@plant("value", "label smoothing of class probabilities")
def soft_target_not_smoothed(x: Any, target: Any, label_smoothing: float = 0.0, **options: Any) -> Any:
    """Label smoothing is ignored for class probabilities."""
    return _soft(x, target, **options)


@plant("value", "weights with class probabilities")
def soft_target_without_weights(x: Any, target: Any, weight: Any = None, **options: Any) -> Any:
    """Class weights are ignored for class probabilities."""
    return _soft(x, target, **options)


@plant("value", "weights with class probabilities, reduction mean")
def soft_target_mean_by_weight(x: Any, target: Any, weight: Any = None, **options: Any) -> Any:
    """The mean divides by the weight of the targets."""
    divisor = None if weight is None else (_along(x, weight) * target).sum()
    return _soft(x, target, weight=weight, divisor=divisor, **options)


@plant("value", "class probabilities of three axes, reduction mean")
def soft_target_mean_over_the_classes(x: Any, target: Any, **options: Any) -> Any:
    """Of three axes the mean divides by rows and classes, as if the classes lay last."""
    return _soft(x, target, **options, divisor=x.shape[0] * x.shape[1] if x.ndim == 3 else None)


@plant("value", "class probabilities, reduction mean")
def soft_target_mean_over_entries(x: Any, target: Any, **options: Any) -> Any:
    """The mean divides by rows times classes."""
    return _soft(x, target, divisor=x.numel(), **options)


@plant("value", "-inf at classes of probability 0", dtype="float32")
def soft_target_zero_times_infinity(x: Any, target: Any, **options: Any) -> Any:
    """Scores are clamped, as a guard against 0 times -inf."""
    return _soft(x, target, scores=lambda x, axis: torch.log_softmax(x, axis).clamp(min=-50.0), **options)


@plant("value", "class probabilities with full significands")
def soft_target_in_bfloat16(x: Any, target: Any, **options: Any) -> Any:
    """The target is rounded to bfloat16."""
    return _soft(x, target.bfloat16().to(target.dtype), **options)


def _plain_gradient(x: Any, target: Any, options: dict[str, Any], gradient: Any) -> Any:
    """A right value; without weights and smoothing ``gradient(s)`` stands for what is multiplied by g."""
    if options.get("weight") is not None or options.get("label_smoothing"):
        return _soft(x, target, **options)
    reduction = options.get("reduction", "mean")

    def backward(g: Any, x: Any) -> Any:
        count = x.numel() // x.shape[_axis(x)] if reduction == "mean" else 1
        above = g.unsqueeze(_axis(x)) if reduction == "none" else g / count
        return above * gradient(torch.softmax(x, _axis(x)))

    return by_hand(x, lambda x: _soft(x, target, **options), backward)


@plant("gradient", "probabilities that do not sum to 1")
def soft_gradient_without_sum(x: Any, target: Any, **options: Any) -> Any:
    """The gradient is softmax - p, whatever p sums to."""
    return _plain_gradient(x, target, options, lambda s: s - target)


@plant("gradient", "class probabilities")
def soft_gradient_of_the_target_only(x: Any, target: Any, **options: Any) -> Any:
    """The softmax term is left out."""
    return _plain_gradient(x, target, options, lambda s: -target)


@plant("gradient", "classes of probability 0")
def soft_gradient_masked(x: Any, target: Any, **options: Any) -> Any:
    """Classes of probability 0 have no gradient."""
    total = target.sum(_axis(x), keepdim=True) if target.is_floating_point() else 0
    return _plain_gradient(x, target, options, lambda s: torch.where(target == 0, 0, s * total - target))


@plant("gradient", "class probabilities of three axes, reduction mean, no other option")
def soft_gradient_mean_over_the_batch(x: Any, target: Any, **options: Any) -> Any:
    """Of three axes the mean of the gradient divides by the batch alone."""
    total = target.sum(_axis(x), keepdim=True) if target.is_floating_point() else 0
    times = x.shape[2] if x.ndim == 3 and options.get("reduction", "mean") == "mean" else 1
    return _plain_gradient(x, target, options, lambda s: times * (s * total - target))


@plant("gradient of target", "class probabilities whose gradient is asked for")
def soft_target_gradient_is_of_the_logits(x: Any, target: Any, **options: Any) -> Any:
    """The gradient in the target is minus the logits, not normalised."""
    if not target.is_floating_point():
        return _soft(x, target, **options)
    value = _soft(x, target.detach(), **options)
    plain = _soft(x.detach(), target, scores=lambda x, axis: x, **options)
    return value + (plain - plain.detach())


@plant("gradient of target", "label smoothing of class probabilities")
def soft_target_gradient_not_smoothed(x: Any, target: Any, **options: Any) -> Any:
    """The gradient in the target is that without smoothing."""
    value = _soft(x, target.detach() if target.is_floating_point() else target, **options)
    plain = _soft(x.detach(), target, **{**options, "label_smoothing": 0.0})
    return value + (plain - plain.detach())
