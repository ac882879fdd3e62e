"""Cross-entropy with a temperature, a soft cap or z-loss, got wrong and right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from verify.corpus.hand import changed_backward
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
temperature = planter(FAULTS, "cross_entropy_with_temperature")
softcap = planter(FAULTS, "cross_entropy_with_softcap")
z_loss = planter(FAULTS, "cross_entropy_with_z_loss")
right_temperature = sower(RIGHTS, "cross_entropy_with_temperature")
right_softcap = sower(RIGHTS, "cross_entropy_with_softcap")
right_z_loss = sower(RIGHTS, "cross_entropy_with_z_loss")

WITHOUT_HALF = ("float32", "float64", "bfloat16")
"""What goes through torch's cross_entropy, which adds the losses of a mean in float16: they overflow."""


def _axis(x: Any) -> int:
    return 0 if x.ndim == 1 else 1


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def _losses(x: Any, target: Any) -> Any:
    return functional.cross_entropy(x, target, reduction="none")


def _same_value(value: Any, other: Any) -> Any:
    """The numbers of the first and the gradient of the second."""
    return value.detach() + (other - other.detach())


def _tempered(x: Any, target: Any, temperature: float, reduction: str) -> Any:
    return functional.cross_entropy(x / temperature, target, reduction=reduction)


