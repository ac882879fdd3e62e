"""The ball context: exact where it can be, rigorous everywhere, honest about its precision."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import flint
import mpmath
import pytest

from verify.contexts.ball import BallContext
from verify.contexts.contents import WIDEST_EXPONENT
from verify.contexts.exact import ExactContext, to_decimal
from verify.errors import DomainError, PrecisionError
from verify.floats import Enclosure


def test_the_exponential_of_0_is_a_rational() -> None:
    """So what is computed from it stays exact: a third of it is."""
    c = BallContext(64)
    assert c.enclosure(c.exp(c.number(0)) / 3).is_point


def test_rational_arithmetic_is_exact() -> None:
    """1/3 + 2/3 is 1, a point, whatever the precision."""
    c = BallContext(8)
    assert c.enclosure(c.number(Fraction(1, 3)) + Fraction(2, 3)) == Enclosure(Fraction(1), Fraction(1))


def test_exact_values_wider_than_the_precision_are_kept() -> None:
    """At 8 bits of precision the sum 2^-1074 + 2^1000 keeps both terms."""
    c = BallContext(8)
    total = c.value(5e-324) + c.value(2.0**1000)
    assert c.enclosure(total).lower == Fraction(5e-324) + 2**1000


@pytest.mark.parametrize(
    "power",
    [lambda third: third**50_000, lambda third: third**20_000 * third**30_000],
    ids=["power", "product"],
)
def test_very_long_rationals_become_balls_that_hold_them(power: Any) -> None:
    """Beyond the limit on length a power or product of rationals is rounded outwards."""
    c, third = BallContext(64), Fraction(1, 3)
    enclosure = c.enclosure(power(c.number(third)))
    assert enclosure.width > 0
    assert enclosure.contains(third**50_000)


@pytest.mark.parametrize("bits", [16, 64, 200, 1000])
def test_enclosures_shrink_with_the_precision(bits: int) -> None:
    """An enclosure of e has a width of about one unit in the last bit."""
    c = BallContext(bits)
    assert 0 < c.enclosure(c.exp(1)).width < Fraction(1, 2 ** (bits - 8))


def test_precision_holds_for_operators_outside_evaluate() -> None:
    """Balls carry their precision with them, so that plain arithmetic keeps it."""
    c = BallContext(500)
    assert c.enclosure(c.exp(1) / c.exp(2) - 3 * c.exp(5)).width < Fraction(1, 2**480)


def test_the_precision_of_flint_is_restored() -> None:
    """Neither an evaluation nor one that fails leaves Flint's global precision changed."""
    c, before = BallContext(333), flint.ctx.prec
    c.evaluate(lambda c, x: c.exp(x), Fraction(1))
    with pytest.raises(DomainError):
        c.evaluate(lambda c, x: c.log(x), Fraction(-1))
    assert flint.ctx.prec == before


