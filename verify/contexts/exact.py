"""The exact context: the independent reference, formulas evaluated by mpmath at a stated precision.

Unlike balls, its numbers carry no error bound: two evaluations at different precisions that agree
are evidence, not proof. Its use is to be another implementation, by which the balls are checked.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import mpmath
from mpmath.libmp import from_man_exp

from verify.contexts.dual import Dual, Index, derivative
from verify.contexts.family import Family, Later
from verify.errors import DomainError, UsageError
from verify.floats import Enclosure


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """A number of the exact context: ``value``, an mpmath number of the context's own precision.

    Supports ``+ - * /`` with another, an int, a Fraction or a float, unary minus and ``**`` with an
    int. Raises `DomainError` on division by 0 and on inf - inf, 0 * inf and inf / inf.
    """

    value: Any

    def __add__(self, other: Any) -> Any:
        return _binary(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary(operator.add, self, other, swap=True)

    def __sub__(self, other: Any) -> Any:
        return _binary(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary(operator.sub, self, other, swap=True)

    def __mul__(self, other: Any) -> Any:
        return _binary(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary(operator.mul, self, other, swap=True)

    def __truediv__(self, other: Any) -> Any:
        return _binary(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary(operator.truediv, self, other, swap=True)

    def __neg__(self) -> Real:
        return Real(-self.value)

    def __pow__(self, exponent: int) -> Real:
        if not isinstance(exponent, int):
            return NotImplemented
        if exponent < 0:
            return _quotient(self.value.context.one, self.value**-exponent)
        return Real(self.value**exponent if exponent else self.value.context.one)

    def __repr__(self) -> str:
        return f"Real({to_decimal(self)})"


@dataclass(frozen=True, slots=True)
class ExactContext:
    """Evaluates formulas with ``digits`` significant decimal digits, in an mpmath context of its own.

    With ``lazy`` an item of a family is computed, and found to have a value, only when it is used.
    """

    digits: int = 60
    lazy: bool = False
    mp: Any = field(init=False, repr=False, compare=False)
    _exponentials: dict[Any, Real] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        mp = mpmath.MPContext()
        mp.dps = self.digits
        object.__setattr__(self, "mp", mp)

    def value(self, number: Fraction | float) -> Real:
        """A number, rounded to the precision; a float may be infinite, nan raises `DomainError`."""
        return Real(_converted(self.mp, number))

    def number(self, number: int | Fraction) -> Real:
        """A constant of a formula."""
        return self.value(number)

    def pi(self) -> Real:
        """The circle's constant."""
        return Real(+self.mp.pi)

    def lift(self, value: Any) -> Any:
        """An argument: Fraction or float to a number, int (an index) as it is, tuple to a family."""
        if isinstance(value, tuple | list | Family):
            given = tuple(value)
            if self.lazy:
                return Family(Later(lambda i: self.lift(given[i - 1]), len(given)))
            return Family(tuple(map(self.lift, given)))
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self.value(value)

    def evaluate(self, formula: Callable[..., Any], *values: Any) -> Any:
        """``formula(self, *values)`` with lifted values."""
        return formula(self, *(self.lift(value) for value in values))

    def exp(self, a: Any) -> Real:
        """The exponential; exp(-inf) = 0. Each number has its own once: wide rows have many alike."""
        value = _converted(self.mp, a)
        known = self._exponentials.get(value._mpf_)
        if known is None:
            known = self._exponentials[value._mpf_] = Real(self.mp.exp(value))
        return known

    def log(self, a: Any) -> Real:
        """The natural logarithm; log(0) = -inf, and of a negative number `DomainError`."""
        value = _converted(self.mp, a)
        if value < 0:
            raise DomainError(f"log of {_text(value, 5)}: log needs a number >= 0; check the argument")
        return Real(self.mp.log(value) if value else self.mp.ninf)

    def xlogy(self, a: Any, b: Any) -> Real:
        """The product a log b, and 0 when a is 0, also at b = 0; of a negative b `DomainError`."""
        logarithm, factor = self.log(b), _converted(self.mp, a)
        return Real(self.mp.zero) if factor == 0 else _combined(operator.mul, factor, logarithm.value)

    def ceil(self, a: Any) -> Real:
        """The least whole number >= a, of a as rounded to the precision."""
        value = _converted(self.mp, a)
        return Real(value if self.mp.isinf(value) else self.mp.ceil(value))

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Real:
        """body(1) + ... + body(n), n the length of ``over``; 0 when it is empty."""
        return sum((body(position) for position in range(1, len(over) + 1)), start=Real(self.mp.zero))

    def prod(self, body: Callable[[int], Any], *, over: Family) -> Real:
        """body(1) * ... * body(n), n the length of ``over``; 1 when it is empty."""
        return math.prod((body(position) for position in range(1, len(over) + 1)), start=Real(self.mp.one))

    def family(self, body: Callable[[int], Any], *, over: Family) -> Family:
        """The family body(1), ..., body(n), n the length of ``over``."""
        if self.lazy:
            return Family(Later(body, len(over)))
        return Family(tuple(body(position) for position in range(1, len(over) + 1)))

    def equal(self, i: int, j: int) -> Real:
        """1 where two indices are the same, else 0."""
        return Real(self.mp.one if i == j else self.mp.zero)

    def count(self, over: Family) -> Real:
        """The length of the first axis."""
        return Real(self.mp.mpf(len(over)))

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The definition of an operation, in this context."""
        return operation.definition(self, *arguments)

    def derivative(self, function: Callable[[Any, Any], Any], at: Any, index: Index = None) -> Any:
        """The partial derivative of ``function(context, x)`` at x, by its entry ``index`` if a family."""
        return derivative(self, function, at, index)

    def lies_in(self, a: Any, enclosure: Enclosure, *, slack_digits: int) -> bool:
        """Whether a number lies between two bounds, give or take 10**-slack_digits of itself."""
        value = _converted(self.mp, a)
        lower, upper = (_converted(self.mp, bound) for bound in (enclosure.lower, enclosure.upper))
        slack = 0 if self.mp.isinf(value) else abs(value) * self.mp.mpf(10) ** -slack_digits
        return bool(lower - slack <= value <= upper + slack)


def to_decimal(number: Real | Fraction | float, digits: int = 30) -> str:
    """A number in decimal notation with ``digits`` significant digits, rounded."""
    if isinstance(number, Real):
        return _text(number.value, digits)
    mp = mpmath.MPContext()
    mp.dps = digits + 20
    return _text(_converted(mp, number), digits)


def _converted(mp: Any, number: Any) -> Any:
    """An mpmath number from a `Real`, int, Fraction or float."""
    if isinstance(number, Real):
        return number.value
    if isinstance(number, Fraction):
        if not number:
            return mp.zero
        whole, divisor = number.numerator, number.denominator
        if divisor & (divisor - 1):
            return mp.mpf(whole) / divisor
        return mp.make_mpf(from_man_exp(whole, 1 - divisor.bit_length(), mp.prec, "n"))
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UsageError(f"{number!r} is no number; give an int, Fraction or float")
    if isinstance(number, float) and math.isnan(number):
        raise DomainError("nan is no number; give a finite or infinite value")
    return mp.mpf(number)


def _binary(action: Callable[[Any, Any], Any], a: Real, other: Any, swap: bool = False) -> Any:
    """``a action other``, or the other way round."""
    if isinstance(other, Dual):
        return NotImplemented
    x, y = a.value, other.value if type(other) is Real else _converted(a.value.context, other)
    if swap:
        x, y = y, x
    return _quotient(x, y) if action is operator.truediv else _combined(action, x, y)


def _combined(action: Callable[[Any, Any], Any], x: Any, y: Any) -> Real:
    """``action(x, y)``, rejected when it has no value."""
    result = action(x, y)
    if result != result:
        raise DomainError("inf - inf, 0 * inf and inf / inf have no value; check the arguments")
    return Real(result)


def _quotient(x: Any, y: Any) -> Real:
    """``x / y``, rejected at y = 0."""
    if y == 0:
        raise DomainError("division by 0; the divisor must be different from 0")
    return _combined(operator.truediv, x, y)


def _text(value: Any, digits: int) -> str:
    """Significant digits without trailing zeros; infinities as inf and -inf."""
    mp = value.context
    if mp.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = str(mp.nstr(value, digits))
    return text.removesuffix(".0")