@right_temperature(dtypes=WITHOUT_HALF)
def of_the_quotient(x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """The cross_entropy of torch.nn.functional of x / t."""
    return _tempered(x, target, temperature, reduction)


@right_temperature()
def tempered_in_double(x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """Computed in float64 and rounded once."""
    return _tempered(x.double(), target, temperature, reduction).to(x.dtype)


def by_hand(x: Any, target: Any, reduction: str) -> Any:
    """Cross-entropy with the maximum as shift, differentiated through the maximum."""
    axis = _axis(x)
    shifted = x - x.amax(axis, keepdim=True)
    scores = shifted - torch.log(torch.exp(shifted).sum(axis, keepdim=True))
    return _reduced(-scores.gather(axis, target.unsqueeze(axis)).squeeze(axis), reduction)


@right_temperature(dtypes=WITHOUT_HALF)
def tempered_by_hand(x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """The maximum of x / t is not detached."""
    return by_hand(x / temperature, target, reduction)


@right_softcap(dtypes=WITHOUT_HALF)
def capped_by_hand(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The maximum of the capped scores is not detached."""
    return by_hand(softcap * torch.tanh(x / softcap), target, reduction)


@right_z_loss(dtypes=WITHOUT_HALF)
def z_loss_by_hand(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The maximum is detached neither in the loss nor in logsumexp."""
    axis = _axis(x)
    top = x.amax(axis, keepdim=True)
    lse = (top + torch.log(torch.exp(x - top).sum(axis, keepdim=True))).squeeze(axis)
    return _reduced(by_hand(x, target, "none") + z_loss * lse**2, reduction)


@temperature("value", "a temperature other than 1")
def multiplied_by_temperature(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """The logits are multiplied by the temperature."""
    return functional.cross_entropy(x * temperature, target, reduction=reduction)


@temperature("value", "a temperature other than 1")
def temperature_on_the_loss(x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """The loss is divided by the temperature."""
    return functional.cross_entropy(x, target, reduction=reduction) / temperature


@temperature("value", "a temperature below 1")
def temperature_at_least_one(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """Temperatures below 1 are taken to be 1."""
    return _tempered(x, target, max(temperature, 1.0), reduction)


@temperature("value", "a temperature other than 1")
def squared_for_distillation(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """The loss is multiplied by the square of the temperature."""
    return _tempered(x, target, temperature, reduction) * temperature**2


@temperature("value", "a temperature that is no power of 2")
def temperature_in_half_precision(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """The quotients are rounded to bfloat16."""
    return functional.cross_entropy((x / temperature).bfloat16().to(x.dtype), target, reduction=reduction)


@temperature("gradient", "a temperature other than 1")
def gradient_without_temperature(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """The gradient is not divided by the temperature."""
    changed = changed_backward(x, lambda g: g * temperature)
    return _tempered(changed, target, temperature, reduction)


@temperature("gradient", "a temperature other than 1")
def gradient_divided_twice(x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """The gradient is divided by the temperature twice."""
    changed = changed_backward(x, lambda g: g / temperature)
    return _tempered(changed, target, temperature, reduction)


@temperature("gradient", "a temperature other than 1")
def gradient_of_the_plain_loss(
    x: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """The gradient is that at temperature 1."""
    return _same_value(_tempered(x, target, temperature, reduction), _tempered(x, target, 1.0, reduction))


def _capped(x: Any, target: Any, cap: float, reduction: str) -> Any:
    return functional.cross_entropy(cap * torch.tanh(x / cap), target, reduction=reduction)


@right_softcap(dtypes=WITHOUT_HALF)
def of_tanh(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The cross_entropy of torch.nn.functional of s tanh(x / s)."""
    return _capped(x, target, softcap, reduction)


@right_softcap()
def capped_in_double(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """Computed in float64 and rounded once."""
    return _capped(x.double(), target, softcap, reduction).to(x.dtype)


@softcap("value", "logits near the cap and above it")
def hard_cap(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """Logits are clamped."""
    return functional.cross_entropy(x.clamp(-softcap, softcap), target, reduction=reduction)


@softcap("value", "any logits")
def cap_not_multiplied(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The hyperbolic tangent is not multiplied by the cap."""
    return functional.cross_entropy(torch.tanh(x / softcap), target, reduction=reduction)


@softcap("value", "logits near the cap")
def tanh_by_a_series(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The hyperbolic tangent by a rational approximation."""
    r = (x / softcap).clamp(-3, 3)
    return functional.cross_entropy(
        softcap * r * (27 + r * r) / (27 + 9 * r * r), target, reduction=reduction
    )


@softcap("value", "logits above 44 times the cap")
def tanh_by_exponentials(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The hyperbolic tangent by exponentials that overflow."""
    a, b = torch.exp(x / softcap), torch.exp(-x / softcap)
    return functional.cross_entropy(softcap * (a - b) / (a + b), target, reduction=reduction)


@softcap("value", "any logits of several classes")
def tanh_in_half_precision(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The hyperbolic tangent is rounded to float16."""
    return functional.cross_entropy(
        softcap * torch.tanh(x / softcap).half().to(x.dtype), target, reduction=reduction
    )


@softcap("gradient", "logits near the cap")
def gradient_without_tanh(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The gradient is that in the capped logits."""
    capped = softcap * torch.tanh(x.detach() / softcap)
    return functional.cross_entropy(capped + (x - x.detach()), target, reduction=reduction)


@softcap("gradient", "a cap other than 1")
def gradient_of_tanh_times_cap(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The gradient is multiplied by the cap."""
    return _capped(changed_backward(x, lambda g: g * softcap), target, softcap, reduction)


@softcap("gradient", "logits of which some are negative")
def gradient_with_one_less_tanh(x: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The derivative of tanh is taken to be 1 - |tanh|."""
    t = torch.tanh(x.detach() / softcap)
    slope = (1 - t.abs()) * (x - x.detach())
    return functional.cross_entropy(softcap * t + slope, target, reduction=reduction)


def _with_square(x: Any, target: Any, z: float, reduction: str, square: Callable[[Any], Any]) -> Any:
    return _reduced(_losses(x, target) + z * square(_total(x)), reduction)


def _total(x: Any) -> Any:
    """Log-sum-exp with a right gradient."""
    top = x.detach().amax(_axis(x), keepdim=True)
    return (top + torch.log(torch.exp(x - top).sum(_axis(x), keepdim=True))).squeeze(_axis(x))


@right_z_loss(dtypes=("float32", "float64"))
def plus_square(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """Cross-entropy plus z times the squared logsumexp."""
    return _with_square(x, target, z_loss, reduction, torch.square)


@right_z_loss()
def plus_square_in_double(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """Computed in float64 and rounded once."""
    return _with_square(x.double(), target, z_loss, reduction, torch.square).to(x.dtype)


@z_loss("value", "any logits")
def not_squared(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The logsumexp is not squared."""
    return _with_square(x, target, z_loss, reduction, lambda y: y)


@z_loss("value", "a logsumexp below 0")
def negative_total_left_out(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """A logsumexp below 0 counts as 0."""
    return _with_square(x, target, z_loss, reduction, lambda y: y.clamp(min=0) ** 2)


@z_loss("value", "any logits")
def halved_square(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The square is halved."""
    return _with_square(x, target, z_loss, reduction, lambda y: y * y / 2)


@z_loss("value", "reduction mean or none of several rows")
def square_of_the_mean(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The mean logsumexp is squared."""
    return _with_square(x, target, z_loss, reduction, lambda y: y.mean() ** 2 + 0 * y)


@z_loss("value", "any logits")
def square_of_the_maximum(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The maximum is squared in place of the logsumexp."""
    return _reduced(_losses(x, target) + z_loss * x.amax(_axis(x)) ** 2, reduction)


@z_loss("gradient", "any logits")
def gradient_without_square(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The z-loss has no gradient."""
    return _with_square(x, target, z_loss, reduction, lambda y: y.detach() ** 2)


@z_loss("gradient", "any logits")
def gradient_without_factor_two(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The derivative of the square lacks its 2."""
    return _with_square(x, target, z_loss, reduction, lambda y: _same_value(y * y, y * y.detach()))


@z_loss("gradient", "rows whose label has a logit to be pulled")
def gradient_scales_the_label_too(x: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The factor 1 + 2 z logsumexp is on the label's term too."""
    y = _total(x).detach()
    losses = _losses(x, target)
    return _reduced(_same_value(losses + z_loss * y * y, losses * (1 + 2 * z_loss * y)), reduction)
