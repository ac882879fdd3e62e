"""Numbers of the rounding context: an enclosure of the exact value and a bound on the rounding error.

Decimal arithmetic, rounded outwards, with exponents so wide that the model knows no largest number.
docs/bounds.md derives the rule of each operation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
from typing import Any

from verify.contexts.heights import Height, additions
from verify.errors import DomainError, VerifyError
from verify.floats import Format

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


@dataclass(frozen=True, slots=True)
class Model:
    """What one rounding may do, in one format on one device.

    Arithmetic: fl(a op b) = (a op b)(1 + d) + e with |d| <= ``unit``; exp and log have the relative
    errors ``exp_error`` and ``log_error``, a square root that of exp. The additions of a sum have the unit
    ``sum_unit``, that of the format in which the kernel works; the sum is then rounded to the format. Where
    a product, quotient or exponential may lie below ``normal``, the smallest normal number, |e| <=
    ``subnormal``, half the spacing there; where it may lie below ``flush``, the smallest normal number of the
    format in which the kernel works, it may be lost, which adds ``flush``. ``height`` declares the order of
    sums.
    With ``fast`` the arithmetic is that of GPU kernels: exp(x) is exp2(x log2 e) and log(x) is log2(x) ln 2,
    of which the constant and the product are rounded with the unit ``sum_unit`` of the format in which the
    kernel works, and a quotient is the product with a reciprocal that is rounded so.
    ``stored`` is the narrower format to which results are rounded once, all else being done in ``format``;
    None where they stay in ``format``.
    """

    format: Format
    unit: Decimal
    sum_unit: Decimal
    exp_error: Decimal
    log_error: Decimal
    normal: Decimal
    subnormal: Decimal
    flush: Decimal
    height: Height = None
    fast: bool = False
    stored: Format | None = None

    @property
    def reach(self) -> Decimal:
        """The largest magnitude of an argument of exp for which the kernel's format has the result.

        That is the logarithm of its smallest normal number and of 2^53, more than the subnormals have.
        """
        return UP.add(UP.ln(self.flush).copy_abs(), Decimal(37))

    def holds(self, x: float) -> bool:
        """Whether a finite float64 is a finite value of the format."""
        significand, exponent = math.frexp(x)
        if exponent > self.format.emax + 1:
            return False
        lowest = max(exponent - self.format.precision, self.format.emin - self.format.precision + 1)
        return math.ldexp(significand, exponent - lowest).is_integer()


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """One number: lower <= exact value <= upper and |computed - exact value| <= ``error``.

    ``exact`` is the value as a float when it is known exactly and computed without error. An
    infinite number is exact. Supports + - * / among such numbers and ints, - and whole powers.
    """

    model: Model
    lower: Decimal
    upper: Decimal
    error: Decimal
    exact: float | None = None

    @property
    def size(self) -> Decimal:
        """An upper bound of the magnitude of the exact value."""
        return magnitude(self.lower, self.upper)

    @property
    def least(self) -> Decimal:
        """A lower bound of the magnitude of the exact value."""
        return distance_from_zero(self.lower, self.upper)

    @property
    def ends(self) -> tuple[Decimal, ...]:
        """The two bounds, or the one where they are the same."""
        return (self.lower,) if self.lower == self.upper else (self.lower, self.upper)

    @property
    def infinite(self) -> bool:
        """Whether the exact value is infinite."""
        return self.exact is not None and math.isinf(self.exact)

    def __add__(self, other: Any) -> Rounded:
        return add(self, _lifted(self.model, other))

    def __radd__(self, other: Any) -> Rounded:
        return add(_lifted(self.model, other), self)

    def __sub__(self, other: Any) -> Rounded:
        return add(self, -_lifted(self.model, other))

    def __rsub__(self, other: Any) -> Rounded:
        return add(_lifted(self.model, other), -self)

    def __mul__(self, other: Any) -> Rounded:
        return multiply(self, _lifted(self.model, other))

    def __rmul__(self, other: Any) -> Rounded:
        return multiply(_lifted(self.model, other), self)

    def __truediv__(self, other: Any) -> Rounded:
        return divide(self, _lifted(self.model, other))

    def __rtruediv__(self, other: Any) -> Rounded:
        return divide(_lifted(self.model, other), self)

    def __neg__(self) -> Rounded:
        exact = None if self.exact is None else -self.exact
        return Rounded(self.model, self.upper.copy_negate(), self.lower.copy_negate(), self.error, exact)

    def __pow__(self, exponent: int) -> Rounded:
        if exponent < 0:
            return 1 / self**-exponent
        result = point(self.model, 1.0)
        for _ in range(exponent):
            result = result * self
        return result


def magnitude(lower: Decimal, upper: Decimal) -> Decimal:
    """The largest magnitude in an interval; copies, because abs() would round to the global context."""
    return max(lower.copy_abs(), upper.copy_abs())


def distance_from_zero(lower: Decimal, upper: Decimal) -> Decimal:
    """The least magnitude in an interval."""
    return ZERO if lower <= 0 <= upper else min(lower.copy_abs(), upper.copy_abs())


def point(model: Model, x: float) -> Rounded:
    """A number that is known exactly and held exactly, or an infinity."""
    value = Decimal(x)
    return Rounded(model, value, value, ZERO, x)


def constant(model: Model, value: Fraction | int) -> Rounded:
    """A constant of a formula: exact if the format holds it, else rounded once."""
    x = float(value)
    if Fraction(x) == value and model.holds(x):
        return point(model, x)
    top, bottom = Decimal(value.numerator), Decimal(value.denominator)
    return rounded(model, DOWN.divide(top, bottom), UP.divide(top, bottom), ZERO, tiny=True)


def rounded(model: Model, lower: Decimal, upper: Decimal, error: Decimal, *, tiny: bool) -> Rounded:
    """The number after one more rounding; ``error`` came in with the operands.

    ``tiny`` says that the operation may underflow; an addition cannot.
    """
    size = UP.add(magnitude(lower, upper), error)
    total = UP.fma(model.unit, size, error)
    if tiny:
        total = UP.add(total, underflow(model, lower, upper, error))
    return Rounded(model, lower, upper, total)


def underflow(model: Model, lower: Decimal, upper: Decimal, error: Decimal) -> Decimal:
    """The absolute error of a result that may be subnormal; 0 for one that cannot be."""
    least = DOWN.subtract(distance_from_zero(lower, upper), error)
    if least < model.flush:
        return UP.add(model.subnormal, model.flush)
    return model.subnormal if least < model.normal else ZERO


def add(a: Rounded, b: Rounded) -> Rounded:
    """Sum; exact where both numbers are and the format holds the sum."""
    if a.infinite or b.infinite:
        if a.infinite and b.infinite and a.exact != b.exact:
            raise DomainError("inf - inf has no value; keep infinities of opposite sign apart")
        return a if a.infinite else b
    if a.exact == 0:
        return b
    if b.exact == 0:
        return a
    if a.exact is not None and b.exact is not None:
        s = a.exact + b.exact
        back = s - a.exact
        if math.isfinite(s) and (a.exact - (s - back)) + (b.exact - back) == 0 and a.model.holds(s):
            return point(a.model, s)
    lower, upper = DOWN.add(a.lower, b.lower), UP.add(a.upper, b.upper)
    return rounded(a.model, lower, upper, UP.add(a.error, b.error), tiny=False)


def multiply(a: Rounded, b: Rounded) -> Rounded:
    """Product; 0 times anything is 0, and exact numbers give an exact product where it is held."""
    if a.exact == 0 or b.exact == 0:
        return point(a.model, 0.0)
    if a.exact in (1, -1):
        return b if a.exact == 1 else -b
    if b.exact in (1, -1):
        return a if b.exact == 1 else -a
    if a.infinite or b.infinite:
        return point(a.model, math.inf * _sign(a) * _sign(b))
    if a.exact is not None and b.exact is not None:
        p = a.exact * b.exact
        if math.isfinite(p) and Fraction(a.exact) * Fraction(b.exact) == Fraction(p) and a.model.holds(p):
            return point(a.model, p)
    pairs = [(x, y) for x in a.ends for y in b.ends]
    lower, upper = min(DOWN.multiply(*pair) for pair in pairs), max(UP.multiply(*pair) for pair in pairs)
    error = UP.fma(a.error, b.error, UP.fma(a.size, b.error, UP.multiply(b.size, a.error)))
    return rounded(a.model, lower, upper, error, tiny=True)


def divide(a: Rounded, b: Rounded) -> Rounded:
    """Quotient; ``DomainError`` for an exact 0 below, ``UnboundedError`` for one that may be 0."""
    if b.exact == 0:
        raise DomainError("division by 0; the divisor must be different from 0")
    if b.exact in (1, -1):
        return a if b.exact == 1 else -a
    if a.exact == 0 or (b.infinite and not a.infinite):
        return point(a.model, 0.0)
    if a.infinite:
        return point(a.model, math.inf * _sign(a) * _sign(b))
    least = DOWN.subtract(b.least, b.error)
    if least <= 0:
        raise UnboundedError("the computed divisor may be 0")
    pairs = [(x, y) for x in a.ends for y in b.ends]
    lower, upper = min(DOWN.divide(*pair) for pair in pairs), max(UP.divide(*pair) for pair in pairs)
    error = UP.divide(UP.fma(magnitude(lower, upper), b.error, a.error), least)
    if a.model.fast:
        error = UP.fma(a.model.sum_unit, UP.add(magnitude(lower, upper), error), error)
    return rounded(a.model, lower, upper, error, tiny=True)


def total(model: Model, terms: list[Rounded]) -> Rounded:
    """Sum of n terms: each passes through the additions of the declared height. 0 is added exactly.

    Kernels for the 16-bit formats add in float32 and round the sum once.
    """
    infinite = [term for term in terms if term.infinite]
    if infinite:
        return infinite[0] if len(infinite) == 1 else add(infinite[0], total(model, infinite[1:]))
    longest = additions(model.height, len(terms))
    terms = [term for term in terms if term.exact != 0]
    if len(terms) < 2:
        return terms[0] if terms else point(model, 0.0)
    lower, upper, size, error = ZERO, ZERO, ZERO, ZERO
    for term in terms:
        lower, upper = DOWN.add(lower, term.lower), UP.add(upper, term.upper)
        size, error = UP.add(size, term.size), UP.add(error, term.error)
    growth = exp_minus_one_bound(UP.multiply(model.sum_unit, min(longest, len(terms) - 1)))
    error = UP.fma(growth, UP.add(size, error), error)
    if model.sum_unit == model.unit:
        return Rounded(model, lower, upper, error)
    return rounded(model, lower, upper, error, tiny=False)


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


def _lifted(model: Model, other: Any) -> Rounded:
    return other if isinstance(other, Rounded) else constant(model, other)


def _sign(a: Rounded) -> int:
    if a.lower > 0:
        return 1
    if a.upper < 0:
        return -1
    raise UnboundedError("a number of undecided sign stands beside an infinity")
