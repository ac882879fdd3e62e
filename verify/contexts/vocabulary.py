"""Vocabulary that several contexts share: numbers by rules, and families item by item."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.contexts.axes import Numbers, aligned
from verify.contexts.decimals import PI
from verify.contexts.family import Family


class ByRules:
    """Functions of `Numbers`, each by a rule of ``rules``."""

    def __init__(self, rules: Any) -> None:
        self._rules = rules

    def number(self, value: Fraction | int) -> Numbers:
        """A constant: exact if the format holds it, else rounded once."""
        number, error = self._rules.constant(value)
        return Numbers(number, error, (), self._rules)

    def pi(self) -> Numbers:
        """The circle's constant, rounded once."""
        return self.number(PI)

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The standard algorithm of an operation."""
        return (operation.algorithm or operation.definition)(self, *arguments)

    standard = call

    def exp(self, a: Any, *, most: int | None = None) -> Numbers:
        """Exponential; ``most`` is 0 where the argument is at most 0 as computed too."""
        return self._one(self._rules.exp, a, most)

    def expm1(self, a: Any) -> Numbers:
        """exp(a) - 1 without cancellation."""
        return self._one(self._rules.expm1, a)

    def log(self, a: Any, *, least: int | None = None) -> Numbers:
        """Natural logarithm, of a number that is at least ``least`` as computed too."""
        return self._one(self._rules.log, a, least)

    def log1p(self, a: Any, *, least: int | None = None) -> Numbers:
        """log(1 + a) without cancellation, of a number that is at least ``least`` as computed too."""
        return self._one(self._rules.log1p, a, least)

    def share(self, part: Any, whole: Any) -> Numbers:
        """The quotient of a part and its whole, 0 <= part <= whole and 1 <= whole as computed too."""
        return self._two(self._rules.share, part, whole)

    def sqrt(self, a: Any) -> Numbers:
        """Square root of a number above 0."""
        return self._one(self._rules.sqrt, a)

    def abs(self, a: Any) -> Numbers:
        """Magnitude, without rounding."""
        a = self._number(a)
        return Numbers(a.value.abs(), a.error, a.axes, self._rules)

    def xlogy(self, a: Any, b: Any) -> Numbers:
        """The product a log b, exactly 0 where a is exactly 0."""
        return self._two(self._rules.xlogy, a, b)

    def maximum(self, a: Any, b: Any) -> Numbers:
        """The larger of two, without rounding."""
        return self._two(self._rules.larger, a, b)

    def minimum(self, a: Any, b: Any) -> Numbers:
        """The smaller of two, without rounding."""
        return self._two(self._rules.smaller, a, b)

    def clamp(self, a: Any, low: Any, high: Any) -> Numbers:
        """``a`` moved into low..high, without rounding."""
        return self.minimum(self.maximum(a, low), high)

    def _one(self, rule: Any, a: Any, *known: Any) -> Numbers:
        a = self._number(a)
        value, error = rule(a.value, a.error, *known)
        return Numbers(value, error, a.axes, self._rules)

    def _two(self, rule: Any, a: Any, b: Any) -> Numbers:
        first, second, axes = aligned(self._number(a), self._number(b))
        value, error = rule(*first, *second)
        return Numbers(value, error, axes, self._rules)

    def _number(self, a: Any) -> Numbers:
        return a if isinstance(a, Numbers) else self.number(a)


class ItemByItem:
    """Families whose items are numbers of the context one by one; ``number`` makes those of constants."""

    number: Callable[[Any], Any]

    def lift(self, value: Any) -> Any:
        """A Fraction as a number, nested tuples as families, labels (ints) and numbers as they are."""
        if isinstance(value, tuple | Family):
            return Family(tuple(self.lift(item) for item in value))
        return self.number(value) if isinstance(value, Fraction | float) else value

    def count(self, over: Family) -> Any:
        """The length of the first axis."""
        return self.number(len(over))

    def equal(self, i: int, j: int) -> Any:
        """1 where two positions are the same, else 0."""
        return self.number(int(i == j))

    def family(self, body: Callable[[int], Any], *, over: Family) -> Family:
        """The family body(1), ..., body(n), n the length of ``over``."""
        return Family(tuple(body(i) for i in range(1, len(over) + 1)))
