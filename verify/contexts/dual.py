"""Dual numbers: exact partial derivatives of a formula in a numeric context, no differences taken."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.contexts.family import Family
from verify.errors import DomainError, UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """A value with its derivative: ``value + slope e``, where e^2 = 0. Both are numbers of one context."""

    value: Any
    slope: Any

    def __add__(self, other: Any) -> Dual:
        value, slope = _parts(other)
        return Dual(self.value + value, self.slope + slope)

    def __sub__(self, other: Any) -> Dual:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Dual:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Dual:
        value, slope = _parts(other)
        return Dual(self.value * value, self.slope * value + self.value * slope)

    def __truediv__(self, other: Any) -> Dual:
        value, slope = _parts(other)
        quotient = self.value / value
        return Dual(quotient, (self.slope - quotient * slope) / value)

    def __rtruediv__(self, other: Any) -> Dual:
        quotient = other / self.value
        return Dual(quotient, -quotient * self.slope / self.value)

    def __pow__(self, k: int) -> Dual:
        return Dual(self.value**k, self.value ** (k - 1) * k * self.slope if k else self.slope * 0)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    __radd__ = __add__
    __rmul__ = __mul__


def _parts(x: Any) -> tuple[Any, Any]:
    return (x.value, x.slope) if isinstance(x, Dual) else (x, 0)


@dataclass(frozen=True, slots=True)
class DualContext:
    """The context protocol over dual numbers whose parts are numbers of ``base``."""

    base: Any

    def number(self, value: Any) -> Any:
        """An exact rational constant."""
        return self.base.number(value)

    def pi(self) -> Any:
        """The circle's constant."""
        return self.base.pi()

    def exp(self, a: Any) -> Dual:
        """Exponential."""
        x, slope = _parts(a)
        value = self.base.exp(x)
        return Dual(value, value * slope)

    def log(self, a: Any) -> Dual:
        """Natural logarithm."""
        x, slope = _parts(a)
        return Dual(self.base.log(x), self.base.number(1) * slope / x)

    def xlogy(self, a: Any, b: Any) -> Dual:
        """``a log b``. Raises DomainError where b = 0 and a derivative is asked for."""
        (x, dx), (y, dy) = _parts(a), _parts(b)
        slope = self.base.number(0)
        if isinstance(a, Dual):
            slope = slope + dx * self.base.log(y)
        if isinstance(b, Dual):
            slope = slope + x * dy / y
        return Dual(self.base.xlogy(x, y), slope)

    def ceil(self, a: Any) -> Any:
        """Of a constant only. Raises DomainError for anything that has a derivative."""
        if isinstance(a, Dual):
            raise DomainError("ceil jumps and has no derivative; differentiate something else")
        return self.base.ceil(a)

    def equal(self, i: int, j: int) -> Any:
        """1 where the indices are equal, else 0."""
        return self.base.equal(i, j)

    def count(self, x: Family) -> Any:
        """The length of a family."""
        return self.base.count(x)

    def family(self, body: Callable[[int], Any], *, over: Family) -> Family:
        """The family of ``body(i)``."""
        return Family(tuple(body(i) for i in range(1, len(over) + 1)))

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Any:
        """Sum of ``body(i)``."""
        return functools.reduce(operator.add, self.family(body, over=over), self.base.number(0))

    def prod(self, body: Callable[[int], Any], *, over: Family) -> Any:
        """Product of ``body(i)``."""
        return functools.reduce(operator.mul, self.family(body, over=over), self.base.number(1))

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The definition of an operation."""
        return operation.definition(self, *arguments)

    def derivative(self, function: object, at: object, index: object = None) -> Any:
        """Raises UsageError: derivatives are of the first order."""
        raise UsageError(
            "a derivative inside a derivative is not computed; state the inner one in closed form, and in a "
            "part of its own that it is the derivative"
        )


Index = int | tuple[int, ...] | None


def derivative(base: Any, function: Callable[[Any, Any], Any], at: Any, index: Index = None) -> Any:
    """The partial derivative of ``function(context, x)`` by x, or by its entry ``index`` if x is a family.

    ``index`` has one position for each axis of the family, counted from 1.
    """
    where = () if index is None else index if isinstance(index, tuple) else (index,)
    result = function(DualContext(base), _seeded(base, at, where))
    return result.slope if isinstance(result, Dual) else base.number(0)


def _seeded(base: Any, value: Any, where: tuple[int, ...] | None) -> Any:
    """``value`` as dual numbers, with slope 1 at ``where`` and 0 elsewhere (everywhere if None)."""
    if not isinstance(value, Family):
        return Dual(value, base.number(1 if where == () else 0))
    inner = (where[1:] if where and where[0] == k else None for k in range(1, len(value) + 1))
    return Family(tuple(_seeded(base, v, w) for v, w in zip(value, inner, strict=True)))
