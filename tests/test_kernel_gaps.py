"""Gaps: the named inequalities are what they say, and hold; and logarithms of sums."""

from __future__ import annotations

from typing import Any

import pytest

from verify.claim import Part
from verify.domain import positive, real
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.theorem import agree, equation
from verify.refuter import attack

_A, _B, _X = positive("a"), positive("b"), real("x")

GAPS: dict[str, tuple[Any, Any, Any]] = {
    "log_le": ((_A,), lambda c, a: c.gap("log_le", a), lambda c, a: a - 1 - c.log(a)),
    "xlogx_ge": ((_A,), lambda c, a: c.gap("xlogx_ge", a), lambda c, a: c.xlogy(a, a) - a + 1),
    "xlogy_le": (
        (_A, _B),
        lambda c, a, b: c.gap("xlogy_le", a, b),
        lambda c, a, b: a * b - a - c.xlogy(a, b),
    ),
    "rel_entr_ge": (
        (_A, _B),
        lambda c, a, b: c.gap("rel_entr_ge", a, b),
        lambda c, a, b: c.xlogy(a, a) - c.xlogy(a, b) - a + b,
    ),
}


def _equal(given: Any, left: Any, right: Any, *rules: str) -> str:
    return equation(assume(given, ()), build(left, given), build(right, given), rules).relation


@pytest.mark.parametrize("name", GAPS)
def test_a_gap_is_the_difference_that_it_says(name: str) -> None:
    """A named inequality stands for right minus left, by ring arithmetic alone."""
    assert _equal(*GAPS[name]) == "="


@pytest.mark.parametrize("name", GAPS)
def test_the_refuter_does_not_object_to_a_gap(name: str) -> None:
    """At exact points of the domain the difference is not negative."""
    given, _, right = GAPS[name]
    part = Part(id=name, words="", given=given, left=lambda c, *v: c.number(0), relation="<=", right=right)
    assert attack(part).outcome == "supported"


def test_a_sum_has_its_leading_coefficient_taken_out_of_a_logarithm() -> None:
    """log((a + b)/2) = log(a + b) - log 2, as for a product."""
    given = (_A, _B)
    theorem = _equal(
        given, lambda c, a, b: c.log((a + b) / 2), lambda c, a, b: c.log(a + b) - c.log(2), "log_mul"
    )
    assert theorem == "="


def test_the_leading_coefficient_stays_where_the_rest_may_be_negative() -> None:
    """log(2 x + 2) is not log 2 + log(x + 1) before x + 1 is known to be positive."""
    given = (_X,)
    left, right = (
        build(lambda c, x: c.log(2 * x + 2), given),
        build(lambda c, x: c.log(2) + c.log(x + 1), given),
    )
    assert agree(assume(given, ()), left, right, ("log_mul",)) is None
