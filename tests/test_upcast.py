"""Level "upcast": what is done in float32 and rounded once, not what is rounded on the way."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.checking import contract_of
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.elements import flat
from verify.floats import format_named
from verify.results import Results
from verify.verdict import Status

pytestmark = pytest.mark.torch

SIXTEEN = ("float16", "bfloat16")


def softmax_upcast(x: Any, dim: int) -> Any:
    """In float32, rounded once."""
    return torch.softmax(x.float(), dim).to(x.dtype)


def cross_entropy_upcast(x: Any, target: Any, **options: Any) -> Any:
    """In float32 where target has class probabilities too, rounded once."""
    if "weight" in options:
        options["weight"] = options["weight"].float()
    target = target.float() if target.is_floating_point() else target
    return functional.cross_entropy(x.float(), target, **options).to(x.dtype)


def log_softmax_of_a_rounded_sum(x: Any, dim: int) -> Any:
    """The logarithm of the sum is rounded to 16 bits before it is subtracted."""
    d = x - x.amax(dim, keepdim=True)
    return d - torch.logsumexp(d.float(), dim, keepdim=True).to(x.dtype)


def _checked(function: Any, name: str, dtype: str, **how: Any) -> Results:
    return verify.check(function, name, dtypes=(dtype,), level="upcast", examples=20, **how)


@pytest.mark.parametrize("dtype", SIXTEEN)
@pytest.mark.parametrize(
    ("function", "name"), [(softmax_upcast, "softmax"), (cross_entropy_upcast, "cross_entropy")]
)
def test_what_is_rounded_once_passes(function: Any, name: str, dtype: str) -> None:
    """Values and gradients, which autograd hands through the conversion, have one rounding to 16 bits."""
    assert _checked(function, name, dtype).holds


@pytest.mark.parametrize(
    ("level", "status"), [("stable", Status.PASSED), ("upcast", Status.REFUTED), ("accurate", Status.REFUTED)]
)
def test_roundings_on_the_way_are_granted_at_level_stable_alone(level: str, status: Status) -> None:
    """The error of a logarithm that is rounded to 16 bits shows."""
    how: Any = {"dtypes": ("bfloat16",), "grad": False, "examples": 20}
    assert verify.check(log_softmax_of_a_rounded_sum, "log_softmax", level=level, **how)[0].status is status


def test_a_finding_is_replayed_at_the_level() -> None:
    """At level "stable" the same call would pass."""
    value = _checked(log_softmax_of_a_rounded_sum, "log_softmax", "bfloat16", grad=False)[0]
    assert value.status is Status.REFUTED
    assert value.witness is not None
    again = verify.replay(log_softmax_of_a_rounded_sum, value.witness)
    assert (again.status, again.level) == (Status.REFUTED, "upcast")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_wider_formats_are_held_to_what_level_stable_holds_them(dtype: str) -> None:
    """They are not rounded to anything narrower."""
    assert model_for(dtype, upcast=True) == model_for(dtype)


@pytest.mark.parametrize("dtype", SIXTEEN)
def test_the_bound_is_half_an_ulp_and_what_float32_may_be_off_by(dtype: str) -> None:
    """Of a share of a softmax: the rounding of the result, and little more."""
    format = format_named(dtype)
    contract = contract_of("softmax")
    given = {"dim": -1, "axes": 1}
    numbers = (Fraction(1), Fraction(2), Fraction(1, 2))
    bounds = error_bounds(
        lambda c, x: flat(contract.algorithm(c, given, x)), (numbers,), model_for(dtype, upcast=True)
    )
    assert bounds is not None
    shares = torch.softmax(torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), -1).tolist()
    for bound, share in zip(bounds, shares, strict=True):
        half = Fraction(share) * format.unit_roundoff
        assert half < bound < half * Fraction(101, 100)


@pytest.mark.parametrize(("number", "bound"), [(Fraction(3), 0), (1 + Fraction(1, 2**20), Fraction(1, 2**8))])
def test_a_result_that_the_format_holds_is_not_rounded(number: Fraction, bound: Fraction) -> None:
    """Any other is rounded once, by at most a unit roundoff of bfloat16 of itself."""
    bounds = error_bounds(lambda c, x: (x,), (number,), model_for("bfloat16", upcast=True))
    assert bounds is not None
    assert bounds[0] == pytest.approx(bound * number, rel=1e-12)
