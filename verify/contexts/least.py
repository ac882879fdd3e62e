"""The least bound: what running error analysis allows at the least anywhere in an interval of inputs.

The rules of `verify.contexts.running`, with an interval for each value and for the bound on its error, so
that both enclose what these rules give at every input in it. Where an operation may be exact at some
input, as a sum of exact numbers may, nothing is counted for its rounding at the lower end.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.contexts.axes import Numbers
from verify.contexts.family import Family
from verify.contexts.heights import additions
from verify.contexts.intervals import Interval, exactly, outwards
from verify.contexts.maxima import left_of_intervals
from verify.contexts.models import Model
from verify.contexts.running import Rules
from verify.contexts.vocabulary import ByRules, ItemByItem

Part = tuple[Interval, Any]
"""Values, and the bound on the error of each, an interval of numbers >= 0 or None where exact."""


class LeastRules:
    """The rules of one rounding model on intervals."""

    def __init__(self, model: Model, device: str) -> None:
        self._rules = Rules(model, device)
        self.torch = self._rules.torch
        self._zero = self._tensor(0.0)

    def _tensor(self, number: float) -> Any:
        return self.torch.tensor(number, dtype=self._rules.wide, device=self._rules.device)

    def constant(self, number: int | Fraction | float) -> Part:
        """A constant: exact if the format holds it, else rounded once."""
        value, error = self._rules.constant(number)
        return _near(value, number), None if error is None else outwards(error, error)

    def nothing(self, number: Numbers) -> Numbers:
        """An exact number less itself."""
        return Numbers(exactly(self._zero), None, number.axes, self)

    def add(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """Sum; maybe exact where both terms may be, or one may be an exact 0."""
        value, (x, y) = a + b, self._errors(a_error, b_error)
        carried = x + y
        free = x.may_be(0.0) & y.may_be(0.0) | x.may_be(0.0) & a.may_be(0.0) | y.may_be(0.0) & b.may_be(0.0)
        grown = carried + (value.abs() + carried).times(self._rules.unit)
        error = self._from(free, carried, grown)
        surely = _surely(a, a_error, 0.0) | _surely(b, b_error, 0.0)
        return value, Interval(error.low, self.torch.where(surely, carried.high, error.high))

    def multiply(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """Product; maybe exact where both factors may be, or one may be an exact 0, 1 or -1."""
        for one, error, other in ((a, a_error, (b, b_error)), (b, b_error, (a, a_error))):
            if _surely(one, error, 1.0).all():
                return other
        value, (x, y) = a * b, self._errors(a_error, b_error)
        product = a.abs() * y + b.abs() * x + x * y
        free = x.may_be(0.0) & (y.may_be(0.0) | _trivial(a)) | y.may_be(0.0) & _trivial(b)
        return value, self._from(free, product, self._rounded(value, product))

    def divide(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """Quotient; without a bound where the computed divisor may be 0."""
        if _surely(b, b_error, 1.0).all():
            return a, a_error
        value, (x, y) = a / b, self._errors(a_error, b_error)
        least = b.abs() - y
        carried = (x + value.abs() * y) / least
        error = self._from(y.may_be(0.0) & _trivial(b), carried, self._rounded(value, carried))
        low = error.low.masked_fill(x.may_be(0.0) & a.may_be(0.0), 0.0)
        return value, _without_bound(Interval(low, error.high), least)

    def exp(self, a: Interval, a_error: Any, most: int | None = None) -> Part:
        """Exponential; exp(0) is not taken as exact."""
        value, (x,) = a.rising("exp"), self._errors(a_error)
        carried = self._carried(a, value, x)
        error = self._small(value, carried + (value + carried).times(self._rules.function))
        return value, error if most is None else _cut(error)

    def expm1(self, a: Interval, a_error: Any) -> Part:
        """exp(a) - 1; maybe exact where the argument may be an exact 0."""
        value, (x,) = a.rising("expm1"), self._errors(a_error)
        carried = self._carried(a, a.rising("exp"), x)
        error = self._small(value, carried + (value.abs() + carried).times(self._rules.function))
        return value, self._from(x.may_be(0.0) & a.may_be(0.0), exactly(self._zero), error)

    def share(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """Quotient of a part and its whole, between 0 and 1."""
        value, error = self.divide(a, a_error, b, b_error)
        return value, None if error is None else _cut(error)

    def log(self, a: Interval, a_error: Any, floor: int | None = None) -> Part:
        """Logarithm; without a bound where the computed argument may be 0."""
        value, (x,) = a.rising("log"), self._errors(a_error)
        least = a - x
        carried = x / least
        error = carried + (value.abs() + carried).times(self._rules.function)
        if a_error is not None:
            error = _without_bound(error if floor is None else _cut(error), least)
        return value, error

    def log1p(self, a: Interval, a_error: Any, floor: int | None = None) -> Part:
        """log(1 + a); maybe exact where the argument may be an exact 0."""
        value, (x,) = a.rising("log1p"), self._errors(a_error)
        least = exactly(self._zero + 1) + a - x
        carried = x / least
        error = self._small(value, carried + (value.abs() + carried).times(self._rules.function))
        if a_error is not None:
            error = _without_bound(error if floor is None else _cut(error), least)
        return value, self._from(x.may_be(0.0) & a.may_be(0.0), exactly(self._zero), error)

    def total(self, terms: Sequence[Part]) -> Part:
        """The sum of terms: the additions of the declared height, then one rounding to 16 bits."""
        rules, n = self._rules, len(terms)
        value = carried = size = exactly(self._zero)
        present = exactly(self._zero)
        for number, given in terms:
            (error,) = self._errors(given)
            value, carried, size = value + number, carried + error, size + number.abs()
            certain = ~number.may_be(0.0) | ~error.may_be(0.0)
            present = Interval(present.low + certain, present.high + 1)
        growth = Interval(
            *(rules.sum_unit * (k - 1).clamp(0, additions(rules.height, n)) for k in _ends(present))
        )
        error = carried + (growth + growth * growth) * (size + carried)
        if rules.sum_unit != rules.unit:
            rounded = error + (value.abs() + error).times(rules.unit)
            error = self._from(~(present.low > 1), error, rounded)
        return value, Interval(error.low.clamp(min=0.0), error.high)

    def larger(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """The larger of two, without rounding; with its own error where the other is certainly smaller."""
        return a.larger(b), self._picked(a - b, a_error, b_error)

    def smaller(self, a: Interval, a_error: Any, b: Interval, b_error: Any) -> Part:
        """The smaller of two, without rounding; with its own error where the other is certainly larger."""
        return -(-a).larger(-b), self._picked(b - a, a_error, b_error)

    def xlogy(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """The product a log b."""
        return self.multiply(a, a_error, *self.log(b, b_error))

    def residues(self, x: Sequence[Numbers], flowing: Sequence[Numbers]) -> list[Numbers]:
        """0 at each entry, off by at most what is left of a gradient through a running maximum."""
        sizes = [(a.value.abs() + self._errors(a.error)[0]).high for a in flowing]
        errors = left_of_intervals(self._rules, [a.value for a in x], sizes)
        ends = [Interval(error * 0, outwards(error, error).high) for error in errors]
        return [Numbers(exactly(self._zero), end, (), self) for end in ends]

    def _picked(self, ahead: Interval, a_error: Any, b_error: Any) -> Any:
        """The error of a where it is surely ahead of b, that of b where it is surely behind, else either."""
        if a_error is None and b_error is None:
            return None
        x, y = self._errors(a_error, b_error)
        apart, where = (x + y).times(2.0).high, self.torch.where
        low, high = self.torch.minimum(x.low, y.low), x.larger(y).high
        for sure, error in ((ahead.low > apart, x), (-ahead.high > apart, y)):
            low, high = where(sure, error.low, low), where(sure, error.high, high)
        return Interval(low, high)

    def _errors(self, *errors: Any) -> tuple[Interval, ...]:
        return tuple(exactly(self._zero) if error is None else error for error in errors)

    def _from(self, free: Any, low: Interval, error: Interval) -> Interval:
        """The bound, its lower end that of ``low`` where an operation may be exact."""
        least = self.torch.where(free, self.torch.minimum(low.low, error.low), error.low)
        return Interval(least.clamp(min=0.0), error.high)

    def _rounded(self, value: Interval, carried: Interval) -> Interval:
        return self._small(value, carried + (value.abs() + carried).times(self._rules.unit))

    def _carried(self, a: Interval, value: Interval, error: Interval) -> Interval:
        """What exp(a + error) - exp(a) is bounded by, as in the rules of single numbers."""
        square = value.high * (error.high + error.high * error.high)
        most = self.torch.where(error.high <= 1, square, (a + error).high.exp())
        return outwards(value.low * error.low.expm1(), most)

    def _small(self, value: Interval, error: Interval) -> Interval:
        """With what underflow adds, at the lower end where there surely is one."""
        rules, least = self._rules, value.abs().high - error.low
        low = error.low + (least < rules.normal) * rules.subnormal + (least < rules.flush) * rules.flush
        return outwards(low, error.high + rules.tiny)


class Given(Numbers):
    """An argument, which is the same number wherever it stands: less itself it is 0."""

    def __sub__(self, other: Any) -> Numbers:
        return self.rules.nothing(self) if other is self else super().__sub__(other)


@dataclass(frozen=True, slots=True, eq=False)
class Largest:
    """The position of the first of the largest entries of a family, which may be another in each interval."""

    family: Family

    def indicator(self, i: int) -> Interval:
        """1 where it is surely i, 0 where it surely is not, and where that is open both."""
        own = self.family[i].value
        surely, maybe = own.low == own.low, own.low == own.low
        for j, other in enumerate(self.family, 1):
            if j != i:
                value = other.value
                surely &= (own.low > value.high) if j < i else (own.low >= value.high)
                maybe &= ~(own.high < value.low)
        return Interval(surely.double(), maybe.double())


class LeastContext(ByRules, ItemByItem):
    """Runs an algorithm on intervals of inputs, many at once; a family has its items one by one."""

    def __init__(self, model: Model, device: str) -> None:
        super().__init__(LeastRules(model, device))

    def given(self, low: Any, high: Any) -> Numbers:
        """An exact argument in low..high, tensors."""
        return Given(Interval(low, high), None, (), self._rules)

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Numbers:
        """Sum over the first axis, in any order."""
        return self._sum([body(i) for i in range(1, len(over) + 1)])

    def total(self, x: Any) -> Numbers:
        """The sum of all entries of a family, in any order."""
        return self._sum(_entries(x))

    def _sum(self, terms: list[Any]) -> Numbers:
        numbers = [self._number(term) for term in terms]
        value, error = self._rules.total([(n.value, n.error) for n in numbers])
        return Numbers(value, error, (), self._rules)

    def maximum(self, a: Any, b: Any) -> Numbers:
        """The larger of two, without rounding: that one itself where it is the larger everywhere."""
        first, second = self._number(a), self._number(b)
        for one, other in ((first, second), (second, first)):
            if one.error is None and other.error is None and (one.value.low >= other.value.high).all():
                return one
        return super().maximum(first, second)

    def max(self, x: Family) -> Numbers:
        """The largest entry, without rounding."""
        largest: Numbers = functools.reduce(self.maximum, x)
        return largest

    def argmax(self, x: Family) -> Largest:
        """The position of the first of the largest entries."""
        return Largest(x)

    def equal(self, i: Any, j: Any) -> Numbers:
        """1 where two positions are the same, else 0."""
        if isinstance(j, Largest):
            return Numbers(j.indicator(i), None, (), self._rules)
        return self.number(int(i == j))

    def same(self, a: Any, b: Any) -> Numbers:
        """1 where two exact numbers are equal, else 0; where that is open both."""
        x, y = self._number(a).value, self._number(b).value
        surely = (x.low == x.high) & (y.low == y.high) & (x.low == y.low)
        maybe = ~(x.high < y.low) & ~(y.high < x.low)
        return Numbers(Interval(surely.double(), maybe.double()), None, (), self._rules)

    def residues(self, x: Family, flowing: Family) -> Family:
        """0 at each entry of ``x``, off by at most what is left of a gradient through a running maximum."""
        given, reaching = ([self._number(a) for a in part] for part in (x, flowing))
        return Family(self._rules.residues(given, reaching))


def enclosed_bound(
    formula: Callable[..., Any], given: Callable[[Any], tuple[Any, ...]], low: Any, high: Any, model: Model
) -> tuple[Any, Any]:
    """What the bound of ``formula(context, *given(x))`` is at least and at most for x in low..high, tensors.

    The exact x alone is meant, which is finite. 0 and inf where nothing is known.
    """
    context = LeastContext(model, str(low.device))
    result = formula(context, *(context.lift(value) for value in given(context.given(low, high))))
    error = result.error
    if error is None:
        return low * 0, low * 0
    least, most = (end.expand_as(low) for end in (error.low, error.high))
    known = most.isfinite() & least.isfinite()
    return least.masked_fill(~known, 0.0), most.masked_fill(~known, math.inf)


def _entries(x: Any) -> list[Any]:
    return [entry for item in x for entry in _entries(item)] if isinstance(x, Family) else [x]


def _ends(interval: Interval) -> tuple[Any, Any]:
    return interval.low, interval.high


def _near(value: Any, number: int | Fraction | float) -> Interval:
    """A constant as an interval: of one number where float64 holds it."""
    return exactly(value) if Fraction(float(number)) == Fraction(number) else outwards(value, value)


def _surely(a: Interval, error: Any, number: float) -> Any:
    """Where an exact number is surely this one."""
    return (a.low == number) & (a.high == number) & (error is None)


def _cut(error: Interval) -> Interval:
    """A bound that may have been cut, which is never done below log(3/2) (`Rules.share` and its like)."""
    return Interval(error.low.clamp(max=0.4), error.high)


def _trivial(a: Interval) -> Any:
    return a.may_be(0.0) | a.may_be(1.0) | a.may_be(-1.0)


def _without_bound(error: Interval, least: Interval) -> Interval:
    return Interval(error.low, error.high.masked_fill(~(least.low > 0), math.inf))
