"""Natural ways to write a loss, at the points where they are further off than the standard algorithm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from judged import worst_ratio
from torch.nn import functional

pytestmark = pytest.mark.torch

ZS = 4 + torch.arange(4096, dtype=torch.float64)[None] / 8192
"""Above 0, where log1p(exp(z)) carries the error of a large exponential."""

ONES = torch.ones_like(ZS)


def two_softplus(z: Any, t: Any, reduction: str = "mean") -> Any:
    """Binary cross-entropy by torch's softplus, which is log1p(exp(z))."""
    return t * functional.softplus(-z) + (1 - t) * functional.softplus(z)


def counts_by_softplus(r: Any, z: Any, y: Any, reduction: str = "mean") -> Any:
    """Negative binomial loss of the count 0."""
    return r * functional.softplus(z) + y * functional.softplus(-z)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect", "values"),
    [
        pytest.param(
            two_softplus,
            "binary_cross_entropy_with_logits",
            "value",
            (ZS, 0 * ZS, ONES, ONES[0]),
            id="binary_cross_entropy_with_logits",
        ),
        pytest.param(counts_by_softplus, "negative_binomial_nll", "value", (ONES, ZS, 0 * ZS), id="value"),
        pytest.param(
            counts_by_softplus, "negative_binomial_nll", "gradient", (ONES, ZS, 0 * ZS), id="gradient"
        ),
    ],
)
def test_softplus_as_torch_has_it_is_not_refuted_in_a_loss(
    candidate: Callable[..., Any], name: str, aspect: str, values: tuple[Any, ...]
) -> None:
    """A loss put together from it is as far off as it is."""
    assert worst_ratio(candidate, name, aspect, values, dtype="float32") <= 1


def stable_by_logaddexp(z: Any, t: Any, reduction: str = "mean") -> Any:
    """log(1 + exp(z)) - z t, with both terms differentiated by autograd."""
    return torch.logaddexp(z, torch.zeros_like(z)) - t * z


def test_the_two_terms_of_a_gradient_may_each_be_rounded() -> None:
    """Sigmoid and target, each times the upstream gradient, cancel where the sigmoid is near the target."""
    z = torch.arange(2, 5, 2.0**-5, dtype=torch.float64)[None]
    values = (z, 0 * z + 0.99609375, 0 * z + 1, 0 * z[0] + 1)
    name, aspect = "binary_cross_entropy_with_logits", "gradient"
    assert max(worst_ratio(stable_by_logaddexp, name, aspect, values, g / 64) for g in range(65, 128, 6)) <= 1


