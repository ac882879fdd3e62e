"""Bounds of elementwise operations: to first order they are those of the tables in docs/bounds.md."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import exp, log, log1p
from typing import Any

import pytest

from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.elements import flat
from verify.operations import operations_with_contract

U = 2.0**-24
E = 2 * U
"""The relative error of exp and log on the CPU."""

G = Fraction(11, 8)
X, T = Fraction(12345678, 2**23), -Fraction(8765431, 2**21)
"""A difference of these two is not a float32."""
V = Fraction(29, 16)
P, Q = Fraction(77, 256), Fraction(150, 256)
F = Fraction(6172839, 2**24)
"""1 - F is a float32, and F (1 - F) is not."""
A, B = -Fraction(9, 4), -Fraction(5, 8)
COUNT = Fraction(3)
OPTIONS = {"axes": 1, "reduction": "none", "log_target": False, "full": False, "log_input": True}

g, x, t, v, p, q, f, a, b, n = map(float, (G, X, T, V, P, Q, F, A, B, COUNT))
d, m = x - t, (p + q) / 2
one = Fraction(1)


def _bce() -> float:
    first, second = q * abs(log(p)), (1 - q) * abs(log1p(-p))
    return (E + U) * (first + second) + U * (first + second)


TABLE: dict[str, tuple[str, str, dict[str, Any], tuple[Fraction, ...], Callable[[], float]]] = {
    "BCE": ("binary_cross_entropy", "", {}, (P, Q, one), _bce),
    "BCE'": (
        "binary_cross_entropy",
        "input",
        {},
        (F, Q, one),
        lambda: 3 * U * g * abs(f - q) / (f * (1 - f)),
    ),
    "KL of logarithms": (
        "kl_div",
        "",
        {"log_target": True},
        (A, B),
        lambda: exp(b) * abs(b - a) * (E + U),
    ),
    "KL' in p": (
        "kl_div",
        "target",
        {},
        (X - 3, P),
        lambda: g * (E * abs(log(p)) + U * (2 * abs(log(p) + 1) + abs(x - 3) + abs(log(p) + 4 - x))),
    ),
    "rel_entr": (
        "rel_entr",
        "",
        {},
        (P, Q),
        lambda: (E + U) * p * (abs(log(p)) + abs(log(q))) + U * abs(p * log(p / q)),
    ),
    "rel_entr'": (
        "rel_entr",
        "input",
        {},
        (P, Q),
        lambda: g * (E * (abs(log(p)) + abs(log(q))) + U * abs(log(p / q)) + 2 * U * abs(log(p / q) + 1)),
    ),
    "rel_entr' in q": ("rel_entr", "target", {}, (P, Q), lambda: 2 * U * g * p / q),
    "Gauss": (
        "gaussian_nll_loss",
        "",
        {},
        (X, T, V),
        lambda: (E * abs(log(v)) + 4 * U * d * d / v + 2 * U * abs(log(v) + d * d / v)) / 2,
    ),
    "Gauss'": ("gaussian_nll_loss", "input", {}, (X, T, V), lambda: 3 * U * g * d / v),
    "Gauss' in v": (
        "gaussian_nll_loss",
        "var",
        {},
        (X, T, V),
        lambda: g / 2 * U * (2 / v + 7 * (d / v) ** 2 + abs(1 / v - (d / v) ** 2)),
    ),
    "Poisson": (
        "poisson_nll_loss",
        "",
        {},
        (X, COUNT),
        lambda: E * exp(x) + U * n * x + U * abs(exp(x) - n * x),
    ),
    "Poisson'": (
        "poisson_nll_loss",
        "input",
        {},
        (X, COUNT),
        lambda: g * ((E + U) * exp(x) + U * abs(exp(x) - n)),
    ),
    "Laplace": (
        "laplace_nll",
        "",
        {},
        (X, T, V, one),
        lambda: E * abs(log(2 * v)) + 2 * U * d / v + U * abs(log(2 * v) + d / v),
    ),
    "Laplace'": ("laplace_nll", "input", {}, (X, T, V, one), lambda: U * g / v),
    "Laplace' in b": (
        "laplace_nll",
        "scale",
        {},
        (X, T, V, one),
        lambda: g * U * (1 / v + 4 * d / v / v + abs(1 / v - d / v / v)),
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_the_bounds_are_those_of_the_table(row: str) -> None:
    """What the rounding context computes is within 2% of the first-order formula."""
    name, of, options, values, formula = TABLE[row]
    contract = operations_with_contract()[name].contract
    assert contract is not None
    action = contract.gradient(of).algorithm if of else contract.algorithm
    given = tuple((value,) for value in ((G, *values) if of else values))
    found = error_bounds(
        lambda c, *z: flat(action(c, {**OPTIONS, **options}, *z)), given, model_for("float32")
    )
    assert found is not None
    assert float(found[0]) == pytest.approx(formula(), rel=0.02)
