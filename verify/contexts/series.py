"""The series context: a formula as a Taylor polynomial about a point, or over a whole interval, in balls.

Over an interval the k-th coefficient encloses the k-th derivative divided by k! at every point of it:
this is Lagrange's remainder. Where a formula branches (max, abs, comparison), the interval has to
decide the branch; where it does not, `PrecisionError` asks for a smaller one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, arb_series, ctx, fmpq

from verify.contexts.family import Family
from verify.contexts.vocabulary import ItemByItem
from verify.errors import PrecisionError

LOCK = threading.RLock()
"""Held while Flint's global precision is another, so that several threads can use it."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A number of the series context: a truncated power series in balls. Supports + - * / and -."""

    content: Any

    def __add__(self, other: Any) -> Series:
        return Series(self.content + _content(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Series:
        if other is self:
            return Series(_constant(0))
        return Series(self.content - _content(other))

    def __rsub__(self, other: Any) -> Series:
        return Series(_content(other) - self.content)

    def __mul__(self, other: Any) -> Series:
        return Series(self.content * _content(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Series:
        return Series(_finite(self.content / _divisor(_content(other))))

    def __rtruediv__(self, other: Any) -> Series:
        return Series(_finite(_content(other) / _divisor(self.content)))

    def __neg__(self) -> Series:
        return Series(-self.content)


class SeriesContext(ItemByItem):
    """Evaluates algorithms as power series; the vocabulary is that of whole tables, as far as they go."""

    def number(self, value: Fraction | int) -> Series:
        """A constant, enclosed."""
        return Series(_constant(value))

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Any:
        """The sum over the first axis."""
        return sum((body(i) for i in range(1, len(over) + 1)), start=self.number(0))

    def total(self, x: Any) -> Any:
        """The sum of all entries of a family of any number of axes."""
        return sum((self.total(item) for item in x), start=self.number(0)) if isinstance(x, Family) else x

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The standard algorithm of an operation."""
        return (operation.algorithm or operation.definition)(self, *arguments)

    standard = call

    def exp(self, a: Any, *, most: Any = None) -> Series:
        """Exponential."""
        return Series(_finite(_content(a).exp()))

    def log(self, a: Any, *, least: Any = None) -> Series:
        """Natural logarithm, of what is certainly positive."""
        return Series(_finite(_positive(_content(a)).log()))

    def share(self, part: Any, whole: Any) -> Any:
        """The quotient of a part and its whole."""
        return part / whole

    def log1p(self, a: Any, *, least: Any = None) -> Series:
        """log(1 + a) without loss of what is small in it."""
        content = _content(a)
        return Series(_with_start(_finite(_positive(1 + content).log()), content[0].log1p()))

    def expm1(self, a: Any) -> Series:
        """exp(a) - 1 without loss of what is small in it."""
        content = _content(a)
        return Series(_with_start(_finite(content.exp() - 1), content[0].expm1()))

    def xlogy(self, a: Any, b: Any) -> Series:
        """The product a log b; exactly 0 for an exact factor 0."""
        content = _content(a)
        return Series(content) if content.length() == 0 else Series(content) * self.log(b)

    def max(self, x: Family) -> Any:
        """The largest entry."""
        return x[self.argmax(x)]

    def argmax(self, x: Family) -> int:
        """The position of the first of the largest entries."""
        best = 1
        for i in range(2, len(x) + 1):
            best = i if self._less(x[best], x[i]) else best
        return best

    def maximum(self, a: Any, b: Any) -> Any:
        """The larger of two."""
        return b if self._less(a, b) else a

    def minimum(self, a: Any, b: Any) -> Any:
        """The smaller of two."""
        return a if self._less(a, b) else b

    def same(self, a: Any, b: Any) -> Series:
        """1 where two numbers are equal, else 0."""
        return self.number(int(a is b))

    def abs(self, a: Any) -> Any:
        """The magnitude."""
        return -a if self._less(a, 0) else a

    def _less(self, a: Any, b: Any) -> bool:
        """Whether a < b, decided on the whole interval."""
        if a is b:
            return False
        start = (_content(a) - _content(b))[0]
        if start < 0:
            return True
        if start >= 0:
            return False
        raise PrecisionError("a comparison is not decided on this interval; take a smaller one")


@contextmanager
def working(bits: int, terms: int) -> Iterator[None]:
    """Inside, balls have so many bits and series so many terms; for one thread at a time."""
    with LOCK:
        before = ctx.prec, ctx.cap
        ctx.prec, ctx.cap = bits, terms
        try:
            yield
        finally:
            ctx.prec, ctx.cap = before


def taylor(formula: Callable[..., Any], values: Callable[[Any], tuple[Any, ...]], at: Any) -> list[Any]:
    """The coefficients of ``formula(context, *values(x))`` in x about ``at``, an arb, as balls.

    Call it while `working`, which says how many. Raises `PrecisionError` where a ball is too wide to tell.
    """
    context, terms = SeriesContext(), int(ctx.cap)
    x = Series(arb_series([at, 1], terms))
    try:
        content = _content(formula(context, *(context.lift(value) for value in values(x))))
    except (ValueError, ZeroDivisionError) as error:
        raise PrecisionError(f"no series on this interval: {error}") from error
    return [_finite(content)[k] for k in range(terms)]


def interval(low: Fraction | float, high: Fraction | float) -> Any:
    """The ball that holds ``low``..``high``; exact for one dyadic number, where the bits suffice."""
    return _arb(low) if low == high else _arb(low).union(_arb(high))


def _arb(number: Fraction | float) -> Any:
    return arb(number) if isinstance(number, float) else arb(fmpq(number.numerator, number.denominator))


def _constant(value: Any) -> Any:
    number = Fraction(value)
    return arb_series([_arb(number)])


def _content(number: Any) -> Any:
    return number.content if isinstance(number, Series) else _constant(number)


def _with_start(series: Any, start: Any) -> Any:
    """A series with another enclosure of its first coefficient."""
    return arb_series([start, *(series[k] for k in range(1, series.prec))], series.prec)


def _positive(content: Any) -> Any:
    if not content[0] > 0:
        raise PrecisionError("the argument of a logarithm may be 0 on this interval; take a smaller one")
    return content


def _divisor(content: Any) -> Any:
    if content[0].contains(0):
        raise PrecisionError("a divisor may be 0 on this interval; take a smaller one")
    return content


def _finite(content: Any) -> Any:
    if not all(content[k].is_finite() for k in range(content.length())):
        raise PrecisionError("the series is unbounded on this interval; take a smaller one")
    return content
