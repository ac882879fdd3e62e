"""The likelihood of a negative binomial distribution got wrong and right."""

from __future__ import annotations

from typing import Any

import torch

from verify.corpus.hand import by_hand, changed_backward
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
plant = planter(FAULTS, "negative_binomial_nll")
right = sower(RIGHTS, "negative_binomial_nll")


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def _softplus(z: Any) -> Any:
    return by_hand(
        z, lambda z: z.clamp(min=0) + torch.log1p(torch.exp(-z.abs())), lambda g, z: g * torch.sigmoid(z)
    )


def _factorials(r: Any, y: Any) -> Any:
    """The logarithm of y!, less log Gamma(y + r) + log Gamma(r), factor by factor."""
    terms = [torch.where(y > k, torch.log(torch.as_tensor(k + 1.0)) - torch.log(r + k), 0) for k in range(4)]
    return sum(terms[1:], start=terms[0])


def _losses(r: Any, z: Any, y: Any) -> Any:
    return r * _softplus(z) + y * _softplus(-z) + _factorials(r, y)


@right(dtypes=("float32",))
def factor_by_factor(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Two softplus and a sum of logarithms."""
    return _reduced(_losses(r, z, y), reduction)


@right(dtypes=("float32",))
def factor_by_factor_in_double(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Computed in float64 and rounded once."""
    return _reduced(_losses(r.double(), z.double(), y.double()), reduction).to(r.dtype)


@plant("value", "large counts of failures")
def by_lgamma(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The difference of two lgamma cancels."""
    gammas = torch.lgamma(y + 1) + torch.lgamma(r) - torch.lgamma(y + r)
    return _reduced(r * _softplus(z) + y * _softplus(-z) + gammas, reduction)


@plant("value", "counts above 0")
def sign_of_the_logit_exchanged(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Success and failure are exchanged."""
    return _reduced(_losses(r, -z, y), reduction)


@plant("value", "counts above 1")
def factorial_left_out(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The factorial of y is left out."""
    return _reduced(_losses(r, z, y) - torch.lgamma(y + 1), reduction)


@plant("value", "counts above 1")
def last_factor_left_out(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The product of Gammas ends one factor too early."""
    return _reduced(r * _softplus(z) + y * _softplus(-z) + _factorials(r, y.clamp(max=2)), reduction)


@plant("value", "|z| large")
def through_probabilities(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Logarithms of probabilities that underflow."""
    s = torch.sigmoid(z)
    return _reduced(-r * torch.log(1 - s) - torch.xlogy(y, s) + _factorials(r, y), reduction)


@plant("gradient", "any input")
def gradient_of_failures_without_gammas(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The gradient in the number of failures is softplus."""
    return _reduced(r * _softplus(z) + y * _softplus(-z) + _factorials(r.detach(), y), reduction)


@plant("gradient", "any input")
def gradient_of_failures_scaled(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The gradient in the number of failures is a thousandth too large."""
    return _reduced(_losses(changed_backward(r, lambda g: 1.001 * g), z, y), reduction)


@plant("gradient", "any input with counts above 1")
def gradient_of_failures_of_the_first_factor(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Only the first factor of the Gammas has a gradient."""
    first = _factorials(r, y.clamp(max=1))
    rest = _factorials(r.detach(), y) - _factorials(r.detach(), y.clamp(max=1))
    return _reduced(r * _softplus(z) + y * _softplus(-z) + first + rest, reduction)


@plant("gradient of logits", "any input")
def gradient_of_logits_without_count(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The gradient in the logit lacks the count."""
    return _reduced(r * _softplus(z) + y * _softplus(-z.detach()) + _factorials(r, y), reduction)


@plant("gradient of logits", "z of large magnitude")
def gradient_of_logits_saturated(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The gradient in the logit is that of the clamped logit."""
    inside = z.clamp(-5, 5)
    flat = z.detach() - inside.detach()
    return _reduced(_losses(r, inside + flat, y), reduction)
