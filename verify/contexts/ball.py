"""The ball context: formulas evaluated with proved error, by python-flint's Arb.

A number is exact (a rational, or an infinity) for as long as only + - * / and whole powers touched
it, and a ball (midpoint and radius) from the first exp or log on. Sums and whole multiples of logarithms of
rationals are remembered as such: their exponentials are exact, and their quotients where they are whole; two
that are equal are seen to be.

Not made for several threads at once: Flint's precision is global. A ball contains the true value
whatever the precision is, so a thread that changes it meanwhile can widen results and leave the
global precision changed, but never make a result wrong.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

from verify.contexts.contents import (
    Content,
    Order,
    at_precision,
    check_divisor,
    end_of,
    order_of,
    power,
    shown,
    sign_of,
    with_infinity,
)
from verify.contexts.dual import Dual, Index, derivative
from verify.contexts.family import Family, Later
from verify.errors import DomainError, PrecisionError, UsageError
from verify.floats import Enclosure

EXACT_BITS = 1 << 16
"""Rationals with a longer numerator or denominator are rounded to a ball."""

LOGARITHM_BITS = 1 << 12
"""Of rationals with a longer numerator or denominator it is not remembered what is their logarithm."""


@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """A number of the ball context: ``content`` (see `Content`) and the precision of its operations.

    ``of``: the positive rational whose natural logarithm the number is, where that is known.
    Supports ``+ - * /`` with another ball, an int, a Fraction or a float (taken exactly), unary
    minus and ``**`` with an int.
    Raises `DomainError` where the result has no value (division by exact 0, inf - inf, 0 * inf,
    inf / inf) and `PrecisionError` where a higher precision might tell.
    """

    content: Content
    bits: int
    of: fmpq | None = None

    def __add__(self, other: Any) -> Any:
        return _binary(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary(operator.add, self, other)

    def __sub__(self, other: Any) -> Any:
        return _binary(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary(operator.sub, self, other, swap=True)

    def __mul__(self, other: Any) -> Any:
        return _binary(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary(operator.mul, self, other)

    def __truediv__(self, other: Any) -> Any:
        return _binary(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary(operator.truediv, self, other, swap=True)

    def __neg__(self) -> Ball:
        inverse = None if self.of is None else 1 / self.of
        return Ball(at_precision(self.bits, operator.neg, self.content), self.bits, inverse)

    def __pow__(self, exponent: int) -> Any:
        if not isinstance(exponent, int):
            return NotImplemented
        if exponent < 0:
            return 1 / self**-exponent
        content = self.content
        if isinstance(content, float):
            return Ball(content**exponent if exponent else fmpq(1), self.bits)
        if isinstance(content, fmpq) and content.height_bits() * exponent > EXACT_BITS:
            content = at_precision(self.bits, arb, content)
        return _made(at_precision(self.bits, power, content, exponent), self.bits)

    def __repr__(self) -> str:
        return f"Ball({shown(self.content)})"


@dataclass(frozen=True, slots=True)
class BallContext:
    """Evaluates formulas in balls of ``precision_bits`` bits.

    With ``lazy`` an item of a family is computed only when it is used, which has to be within `evaluate`.
    """

    precision_bits: int = 128
    lazy: bool = False

    def value(self, number: Fraction | float) -> Ball:
        """A number, exactly; a float may be infinite, and nan raises `DomainError`."""
        return Ball(_content(number), self.precision_bits)

    def number(self, number: int | Fraction) -> Ball:
        """A constant of a formula, exactly."""
        return self.value(number)

    def pi(self) -> Ball:
        """The circle's constant."""
        return self._ball(at_precision(self.precision_bits, arb.pi))

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
        """``formula(self, *values)`` with lifted values, at this precision; the old one is restored."""
        lifted = [self.lift(value) for value in values]
        return at_precision(self.precision_bits, formula, self, *lifted)

    def exp(self, a: Any) -> Ball:
        """The exponential; exp(-inf) = 0."""
        if isinstance(a, Ball) and a.of is not None:
            return self._ball(a.of)
        content = _content(a)
        if isinstance(content, float):
            return self._ball(fmpq(0) if content < 0 else content)
        if content == 0:
            return self._ball(fmpq(1))
        return _made(at_precision(self.precision_bits, lambda: arb(content).exp()), self.precision_bits)

    def log(self, a: Any) -> Ball:
        """The natural logarithm; log(0) = -inf, and of a negative number `DomainError`."""
        content = _content(a)
        sign = 1 if content > 0 else sign_of(content)
        if sign is None:
            raise PrecisionError(f"log of {shown(content)}: its sign is undecided; raise the precision")
        if sign < 0:
            raise DomainError(f"log of {shown(content)}: log needs a number >= 0; check the argument")
        if sign == 0:
            return self._ball(-math.inf)
        if isinstance(content, float):
            return self._ball(content)
        if content == 1:
            return self._ball(fmpq(0))
        made = _made(at_precision(self.precision_bits, lambda: arb(content).log()), self.precision_bits)
        short = isinstance(content, fmpq) and content.height_bits() <= LOGARITHM_BITS
        return Ball(made.content, made.bits, content) if short else made

    def xlogy(self, a: Any, b: Any) -> Ball:
        """The product a log b, and 0 when a is 0, also at b = 0; of a negative b `DomainError`."""
        logarithm = self.log(b)
        if sign_of(_content(a)) == 0:
            return self._ball(fmpq(0))
        product: Ball = logarithm * a
        return product

    def ceil(self, a: Any) -> Ball:
        """The least whole number >= a; `PrecisionError` when the ball holds a whole number inside."""
        content = _content(a)
        if isinstance(content, float):
            return self._ball(content)
        if isinstance(content, fmpq):
            return self._ball(fmpq(content.ceil()))
        whole = at_precision(self.precision_bits, lambda: content.ceil().unique_fmpz())
        if whole is None:
            raise PrecisionError(f"ceil of {content}: the ball spans a whole number; raise the precision")
        return self._ball(fmpq(whole))

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Ball:
        """body(1) + ... + body(n), n the length of ``over``; 0 when it is empty."""
        return sum((body(position) for position in range(1, len(over) + 1)), start=self._ball(fmpq(0)))

    def prod(self, body: Callable[[int], Any], *, over: Family) -> Ball:
        """body(1) * ... * body(n), n the length of ``over``; 1 when it is empty."""
        return math.prod((body(position) for position in range(1, len(over) + 1)), start=self._ball(fmpq(1)))

    def family(self, body: Callable[[int], Any], *, over: Family) -> Family:
        """The family body(1), ..., body(n), n the length of ``over``."""
        if self.lazy:
            return Family(Later(body, len(over)))
        return Family(tuple(body(position) for position in range(1, len(over) + 1)))

    def equal(self, i: int, j: int) -> Ball:
        """1 where two indices are the same, else 0."""
        return self._ball(fmpq(int(i == j)))

    def count(self, over: Family) -> Ball:
        """The length of the first axis."""
        return self._ball(fmpq(len(over)))

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The definition of an operation, in this context."""
        return operation.definition(self, *arguments)

    def derivative(self, function: Callable[[Any, Any], Any], at: Any, index: Index = None) -> Any:
        """The partial derivative of ``function(context, x)`` at x, by its entry ``index`` if a family."""
        return derivative(self, function, at, index)

    def enclosure(self, number: Any) -> Enclosure:
        """Exact rational bounds of a number, an infinity being its own bound."""
        content = _content(number)
        if isinstance(content, float):
            return Enclosure(content, content)
        if isinstance(content, fmpq):
            exact = Fraction(int(content.p), int(content.q))
            return Enclosure(exact, exact)
        lower, upper = at_precision(self.precision_bits, lambda: (content.lower(), content.upper()))
        return Enclosure(end_of(lower, up=False), end_of(upper, up=True))

    def compare(self, a: Any, b: Any) -> Order:
        """How a stands to b; ``undecided`` when the balls overlap.

        ``equal`` only for exact numbers and for logarithms of the same rational.
        """
        if isinstance(a, Ball) and isinstance(b, Ball) and a.of is not None and a.of == b.of:
            return "equal"
        x, y = _content(a), _content(b)
        if isinstance(x, float) or isinstance(y, float):
            x, y = (z if isinstance(z, float) else 0.0 for z in (x, y))
        order: Order = at_precision(self.precision_bits, order_of, x, y)
        return order

    def _ball(self, content: Content) -> Ball:
        return Ball(content, self.precision_bits)


def _content(number: Any) -> Content:
    """The content of a ball, or of an int, Fraction or float lifted exactly."""
    if isinstance(number, Ball):
        return number.content
    if isinstance(number, bool):
        raise UsageError(f"{number} is a truth value; give a number (int, Fraction or float)")
    if isinstance(number, int):
        return fmpq(number)
    if isinstance(number, Fraction):
        return fmpq(number.numerator, number.denominator)
    if isinstance(number, float):
        if math.isnan(number):
            raise DomainError("nan is no number; give a finite or infinite value")
        return number if math.isinf(number) else fmpq(*number.as_integer_ratio())
    raise UsageError(f"{number!r} is no number; give an int, Fraction or float")


def _binary(action: Callable[[Any, Any], Any], a: Ball, other: Any, swap: bool = False) -> Any:
    """``a action other`` (or the other way round), exact for two rationals, else in balls."""
    if isinstance(other, Dual):
        return NotImplemented
    x, y = a.content, other.content if type(other) is Ball else _content(other)
    p, q = a.of, other.of if type(other) is Ball else None
    if swap:
        x, y, p, q = y, x, q, p
    if action is operator.truediv and not y > 0:
        check_divisor(y)
    if type(x) is float or type(y) is float:
        return Ball(with_infinity(action, x, y), a.bits)
    made = _made(action(x, y) if ctx.prec == a.bits else at_precision(a.bits, action, x, y), a.bits)
    if p is None and q is None:
        return made
    return _of_logarithms(action, made, (x, p), (y, q))


def _of_logarithms(
    action: Callable[[Any, Any], Any], made: Ball, *sides: tuple[Content, fmpq | None]
) -> Ball:
    """A result of logarithms of rationals: a whole quotient is exact, a sum or whole multiple one again."""
    (x, p), (y, q) = sides
    if action is operator.truediv and p is not None and q is not None:
        count = fmpq(round(float(made.content.mid()))) if abs(made.content) < LOGARITHM_BITS else None
        return Ball(count, made.bits) if _whole_power(q, count) == p else made
    if action is operator.add or action is operator.sub:
        p, q = (_exponential(content, of) for content, of in sides)
        joined = None if p is None or q is None else p * q if action is operator.add else p / q
        short = joined is not None and joined.height_bits() <= LOGARITHM_BITS
        if joined == 1:
            return Ball(fmpq(0), made.bits)
        return Ball(made.content, made.bits, joined) if short else made
    base, count = (p, y) if p is not None else (q, x)
    of = _whole_power(base, count) if action is operator.mul else None
    return made if of is None else Ball(made.content, made.bits, of)


def _exponential(content: Content, of: fmpq | None) -> fmpq | None:
    """The exponential of a logarithm of a rational and of exact 0, as a rational; None of other numbers."""
    return fmpq(1) if of is None and type(content) is fmpq and content == 0 else of


def _whole_power(base: fmpq | None, count: Content) -> fmpq | None:
    """A rational to a whole power; None where there is none, or where it is long."""
    if base is None or type(count) is not fmpq or count.q != 1:
        return None
    short = abs(count) * base.height_bits() <= LOGARITHM_BITS
    return base ** int(count.p) if short else None


def _made(content: Content, bits: int) -> Ball:
    """A ball around a result, rounded when it is a very long rational, rejected when it is not finite."""
    if type(content) is fmpq:
        if content.height_bits() > EXACT_BITS:
            content = at_precision(bits, arb, content)
    elif not content.is_finite():
        raise PrecisionError(f"the result is unbounded at {bits} bits; raise the precision")
    return Ball(content, bits)
