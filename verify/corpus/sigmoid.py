"""The logistic function got wrong: saturated, overflowing, approximated, its gradient."""

from __future__ import annotations

import math
from typing import Any

import torch

from verify.corpus import rows
from verify.corpus.hand import by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "sigmoid")


def _with_gradient(z: Any, gradient: Any) -> Any:
    """A right value; ``gradient(g, s)``."""
    return by_hand(z, torch.sigmoid, lambda g, z: gradient(g, torch.sigmoid(z)))


@plant("value", "z > 89")
def exponential_over_one_plus_itself(z: Any) -> Any:
    """exp(z) overflows."""
    return torch.exp(z) / (1 + torch.exp(z))


@plant("value", "z < -10")
def by_tanh(z: Any) -> Any:
    """(1 + tanh(z/2)) / 2 cancels for negative z."""
    return (1 + torch.tanh(z / 2)) / 2


@plant("value", "|z| > {reach}", reach=(8.0, 16.0, 50.0))
def saturated(z: Any, reach: float) -> Any:
    """The argument is clamped."""
    return torch.sigmoid(z.clamp(-reach, reach))


@plant("value", "|z| large", least=(1e-7, 1e-4))
def result_clamped(z: Any, least: float) -> Any:
    """The probability is kept away from 0 and 1."""
    return torch.sigmoid(z).clamp(least, 1 - least)


@plant("value", "z < 0")
def complement_of_the_positive_side(z: Any) -> Any:
    """1 - sigmoid(-z) cancels for negative z."""
    positive = torch.sigmoid(z.abs())
    return torch.where(z >= 0, positive, 1 - positive)


@plant("value", "any z that is not 0")
def hard(z: Any) -> Any:
    """A straight line with ends."""
    return (z / 4 + 0.5).clamp(0, 1)


@plant("value", "any z", degree=(3, 4))
def polynomial_exp(z: Any, degree: int) -> Any:
    """The exponential by a short polynomial."""
    e = rows.fast_exp(-z.abs(), degree)
    return torch.where(z >= 0, 1 / (1 + e), e / (1 + e))


@plant("value", "|z| from 9 to 16")
def exponential_alone_beyond_nine(z: Any) -> Any:
    """Beyond 9 the exponential alone is taken, or 1."""
    tail = torch.where(z < 0, torch.exp(z), 1.0)
    return torch.where(z.abs() > 9, tail, torch.sigmoid(z))


@plant("value", "any z")
def in_bfloat16(z: Any) -> Any:
    """float32 is computed in bfloat16."""
    return torch.sigmoid(z.bfloat16()).to(z.dtype)


@plant("value", "any z")
def divided_roughly(z: Any) -> Any:
    """The reciprocal is rounded to float16."""
    e = torch.exp(-z.abs())
    r = (1 / (1 + e)).half().to(z.dtype)
    return torch.where(z >= 0, r, e * r)


@plant("value", "any z in float64", dtype="float64")
def single_precision_inside(z: Any) -> Any:
    """float64 is computed in float32."""
    return torch.sigmoid(z.float()).double()


@plant("value", "z < -7", dtype="float16")
def exponential_clamped(z: Any) -> Any:
    """exp(-z) is kept from overflowing, at 1000."""
    return 1 / (1 + torch.exp(-z).clamp(max=1000.0))


@plant("value", "the last of several columns")
def last_column_not_written(z: Any) -> Any:
    """The last column of an odd number of columns keeps its input."""
    if z.ndim < 2 or z.shape[1] % 2 == 0:
        return torch.sigmoid(z)
    last = torch.arange(z.shape[1]) == z.shape[1] - 1
    return torch.where(last.reshape(1, -1, *[1] * (z.ndim - 2)), z, torch.sigmoid(z))


@plant("value", "z = -0 and 0")
def zero_is_nothing(z: Any) -> Any:
    """The result at 0 is 0."""
    return torch.where(z == 0, 0.0, torch.sigmoid(z))