def test_another_precision_set_meanwhile_does_not_make_a_ball_wrong() -> None:
    """With Flint's precision lowered behind its back, a context still encloses the truth."""
    c, before = BallContext(200), flint.ctx.prec
    reference = ExactContext(80)

    def formula(context: Any, x: Any) -> Any:
        if context is c:
            flint.ctx.prec = 20
        return context.log(context.exp(x) + 1) / 3

    try:
        enclosure = c.enclosure(c.evaluate(formula, Fraction(1, 7)))
    finally:
        flint.ctx.prec = before
    assert reference.lies_in(reference.evaluate(formula, Fraction(1, 7)), enclosure, slack_digits=80)


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (lambda c: c.log(c.exp(1) - c.exp(1)), "log of what may be 0"),
        (lambda c: 1 / (c.exp(1) - c.exp(1)), "division by what may be 0"),
        (lambda c: c.ceil(c.log(c.exp(3))), "ceil at a whole number"),
        (lambda c: c.value(math.inf) * (c.exp(1) - c.exp(1)), "inf times what may be 0"),
        (lambda c: c.exp(c.exp(1000)), "an exponential beyond the range of exponents"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_what_a_ball_cannot_decide_is_a_precision_error(formula: Any, why: str) -> None:
    """The caller learns that a higher precision might tell, which differs from having no value."""
    with pytest.raises(PrecisionError):
        formula(BallContext(64))


@pytest.mark.parametrize(
    ("formula", "exact"),
    [
        (lambda c: c.exp(c.log(Fraction(1, 3))), Fraction(1, 3)),
        (lambda c: c.exp(-(5 * c.log(2))), Fraction(1, 32)),
        (lambda c: c.exp(c.log(Fraction(2, 3)) * 2), Fraction(4, 9)),
        (lambda c: c.exp(c.log(6) - c.log(4) + 0), Fraction(3, 2)),
        (lambda c: c.log(2) + c.log(Fraction(1, 2)), Fraction(0)),
        (lambda c: c.exp(c.log(2) + 1), None),
        (lambda c: c.exp(1 - c.log(2)), None),
        (lambda c: -c.log(Fraction(1, 8)) / c.log(2), Fraction(3)),
        (lambda c: c.log(3) / c.log(Fraction(1, 9)) * -2 + c.log(9) / c.log(3), None),
        (lambda c: c.exp(c.log(2) / 2), None),
        (lambda c: c.exp(c.log(2) * Fraction(1, 2)), None),
        (lambda c: c.exp(c.log(2) * 10**6), None),
        (lambda c: c.log(8) / c.log(3), None),
        (lambda c: c.exp(c.exp(c.log(2))), None),
    ],
)
def test_sums_and_whole_multiples_of_logarithms_are_exact(formula: Any, exact: Fraction | None) -> None:
    """So are their exponentials and whole quotients; nothing else is, and no number is so long."""
    enclosure = BallContext(64).enclosure(formula(BallContext(64)))
    assert (enclosure.lower if enclosure.is_point else None) == exact


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_a_power_of_a_ball_with_0_inside_has_a_value(exponent: int) -> None:
    """It lies around 0, and is small."""
    c = BallContext(64)
    around = c.exp(Fraction(1, 3)) - c.exp(Fraction(1, 3))
    enclosure = c.enclosure(around**exponent)
    assert enclosure.lower <= 0 <= enclosure.upper < Fraction(1, 10**10)


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        (lambda c: c.exp(1), lambda c: 3, "less"),
        (lambda c: 3, lambda c: c.exp(1), "greater"),
        (lambda c: Fraction(1, 3), lambda c: c.number(1) / 3, "equal"),
        (lambda c: c.exp(1), lambda c: c.exp(1), "undecided"),
        (lambda c: 2 * c.log(3), lambda c: c.log(18) - c.log(2), "equal"),
        (lambda c: c.log(2) + 1, lambda c: c.log(2) + 1, "undecided"),
        (lambda c: c.log(0), lambda c: -math.inf, "equal"),
        (lambda c: c.log(0), lambda c: c.exp(1), "less"),
        (lambda c: math.inf, lambda c: -(10**400), "greater"),
        (lambda c: c.log(0), lambda c: math.inf, "less"),
        (lambda c: Fraction(1, 10**400), lambda c: 0, "greater"),
    ],
)
def test_compare(a: Any, b: Any, order: str) -> None:
    """Order is told from the balls; equality only between exact numbers and logarithms of rationals."""
    c = BallContext(64)
    assert c.compare(a(c), b(c)) == order


@pytest.mark.parametrize("sign", [1, -1])
def test_astronomic_numbers_are_enclosed_without_their_digits(sign: int) -> None:
    """exp(1e9) is given as beyond 2^WIDEST_EXPONENT, with the truth still between the bounds."""
    c = BallContext(64)
    enclosure = c.enclosure(sign * c.exp(10**9))
    expected = Enclosure(Fraction(2**WIDEST_EXPONENT), math.inf)
    assert enclosure == (expected if sign > 0 else Enclosure(-expected.upper, -expected.lower))


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_too_close_to_zero_are_enclosed_without_their_digits(sign: int) -> None:
    """exp(-1e9) is given as between 0 and 2^-WIDEST_EXPONENT."""
    c = BallContext(64)
    enclosure, edge = c.enclosure(sign * c.exp(-(10**9))), Fraction(1, 2**WIDEST_EXPONENT)
    assert enclosure == (Enclosure(Fraction(0), edge) if sign > 0 else Enclosure(-edge, Fraction(0)))


def test_the_reference_leaves_the_global_mpmath_context_alone() -> None:
    """An exact context sets the precision of its own mpmath context, not of the shared one."""
    before = mpmath.mp.dps
    ExactContext(before + 100).exp(1)
    assert mpmath.mp.dps == before


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(1, 3), "0.333333333333333333333333333333"),
        (Fraction(5), "5"),
        (0.1, "0.100000000000000005551115123126"),
        (-math.inf, "-inf"),
        (ExactContext(50).exp(1), "2.71828182845904523536028747135"),
    ],
)
def test_decimals_have_thirty_digits(number: Any, text: str) -> None:
    """Numbers are written with 30 significant digits, floats as the binary fractions they are."""
    assert to_decimal(number) == text
