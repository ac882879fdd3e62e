"""Decimals rounded outwards: the numbers in which bounds are computed, of 20 digits.

Their exponents are so wide that the model of rounding knows no largest number.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    Context,
    Decimal,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction

from verify.errors import VerifyError

DIGITS = 20
_TRAPS = [InvalidOperation, Overflow]
UP = Context(prec=DIGITS, rounding=ROUND_CEILING, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=_TRAPS)
DOWN = Context(prec=DIGITS, rounding=ROUND_FLOOR, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=_TRAPS)
ZERO, ONE = Decimal(0), Decimal(1)
SMALL = Decimal("1e-6")
"""Below this, log1p and expm1 are enclosed by their first two Taylor terms."""

PI = Fraction("3.141592653589793238462643383279502884197")
"""Rounded outwards to 20 digits, as every constant of the rounding context is, it encloses the true one."""


class UnboundedError(VerifyError):
    """The model gives no finite bound: the computed value of a divisor or logarithm may be 0."""


def magnitude(lower: Decimal, upper: Decimal) -> Decimal:
    """The largest magnitude in an interval; copies, because abs() would round to the global context."""
    return max(lower.copy_abs(), upper.copy_abs())


def distance_from_zero(lower: Decimal, upper: Decimal) -> Decimal:
    """The least magnitude in an interval."""
    return ZERO if lower <= 0 <= upper else min(lower.copy_abs(), upper.copy_abs())


def exp_minus_one_bound(x: Decimal) -> Decimal:
    """An upper bound of exp(x) - 1 for x >= 0: x + x^2 up to x = 1 (where it exceeds the series)."""
    return UP.fma(x, x, x) if x <= 1 else exp_up(x)


def exp_moved(x: Decimal, exponential: Decimal, error: Decimal) -> Decimal:
    """An upper bound of exp(x + error) - exp(x), where ``exponential`` is one of exp(x)."""
    if error <= 1:
        return UP.multiply(exponential, exp_minus_one_bound(error))
    return exp_up(UP.add(x, error))


def exp_up(x: Decimal) -> Decimal:
    """An upper bound of exp(x); ``UnboundedError`` beyond the exponents of the arithmetic."""
    return _exp(UP, x).next_plus(UP)


def exp_down(x: Decimal) -> Decimal:
    """A lower bound of exp(x); ``UnboundedError`` beyond the exponents of the arithmetic."""
    return _exp(DOWN, x).next_minus(DOWN)


def _exp(context: Context, x: Decimal) -> Decimal:
    try:
        return context.exp(x)
    except Overflow:
        raise UnboundedError("the exponential of a number beyond 10^18 has no bound") from None


def expm1(x: Decimal) -> tuple[Decimal, Decimal]:
    """A lower and an upper bound of exp(x) - 1."""
    if x.copy_abs() < SMALL:
        return x, UP.fma(x, x, x)
    return DOWN.subtract(exp_down(x), ONE), UP.subtract(exp_up(x), ONE)


def log1p(x: Decimal) -> tuple[Decimal, Decimal]:
    """A lower and an upper bound of log(1 + x)."""
    if x.copy_abs() < SMALL:
        return DOWN.fma(x.copy_negate(), x, x), x
    return DOWN.add(ONE, x).ln(DOWN).next_minus(DOWN), UP.add(ONE, x).ln(UP).next_plus(UP)


def decimal_up(value: Fraction) -> Decimal:
    """The least decimal of as many digits that is not below a fraction."""
    return UP.divide(Decimal(value.numerator), Decimal(value.denominator))