@plant("value", "z = inf or -inf")
def infinity_gives_nan(z: Any) -> Any:
    """The argument enters twice, once times 0."""
    return torch.sigmoid(z) + 0 * z.detach()


@plant("value", "transposed tensors")
def strides_ignored(z: Any) -> Any:
    """Memory is read as if the tensor were contiguous."""
    return torch.sigmoid(z + (read_flat(z) - z).detach())


@plant("side effects", "any input")
def in_place(z: Any) -> Any:
    """The result is written over the input."""
    return torch.sigmoid(z) if z.requires_grad else z.sigmoid_()


@plant("gradient", "any z")
def gradient_without_complement(z: Any) -> Any:
    """The gradient is s g."""
    return _with_gradient(z, lambda g, s: g * s)


@plant("gradient", "any z")
def gradient_of_tanh(z: Any) -> Any:
    """The gradient is (1 - s^2) g."""
    return _with_gradient(z, lambda g, s: g * (1 - s * s))


@plant("gradient", "z < -9")
def gradient_from_the_square(z: Any) -> Any:
    """1/4 - (s - 1/2)^2 cancels for large |z|."""
    return _with_gradient(z, lambda g, s: g * (0.25 - (s - 0.5) * (s - 0.5)))


@plant("gradient", "|z| large", least=(1e-5, 1e-7))
def gradient_filtered(z: Any, least: float) -> Any:
    """Small derivatives are 0."""
    return _with_gradient(z, lambda g, s: g * torch.where(s * (1 - s) < least, 0, s * (1 - s)))


@plant("gradient", "z < -88")
def gradient_overflows(z: Any) -> Any:
    """exp(-z) / (1 + exp(-z))^2 is nan where the exponential overflows."""
    return by_hand(z, torch.sigmoid, lambda g, z: g * torch.exp(-z) / (1 + torch.exp(-z)) ** 2)


@plant("gradient", "any upstream gradient that is not 1")
def upstream_ignored(z: Any) -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(torch.sigmoid, z, torch.ones_like)


@plant("gradient", "upstream gradients that differ from element to element")
def first_upstream_for_all(z: Any) -> Any:
    """One element of the upstream gradient stands for all."""
    return differentiated_with(torch.sigmoid, z, lambda g: g.reshape(-1)[0].expand_as(g))


@plant("gradient", "upstream gradients of stride 0, or transposed")
def upstream_strides_ignored(z: Any) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(torch.sigmoid, z, read_flat)


@plant("gradient", "any z")
def gradient_in_half_precision(z: Any) -> Any:
    """The derivative is rounded to float16."""
    return _with_gradient(z, lambda g, s: g * (s * (1 - s)).half().to(s.dtype))


@plant("gradient", "any z")
def gradient_scaled(z: Any) -> Any:
    """The gradient is a thousandth too large."""
    return torch.sigmoid(changed_backward(z, lambda g: g * 1.001))


@plant("gradient", "|z| above {reach}", reach=(6.0,))
def clamped_in_the_backward_pass(z: Any, reach: float) -> Any:
    """The derivative is that of the clamped argument."""
    inside = z.clamp(-reach, reach)
    return torch.sigmoid(z).detach() + torch.sigmoid(inside) - torch.sigmoid(inside).detach()


@plant("value", "z < -88, whose results are subnormal or nearly so")
def tiny_results_flushed(z: Any) -> Any:
    """Results below 1e-30 are 0."""
    s = torch.sigmoid(z)
    return torch.where(s < 1e-30, s * 0, s)


@plant("value", "any z", dtype="float64")
def constant_in_single_precision(z: Any) -> Any:
    """The exponential as a power of 2, with log2(e) rounded to float32."""
    base = float(torch.tensor(math.log2(math.e), dtype=torch.float32))
    e = torch.exp2(-z.abs() * base)
    return torch.where(z >= 0, 1 / (1 + e), e / (1 + e))
