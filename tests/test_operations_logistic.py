"""Softplus and log-sigmoid as contracts: torch passes or is a stated finding, mistakes are refuted."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.elements import flat
from verify.operations import operations_with_contract
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch

DTYPES = ("float32", "float64", "bfloat16", "float16")
U = 2.0**-24


def _verdict(
    candidate: Callable[..., Any], name: str, aspect: str, dtype: str = "float32", **how: Any
) -> Verdict:
    results = verify.check(candidate, name, dtypes=(dtype,), grad=aspect != "value", **how)
    return next(v for v in results if f": {aspect} in" in v.subject)


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_logsigmoid_passes(dtype: str) -> None:
    """Values, gradients and side effects are within the bounds in every dtype and number of axes."""
    results = verify.check(functional.logsigmoid, "logsigmoid", dtypes=(dtype,), examples=24)
    assert [verdict.reason for verdict in results if not verdict] == []


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_torch_softplus_passes(dtype: str) -> None:
    """Above its threshold torch returns the input, which these formats cannot tell from the value."""
    results = verify.check(functional.softplus, "softplus", dtypes=(dtype,), examples=24)
    assert [verdict.reason for verdict in results if not verdict] == []


@pytest.mark.parametrize("aspect", ["value", "gradient"])
def test_the_threshold_of_torch_softplus_is_a_finding_in_float64(aspect: str) -> None:
    """Above 20 torch drops log1p(exp(-z)), which float64 holds."""
    verdict = _verdict(functional.softplus, "softplus", aspect, "float64", options={"beta": 2})
    assert verdict.status is Status.REFUTED


def test_the_threshold_of_torch_softplus_has_a_witness() -> None:
    """At 21 float64 gives 21; exact is 21 + 7.6e-10."""
    assert functional.softplus(torch.tensor(21.0, dtype=torch.float64)).item() == 21.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_softplus_without_a_threshold_passes(dtype: str) -> None:
    """The stable form passes; options that it lacks stay at their default."""
    results = verify.check(shifted_softplus, "softplus", dtypes=(dtype,), examples=24)
    assert [verdict.reason for verdict in results if not verdict] == []


def shifted_softplus(z: Any, beta: float = 1) -> Any:
    """By logsigmoid, which has no threshold."""
    return -functional.logsigmoid(-beta * z) / beta


def softplus_that_overflows(z: Any) -> Any:
    """The textbook formula."""
    return torch.log1p(torch.exp(z))


def softplus_that_cancels(z: Any) -> Any:
    """1 + exp(z) loses a small exp(z)."""
    return z.clamp(min=0) + torch.log(1 + torch.exp(-z.abs()))


def softplus_without_division(z: Any, beta: float = 1) -> Any:
    """The result is not divided by beta."""
    return functional.softplus(beta * z)


class _Saturated(torch.autograd.Function):
    """Softplus whose gradient is clipped away from 0."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        """Softplus."""
        ctx.save_for_backward(z)
        return functional.softplus(z)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """A sigmoid that is at least 1e-6."""
        return upstream[0] * torch.sigmoid(ctx.saved_tensors[0]).clamp(min=1e-6)


def softplus_with_a_clipped_gradient(z: Any) -> Any:
    """The gradient does not vanish for negative inputs."""
    return _Saturated.apply(z)


def logsigmoid_of_sigmoid(z: Any) -> Any:
    """The sigmoid underflows."""
    return torch.log(torch.sigmoid(z))


def logsigmoid_with_epsilon(z: Any) -> Any:
    """An epsilon guards the logarithm."""
    return torch.log(torch.sigmoid(z) + 1e-7)


def logsigmoid_of_three_axes_wrong(z: Any) -> Any:
    """The last entry of a third axis is forgotten."""
    seen = torch.ones_like(z)
    if z.ndim == 3:
        seen[..., -1] = 0
    return functional.logsigmoid(z) * seen


def logsigmoid_with_the_gradient_of_sigmoid(z: Any) -> Any:
    """The gradient is s (1 - s), not 1 - s."""
    s = torch.sigmoid(z)
    return functional.logsigmoid(z).detach() + s - s.detach()


MISTAKES = (
    (softplus_that_overflows, "softplus", "value"),
    (softplus_that_cancels, "softplus", "value"),
    (softplus_without_division, "softplus", "value"),
    (softplus_with_a_clipped_gradient, "softplus", "gradient"),
    (softplus_that_overflows, "softplus", "gradient"),
    (logsigmoid_of_sigmoid, "logsigmoid", "value"),
    (logsigmoid_with_epsilon, "logsigmoid", "value"),
    (logsigmoid_of_three_axes_wrong, "logsigmoid", "value"),
    (logsigmoid_with_the_gradient_of_sigmoid, "logsigmoid", "gradient"),
)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect"), MISTAKES, ids=[f"{m[0].__name__}-{m[2]}" for m in MISTAKES]
)
def test_a_mistake_is_refuted(candidate: Callable[..., Any], name: str, aspect: str) -> None:
    """Overflow, cancellation, a forgotten factor, a forgotten axis and a wrong derivative are found."""
    assert _verdict(candidate, name, aspect, examples=40).status is Status.REFUTED


def _bounds(name: str, z: float, *, gradient: bool = False) -> float:
    """The bound of the algorithm at one number in float32, the upstream gradient being 1."""
    contract = operations_with_contract()[name].contract
    assert contract is not None
    action = contract.gradients[0].algorithm if gradient else contract.algorithm
    options = {"axes": 1, "beta": 1, "threshold": 20}
    values = ((Fraction(1),), (Fraction(z),)) if gradient else ((Fraction(z),),)
    found = error_bounds(lambda c, *x: flat(action(c, options, *x)), values, model_for("float32"))
    assert found is not None
    return float(found[0])


@pytest.mark.parametrize("z", [-5.5, -0.75, 0.5, 6.25])
def test_the_bounds_are_those_of_the_table(z: float) -> None:
    """docs/bounds.md gives to first order what the rounding context computes."""
    size = math.log1p(math.exp(-abs(z)))
    share = 1 / (1 + math.exp(abs(z)))
    inside = U * (2 * share + 2 * size)
    sigmoid = 1 / (1 + math.exp(-z))
    softplus = inside + (U * (max(z, 0) + size) if z > 0 else 0)
    assert _bounds("softplus", z) == pytest.approx(softplus, rel=0.02)
    logsigmoid = inside + (U * (max(-z, 0) + size) if z < 0 else 0)
    assert _bounds("logsigmoid", z) == pytest.approx(logsigmoid, rel=0.02)
    of_sigmoid = sigmoid * U * (2 * (1 - sigmoid) + 2)
    assert _bounds("softplus", z, gradient=True) == pytest.approx(of_sigmoid, rel=0.02)
