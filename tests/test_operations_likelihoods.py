"""Likelihoods as contracts: binary, normal, Poisson, Laplace, negative binomial; mistakes are refuted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch

DTYPES = ("float32", "float64", "bfloat16", "float16")


def _reasons(candidate: Callable[..., Any], name: str, dtype: str) -> list[str]:
    """Why properties do not hold; empty where all do."""
    results = verify.check(candidate, name, dtypes=(dtype,), examples=8)
    return [verdict.reason for verdict in results if not verdict]


def _verdict(
    candidate: Callable[..., Any], name: str, aspect: str, dtype: str = "float32", **how: Any
) -> Verdict:
    results = verify.check(candidate, name, dtypes=(dtype,), grad=aspect != "value", **how)
    return next(v for v in results if f": {aspect} in" in v.subject)


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def laplace_nll(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """Minus the log_prob of torch."""
    return _reduced(-torch.distributions.Laplace(x, b, validate_args=False).log_prob(t), reduction)


def negative_binomial_nll(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """With a sum of logarithms for the quotient of Gammas; counts are at most 4."""
    k = torch.arange(4, dtype=r.dtype)
    counted = (k < y.unsqueeze(-1)).to(r.dtype)
    gammas = (counted * (torch.log1p(k) - torch.log(r.unsqueeze(-1) + k))).sum(-1)
    return _reduced(-r * functional.logsigmoid(-z) - y * functional.logsigmoid(z) + gammas, reduction)


def gaussian_nll_wide(x: Any, t: Any, v: Any, **options: Any) -> Any:
    """In float64, in which nothing overflows."""
    return functional.gaussian_nll_loss(x.double(), t.double(), v.double(), **options).to(x.dtype)


def poisson_nll_upcast(x: Any, t: Any, **options: Any) -> Any:
    """In float32, which holds the default epsilon."""
    return functional.poisson_nll_loss(x.float(), t.float(), **options).to(x.dtype)


def binary_cross_entropy_of_logarithms(f: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """By xlogy and xlog1py, which know no clamp."""
    losses = -torch.xlogy(t, f) - torch.special.xlog1py(1 - t, -f)
    return _reduced(losses if weight is None else weight * losses, reduction)


def of_one_sign(z: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean") -> Any:
    """By two logsigmoid, whose terms cannot cancel."""
    positive = t if pos_weight is None else pos_weight * t
    losses = -positive * functional.logsigmoid(z) - (1 - t) * functional.logsigmoid(-z)
    return _reduced(losses if weight is None else weight * losses, reduction)


NARROW = ("float32", "bfloat16", "float16")
THREE = ("float32", "float64", "bfloat16")
RIGHT = (
    (of_one_sign, "binary_cross_entropy_with_logits", NARROW),
    (binary_cross_entropy_of_logarithms, "binary_cross_entropy", THREE),
    (functional.gaussian_nll_loss, "gaussian_nll_loss", THREE),
    (gaussian_nll_wide, "gaussian_nll_loss", ("float32", "bfloat16")),
    (functional.poisson_nll_loss, "poisson_nll_loss", THREE),
    (poisson_nll_upcast, "poisson_nll_loss", ("bfloat16",)),
    (laplace_nll, "laplace_nll", ("float32", "bfloat16")),
    (negative_binomial_nll, "negative_binomial_nll", NARROW),
)


@pytest.mark.parametrize(
    ("candidate", "name", "dtype"),
    [pytest.param(f, name, d, id=f"{f.__name__}-{d}") for f, name, dtypes in RIGHT for d in dtypes],
)
def test_a_right_function_passes(candidate: Callable[..., Any], name: str, dtype: str) -> None:
    """Values, gradients in every parameter and side effects are within the bounds."""
    assert _reasons(candidate, name, dtype) == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_binary_cross_entropy_passes_in_value(dtype: str) -> None:
    """Above its documented clamp the logarithms are those of the definition."""
    results = verify.check(
        functional.binary_cross_entropy, "binary_cross_entropy", dtypes=(dtype,), grad=False, examples=16
    )
    assert [verdict.reason for verdict in results if not verdict] == []


def test_the_gradient_of_torch_binary_cross_entropy_is_a_finding() -> None:
    """Its divisor f (1 - f) is raised to 1e-12."""
    verdict = _verdict(functional.binary_cross_entropy, "binary_cross_entropy", "gradient", examples=40)
    assert verdict.status is Status.REFUTED


def test_the_gradient_of_torch_binary_cross_entropy_has_a_witness() -> None:
    """At probability 2^-40 and target 0 it is 0.909; exact is 1 + 2^-40."""
    f = torch.tensor([2.0**-40], requires_grad=True)
    functional.binary_cross_entropy(f, torch.tensor([0.0])).backward()
    assert f.grad is not None
    assert f.grad.item() == pytest.approx(0.9094947)


def test_torch_gaussian_nll_loss_overflows_in_float16() -> None:
    """It squares before it divides: inf at distance 256 and variance 32; exact is 1025.73. A finding."""
    loss = functional.gaussian_nll_loss(*(torch.tensor([x], dtype=torch.float16) for x in (256.0, 0.0, 32.0)))
    assert loss.item() == float("inf")


def test_the_epsilon_of_torch_poisson_nll_loss_vanishes_in_float16() -> None:
    """At rate 0 and count 0 the loss is nan; exact is 0. A finding."""
    zero = torch.zeros(1, dtype=torch.float16)
    assert functional.poisson_nll_loss(zero, zero, log_input=False).isnan()


def bce_through_logit_of_float(f: Any, t: Any, reduction: str = "mean") -> Any:
    """By the logit, which is inf for a probability of 0 or 1."""
    return functional.binary_cross_entropy_with_logits(torch.logit(f), t, reduction=reduction)


def bce_with_epsilon(f: Any, t: Any, reduction: str = "mean") -> Any:
    """An epsilon guards the logarithms."""
    return _reduced(-(t * torch.log(f + 1e-7) + (1 - t) * torch.log(1 - f + 1e-7)), reduction)


def bce_weighted_mean(f: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """A mean over the weights, not over the entries."""
    total = functional.binary_cross_entropy(
        f, t, weight=weight, reduction="none" if reduction == "none" else "sum"
    )
    if reduction != "mean":
        return total
    return total / (f.numel() if weight is None else weight.sum().clamp(min=0.25))


def logits_with_pos_weight_everywhere(
    z: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """pos_weight weighs both terms."""
    both = 1 if pos_weight is None else pos_weight
    return _reduced(of_one_sign(z, t, weight, None, "none") * both, reduction)


def logits_clipped(z: Any, t: Any, reduction: str = "mean") -> Any:
    """Logits are clipped to -15..15."""
    return of_one_sign(z.clamp(-15, 15), t, reduction=reduction)


def gaussian_plus_epsilon(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """Epsilon is added to the variance where it should bound it."""
    return functional.gaussian_nll_loss(x, t, v + 1e-6, reduction=reduction)


def gaussian_of_deviation(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The variance is taken for a standard deviation."""
    return functional.gaussian_nll_loss(x, t, v**2, reduction=reduction)


