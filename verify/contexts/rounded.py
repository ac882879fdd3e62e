"""Numbers of the rounding context: an enclosure of the exact value and a bound on the rounding error.

Decimal arithmetic, rounded outwards, with exponents so wide that the model knows no largest number.
docs/bounds.md derives the rule of each operation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from verify.contexts.decimals import (
    DOWN,
    UP,
    ZERO,
    UnboundedError,
    distance_from_zero,
    exp_minus_one_bound,
    magnitude,
)
from verify.contexts.heights import additions
from verify.contexts.models import Model
from verify.errors import DomainError, UsageError


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


def point(model: Model, x: float) -> Rounded:
    """A number that is known exactly and held exactly, or an infinity."""
    value = Decimal(x)
    return Rounded(model, value, value, ZERO, x)


def constant(model: Model, value: Fraction | int) -> Rounded:
    """A constant of a formula: exact if the format holds it, else rounded once.

    ``UsageError`` for what is no number, as what a formula without ``return`` gives.
    """
    if not isinstance(value, int | float | Fraction):
        raise UsageError(f"{value!r} is no number; give an int, Fraction or float")
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


def _lifted(model: Model, other: Any) -> Rounded:
    return other if isinstance(other, Rounded) else constant(model, other)


def _sign(a: Rounded) -> int:
    if a.lower > 0:
        return 1
    if a.upper < 0:
        return -1
    raise UnboundedError("a number of undecided sign stands beside an infinity")
