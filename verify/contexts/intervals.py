"""Intervals: many at once, as float64 tensors of their ends, rounded outwards.

An operation of float64 is taken to be within 2^-48 of the exact result, exp and log included
(docs/bounds.md); ends are moved by that much, and by the least normal number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.backends import load_torch

WIDER = 2.0**-48
TINY = 2.0**-1022


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """All numbers from ``low`` to ``high``, float64 tensors; nan where nothing is known.

    Supports + - * / with another and unary minus. A divisor that may be 0 gives all numbers.
    """

    low: Any
    high: Any

    def __add__(self, other: Interval) -> Interval:
        return outwards(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return outwards(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        return _around([a * b for a in (self.low, self.high) for b in (other.low, other.high)])

    def __truediv__(self, other: Interval) -> Interval:
        found = _around([a / b for a in (self.low, self.high) for b in (other.low, other.high)])
        zero = other.may_be(0.0)
        return Interval(
            found.low.masked_fill(zero, -float("inf")), found.high.masked_fill(zero, float("inf"))
        )

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def abs(self) -> Interval:
        """The magnitudes."""
        torch = load_torch()
        least, most = (pick(self.low.abs(), self.high.abs()) for pick in (torch.minimum, torch.maximum))
        return Interval(least.masked_fill(self.may_be(0.0), 0.0), most)

    def times(self, factor: float) -> Interval:
        """All of it times a number >= 0."""
        return outwards(self.low * factor, self.high * factor)

    def rising(self, name: str) -> Interval:
        """A function of torch that rises, such as "exp"."""
        return outwards(getattr(self.low, name)(), getattr(self.high, name)())

    def larger(self, other: Interval) -> Interval:
        """The larger of two numbers, one of each."""
        torch = load_torch()
        return Interval(torch.maximum(self.low, other.low), torch.maximum(self.high, other.high))

    def may_be(self, number: float) -> Any:
        """Where the interval has a number; also where nothing is known."""
        return ~(self.low > number) & ~(self.high < number)


def exactly(number: Any) -> Interval:
    """The interval of one number each, from a tensor."""
    return Interval(number, number)


def outwards(low: Any, high: Any) -> Interval:
    """The interval, with what rounding may have lost."""
    return Interval(low - (low.abs() * WIDER + TINY), high + (high.abs() * WIDER + TINY))


def _around(ends: list[Any]) -> Interval:
    torch = load_torch()
    low, high = ends[0], ends[0]
    for end in ends[1:]:
        low, high = torch.minimum(low, end), torch.maximum(high, end)
    return outwards(low, high)
