"""Softplus and the logarithm of the sigmoid, got wrong and right."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import by_hand, changed_backward, differentiated_with, read_flat
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
logsigmoid = planter(FAULTS, "logsigmoid")
softplus = planter(FAULTS, "softplus")
right_logsigmoid = sower(RIGHTS, "logsigmoid")
right_softplus = sower(RIGHTS, "softplus")

_kept: dict[Any, Any] = {}


def _log_sigmoid(z: Any) -> Any:
    """Right, with its gradient by hand."""
    return by_hand(
        z,
        lambda z: z.clamp(max=0) - torch.log1p(torch.exp(-z.abs())),
        lambda g, z: g * torch.sigmoid(-z),
    )


def _soft_plus(z: Any, beta: float = 1) -> Any:
    """Right, with its gradient by hand."""
    return by_hand(
        z,
        lambda z: ((beta * z).clamp(min=0) + torch.log1p(torch.exp(-(beta * z).abs()))) / beta,
        lambda g, z: g * torch.sigmoid(beta * z),
    )


@right_logsigmoid()
def torch_logsigmoid(z: Any) -> Any:
    """The logsigmoid of torch.nn.functional."""
    return functional.logsigmoid(z)


@right_logsigmoid(dtypes=("float32", "float64"))
def logsigmoid_by_hand(z: Any) -> Any:
    """min(z, 0) - log1p(exp(-|z|)), with sigmoid(-z)."""
    return _log_sigmoid(z)


@right_logsigmoid()
def logsigmoid_in_double(z: Any) -> Any:
    """Computed in float64 and rounded once."""
    return _log_sigmoid(z.double()).to(z.dtype)


@right_logsigmoid(dtypes=("float32", "bfloat16", "float16"))
def logsigmoid_by_softplus(z: Any) -> Any:
    """Less the softplus of -z."""
    return -functional.softplus(-z)


@right_softplus(dtypes=("float32", "float64"))
def softplus_by_hand(z: Any, beta: float = 1) -> Any:
    """max(z, 0) + log1p(exp(-|z|)), with sigmoid(z)."""
    return _soft_plus(z, beta)


@right_softplus(dtypes=("float32", "bfloat16", "float16"))
def softplus_in_double(z: Any, beta: float = 1) -> Any:
    """Computed in float64 and rounded once."""
    return _soft_plus(z.double(), beta).to(z.dtype)


@logsigmoid("value", "z < -104")
def log_of_sigmoid(z: Any) -> Any:
    """The logarithm of a probability that is 0."""
    return torch.log(torch.sigmoid(z))


@logsigmoid("value", "z < -89")
def minus_log_of_one_plus_exp(z: Any) -> Any:
    """The exponential exp(-z) overflows."""
    return -torch.log1p(torch.exp(-z))


@logsigmoid("value", "z > 17")
def log_of_one_plus(z: Any) -> Any:
    """The sum in log(1 + e) loses a small e."""
    return z.clamp(max=0) - torch.log(1 + torch.exp(-z.abs()))


@logsigmoid("value", "z > {reach}", reach=(8.0, 20.0))
def zero_beyond(z: Any, reach: float) -> Any:
    """Results for large z are 0."""
    return torch.where(z > reach, 0 * z, _log_sigmoid(z))


@logsigmoid("value", "z < -10", epsilon=(1e-8,))
def epsilon_in_the_logarithm(z: Any, epsilon: float) -> Any:
    """A small number is added to the probability."""
    return torch.log(torch.sigmoid(z) + epsilon)


@logsigmoid("value", "any z")
def softplus_without_sign(z: Any) -> Any:
    """The result is softplus(-z)."""
    return functional.softplus(-z)


@logsigmoid("gradient", "any z")
def gradient_is_sigmoid(z: Any) -> Any:
    """The gradient is sigmoid(z)."""
    return by_hand(z, _log_sigmoid, lambda g, z: g * torch.sigmoid(z))


@logsigmoid("gradient", "z > 17")
def gradient_by_complement(z: Any) -> Any:
    """1 - sigmoid(z) cancels."""
    return by_hand(z, _log_sigmoid, lambda g, z: g * (1 - torch.sigmoid(z)))


@logsigmoid("gradient", "z > 8")
def gradient_filtered(z: Any) -> Any:
    """Derivatives below 1e-4 are 0."""

    def gradient(g: Any, z: Any) -> Any:
        d = torch.sigmoid(-z)
        return g * torch.where(d < 1e-4, 0, d)

    return by_hand(z, _log_sigmoid, gradient)


@logsigmoid("gradient", "upstream gradients of stride 0, or transposed")
def upstream_strides_ignored(z: Any) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return differentiated_with(_log_sigmoid, z, read_flat)


@softplus("value", "z > 89")
def log_of_one_plus_exp(z: Any, beta: float = 1) -> Any:
    """The exponential exp(z) overflows, and log(1 + e) loses a small e."""
    return torch.log(1 + torch.exp(beta * z)) / beta


@softplus("value", "z < -17")
def log_of_one_plus_small(z: Any, beta: float = 1) -> Any:
    """The sum in log(1 + e) loses a small e."""
    return (beta * z).clamp(min=0) / beta + torch.log(1 + torch.exp(-(beta * z).abs())) / beta


@softplus("value", "z between {threshold} and 17", threshold=(5.0, 10.0))
def straight_beyond(z: Any, threshold: float, beta: float = 1) -> Any:
    """The result is z from a threshold on that is too low."""
    return torch.where(beta * z > threshold, z, _soft_plus(z, beta))


@softplus("value", "z > 20 in float64", dtype="float64")
def straight_beyond_twenty(z: Any, beta: float = 1) -> Any:
    """The result is z from 20 on, which float64 tells apart."""
    return torch.where(beta * z > 20, z, _soft_plus(z, beta))


@softplus("value", "z < -8")
def zero_below(z: Any, beta: float = 1) -> Any:
    """Results for z below -8 are 0."""
    return torch.where(beta * z < -8, 0 * z, _soft_plus(z, beta))


@softplus("value", "beta other than 1")
def beta_not_divided_by(z: Any, beta: float = 1) -> Any:
    """The result is not divided by beta."""
    return _soft_plus(z, beta) * beta


@softplus("value", "beta other than 1")
def beta_ignored(z: Any, beta: float = 1) -> Any:
    """The factor beta is taken to be 1."""
    return _soft_plus(z)


@softplus("value", "any z that is not 0")
def polynomial_exp(z: Any, beta: float = 1) -> Any:
    """The exponential by a polynomial of degree 3."""
    return ((beta * z).clamp(min=0) + torch.log1p(rows.fast_exp(-(beta * z).abs(), 3))) / beta


@softplus("gradient", "z = 0")
def gradient_of_the_clamp_at_zero(z: Any, beta: float = 1) -> Any:
    """Autograd through max(z, 0) and |z| gives 1 at z = 0."""
    return (beta * z).clamp(min=0) / beta + torch.log1p(torch.exp(-(beta * z).abs())) / beta


@softplus("gradient", "beta other than 1")
def gradient_times_beta(z: Any, beta: float = 1) -> Any:
    """The gradient is multiplied by beta."""
    return _soft_plus(changed_backward(z, lambda g: g * beta), beta)


@softplus("gradient", "z < -8")
def gradient_is_a_step_far_off(z: Any, beta: float = 1) -> Any:
    """Beyond 8 the gradient is 0 or 1."""

    def gradient(g: Any, z: Any) -> Any:
        far = (beta * z).abs() > 8
        return g * torch.where(far, (z > 0).to(z.dtype), torch.sigmoid(beta * z))

    return by_hand(z, lambda z: _soft_plus(z, beta), gradient)


@softplus("gradient", "any upstream gradient that is not 1")
def upstream_ignored(z: Any, beta: float = 1) -> Any:
    """The upstream gradient is taken to be 1."""
    return differentiated_with(lambda z: _soft_plus(z, beta), z, torch.ones_like)


@logsigmoid("side effects", "a call of the same shape between forward and backward pass")
def exponentials_of_the_last_call(z: Any) -> Any:
    """What the backward pass needs lies in a buffer that all calls of a shape share."""
    kept = _kept.setdefault((tuple(z.shape), z.dtype), torch.empty(z.shape, dtype=z.dtype))
    kept.copy_(torch.exp(-z.detach().abs()))
    return by_hand(
        z,
        lambda z: z.clamp(max=0) - torch.log1p(kept),
        lambda g, z: g * torch.where(z < 0, 1, kept) / (1 + kept),
    )