def laplace_of_two_logarithms(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """With log 2 as a constant."""
    return torch.log(b) + (x - t).abs() / b + 0.6931471805599453


def laplace_by_precision(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """Times the rounded inverse of the scale."""
    return torch.log(2 * b) + (x - t).abs() * (1 / b)


class LaplaceOverSquare(torch.autograd.Function):
    """The gradient in the scale as (b - |x - t|) / b^2."""

    @staticmethod
    def forward(ctx: Any, x: Any, t: Any, b: Any) -> Any:
        ctx.save_for_backward((x - t).abs(), b)
        return torch.log(2 * b) + (x - t).abs() / b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        distance, b = ctx.saved_tensors
        return None, None, (b - distance) / (b * b) * g


def laplace_over_square(x: Any, t: Any, b: Any, reduction: str = "mean") -> Any:
    """A function with a backward pass of its own."""
    return LaplaceOverSquare.apply(x, t, b)


BS = torch.arange(1024, 2048, dtype=torch.float64)[None] / 2048


@pytest.mark.parametrize(
    ("candidate", "aspect", "scales", "distances", "g"),
    [
        pytest.param(
            laplace_of_two_logarithms, "value", BS / 1.5, 0 * BS + 2.0**-7, 1.0, id="two logarithms"
        ),
        pytest.param(laplace_by_precision, "value", 0 * BS + 974 / 2048, BS, 1.0, id="value"),
        pytest.param(laplace_by_precision, "gradient", BS, 2 * BS, 0.75, id="gradient"),
        pytest.param(laplace_by_precision, "gradient of scale", BS, BS + 3 / 2048, 0.77, id="scale"),
        pytest.param(laplace_over_square, "gradient of scale", BS, 0 * BS, 1.0, id="square"),
    ],
)
def test_a_laplace_loss_of_rounded_parts_is_not_refuted(
    candidate: Callable[..., Any], aspect: str, scales: Any, distances: Any, g: float
) -> None:
    """Near a scale of 1/2 log b and log 2 cancel; an inverse or a square rounds once more."""
    x, b = distances.half().double(), scales.half().double()
    share = float(torch.tensor(g).half())
    assert worst_ratio(candidate, "laplace_nll", aspect, (x, 0 * x, b, 0 * x + 1), share, "float16") <= 1


def inverse_quotient(p: Any, q: Any) -> Any:
    """-p log(q / p)."""
    return -torch.xlogy(p, q / p)


def test_a_term_of_the_divergence_by_the_inverse_quotient_is_not_refuted() -> None:
    """Of 1 by p the quotient is rounded, though p / 1 is exact."""
    p = torch.arange(200, 257, dtype=torch.float64)[None] / 256
    assert worst_ratio(inverse_quotient, "rel_entr", "value", (p, 0 * p + 1)) <= 1


def test_the_exponential_of_logsigmoid_is_not_refuted() -> None:
    """Its rounding is a relative error of the result, as in softmax by log_softmax."""
    z = -torch.arange(0, 16, 2.0**-5, dtype=torch.float64)[None].bfloat16().double()
    assert worst_ratio(lambda z: functional.logsigmoid(z).exp(), "sigmoid", "value", (z,)) <= 1


def normal_by_deviation(x: Any, t: Any, v: Any, reduction: str = "mean") -> Any:
    """With the logarithm of the standard deviation."""
    return torch.log(v.sqrt()) + (x - t) ** 2 / (2 * v)


def test_a_square_root_need_not_be_correctly_rounded() -> None:
    """Beside variances of 1 the loss is as far off as torch's square root, by up to 3/4 of an ulp."""
    v = 1 + torch.arange(1, 4096, dtype=torch.float64)[None] * 2.0**-20
    values = (0 * v, 0 * v, v)
    assert worst_ratio(normal_by_deviation, "gaussian_nll_loss", "value", values, dtype="float32") <= 1


def entropy_in_bits(p: Any, dim: int) -> Any:
    """By log2, and in nats at the end."""
    return -0.6931471805599453 * (p * torch.log2(p)).sum(dim)


def test_the_gradient_of_an_entropy_in_bits_is_not_refuted() -> None:
    """A rounded ln 2 comes before both terms, and into the quotient of the second."""
    p = torch.arange(128, 257, dtype=torch.float64)[None] / 256
    assert worst_ratio(entropy_in_bits, "entropy", "gradient", (p,)) <= 1


class PoissonByReciprocal(torch.autograd.Function):
    """The gradient in the rate as (x - t) times a reciprocal, as GPU compilers divide."""

    @staticmethod
    def forward(ctx: Any, x: Any, t: Any) -> Any:
        ctx.save_for_backward(x, t)
        return x - t * torch.log(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, t = ctx.saved_tensors
        return g * ((x - t) * (1 / x)), None


def poisson_by_reciprocal(x: Any, t: Any, log_input: bool, eps: float = 0, reduction: str = "mean") -> Any:
    """Of the rate."""
    return PoissonByReciprocal.apply(x + eps, t)


def test_a_poisson_gradient_of_one_quotient_need_not_be_exact_at_a_count_of_0() -> None:
    """A rate times its reciprocal is not always 1."""
    x = torch.arange(1024, 2048, dtype=torch.float64)[None] / 1024
    options = {"log_input": False}
    name, aspect = "poisson_nll_loss", "gradient"
    assert worst_ratio(poisson_by_reciprocal, name, aspect, (x, 0 * x), dtype="float32", **options) <= 1


class BinaryDividedFirst(torch.autograd.Function):
    """A backward pass in which what flows back is divided before the factors come."""

    @staticmethod
    def forward(ctx: Any, f: Any, t: Any) -> Any:
        ctx.save_for_backward(f, t)
        return -torch.xlogy(t, f) - torch.special.xlog1py(1 - t, -f)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        f, t = ctx.saved_tensors
        return g / (1 - f) * (1 - t) - g / f * t, None


def binary_divided_first(f: Any, t: Any, reduction: str = "mean") -> Any:
    """Binary cross-entropy of probabilities."""
    return BinaryDividedFirst.apply(f, t)


def test_what_flows_back_to_a_binary_cross_entropy_may_be_divided_first() -> None:
    """Where target and probability are close the two terms cancel, of which each is rounded once more."""
    f = torch.arange(65, 127, dtype=torch.float64)[None] / 256
    values = (f, f - 2.0**-8, 0 * f + 1)
    assert worst_ratio(binary_divided_first, "binary_cross_entropy", "gradient", values, hits=False) <= 1