def gaussian_full_constant(x: Any, t: Any, v: Any, full: bool = False, reduction: str = "mean") -> Any:
    """The constant is log(2 pi), not half of it."""
    loss = functional.gaussian_nll_loss(x, t, v, reduction=reduction)
    return loss + 1.8378770664093453 if full else loss


def gaussian_of_fixed_variance(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """The logarithm of the variance is cut off from the gradient."""
    return _reduced((torch.log(v.detach()) + (x - t) ** 2 / v) / 2, reduction)


def poisson_of_rates(x: Any, t: Any, log_input: bool = True, reduction: str = "mean") -> Any:
    """Pays no heed to log_input."""
    return functional.poisson_nll_loss(x, t, log_input=False, reduction=reduction)


def poisson_full_from_one(
    x: Any, t: Any, log_input: bool = True, full: bool = False, reduction: str = "mean"
) -> Any:
    """Stirling's term at count 1 too."""
    losses = functional.poisson_nll_loss(x, t, log_input=log_input, reduction="none")
    if full:
        safe = t.clamp(min=1)
        losses = losses + torch.where(t >= 1, torch.lgamma(safe + 1), 0 * t)
    return _reduced(losses, reduction)


def poisson_clipped(x: Any, t: Any, reduction: str = "mean") -> Any:
    """Logarithms of rates are clipped at -20."""
    return functional.poisson_nll_loss(x.clamp(min=-20), t, reduction=reduction)


def laplace_without_two(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The scale is not doubled."""
    return _reduced(torch.log(b) + (x - t).abs() / b, reduction)


def laplace_smooth(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """A smooth magnitude."""
    return _reduced(torch.log(2 * b) + torch.sqrt((x - t) ** 2 + 1e-6) / b, reduction)


def laplace_of_fixed_scale(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """The logarithm of the scale is cut off from the gradient."""
    return _reduced(torch.log(2 * b.detach()) + (x - t).abs() / b, reduction)


def negative_binomial_by_lgamma(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """As torch.distributions has it: lgamma of r + y and of r cancel for a large r."""
    distribution = torch.distributions.NegativeBinomial(r, logits=z, validate_args=False)
    return _reduced(-distribution.log_prob(y), reduction)


def negative_binomial_without_factorial(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Leaves log y! out."""
    return _reduced(negative_binomial_nll(r, z, y, "none") - torch.lgamma(y + 1), reduction)


def negative_binomial_turned(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """The logit of failure."""
    return negative_binomial_nll(r, -z, y, reduction)


MISTAKES = (
    (bce_through_logit_of_float, "binary_cross_entropy", "value"),
    (bce_with_epsilon, "binary_cross_entropy", "value"),
    (bce_with_epsilon, "binary_cross_entropy", "gradient"),
    (bce_weighted_mean, "binary_cross_entropy", "value"),
    (logits_with_pos_weight_everywhere, "binary_cross_entropy_with_logits", "value"),
    (logits_clipped, "binary_cross_entropy_with_logits", "value"),
    (gaussian_plus_epsilon, "gaussian_nll_loss", "value"),
    (gaussian_of_deviation, "gaussian_nll_loss", "value"),
    (gaussian_full_constant, "gaussian_nll_loss", "value"),
    (gaussian_of_fixed_variance, "gaussian_nll_loss", "gradient of var"),
    (poisson_of_rates, "poisson_nll_loss", "value"),
    (poisson_full_from_one, "poisson_nll_loss", "value"),
    (poisson_clipped, "poisson_nll_loss", "value"),
    (poisson_clipped, "poisson_nll_loss", "gradient"),
    (laplace_without_two, "laplace_nll", "value"),
    (laplace_smooth, "laplace_nll", "value"),
    (laplace_smooth, "laplace_nll", "gradient"),
    (laplace_of_fixed_scale, "laplace_nll", "gradient of scale"),
    (negative_binomial_by_lgamma, "negative_binomial_nll", "value"),
    (negative_binomial_without_factorial, "negative_binomial_nll", "value"),
    (negative_binomial_turned, "negative_binomial_nll", "gradient of logits"),
)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect"), MISTAKES, ids=[f"{m[0].__name__}-{m[2]}" for m in MISTAKES]
)
def test_a_mistake_is_refuted(candidate: Callable[..., Any], name: str, aspect: str) -> None:
    """Epsilons, weights, forgotten constants and options, and gradients that forget a path are found."""
    assert _verdict(candidate, name, aspect, examples=24).status is Status.REFUTED
