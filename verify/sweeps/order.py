"""Float order: the patterns of a format, and pairs of them, numbered by increasing value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.backends import load_torch, torch_dtype
from verify.errors import UsageError
from verify.floats import Bound, Format


@dataclass(frozen=True, slots=True)
class Order:
    """The 2**width patterns of a format: number 0 is the most negative nan, then -inf, ..., inf, nan.

    -0 comes just below 0. Within a binade of one sign the values are evenly spaced.
    """

    format: Format

    @property
    def count(self) -> int:
        """How many patterns there are."""
        return 1 << self.format.width

    @property
    def half(self) -> int:
        """The number of +0."""
        return self.count >> 1

    @property
    def binade(self) -> int:
        """How many patterns a binade of one sign has."""
        return 1 << (self.format.precision - 1)

    def bits(self, number: int) -> int:
        """The bit pattern with this number."""
        return number - self.half if number >= self.half else self.count - 1 - number

    def number(self, bits: int) -> int:
        """The number of a bit pattern."""
        return self.count - 1 - bits if bits >= self.half else bits + self.half

    def value(self, number: int) -> Bound:
        """The value with this number; -0, infinities and nan as floats."""
        return self.format.decode(self.bits(number))

    def of(self, value: float | Fraction) -> int:
        """The number of a value of the format; ``UsageError`` where it is none."""
        return self.number(self.format.encode(value))

    @property
    def finite(self) -> range:
        """The numbers of all finite values."""
        infinite = self.binade * (2 * self.format.emax + 1)
        return range(self.half - infinite, self.half + infinite)

    def between(self, low: float, high: float) -> range:
        """The numbers of all values, infinities included, in ``low``..``high``; of -0 too where 0 is."""
        return range(self._first_not_below(low), self.count - self._first_not_below(-high))

    def _first_not_below(self, edge: float) -> int:
        infinite = self.finite.start - 1
        if math.isinf(edge):
            return infinite if edge < 0 else self.count - 1 - infinite
        exact = Fraction(edge)
        nearest = self.format.round(exact)
        if (isinstance(nearest, Fraction) and nearest < exact) or nearest == -math.inf:
            nearest = self.format.neighbours(exact)[1]
        if isinstance(nearest, float):
            return self.count - 1 - infinite if nearest > 0 else self.finite.start
        number = self.of(nearest)
        return number - 1 if nearest == 0 else number

    def tensor(self, start: int, stop: int, device: str = "cpu", *, step: int = 1) -> Any:
        """The values numbered start, start + step, ..., below stop, as a tensor of the format's dtype.

        A step has to divide what is between start and the number of +0.
        """
        torch = load_torch()
        whole = {16: torch.int16, 32: torch.int32, 64: torch.int64}[self.format.width]
        if start < self.half < stop:
            parts = ((start, self.half), (self.half, stop))
            return torch.cat([self.tensor(low, high, device, step=step) for low, high in parts])
        patterns = torch.arange(start - self.half, stop - self.half, step, dtype=whole, device=device)
        if start < self.half:
            patterns.bitwise_xor_(self.half - 1)
        return patterns.view(torch_dtype(self.format.name))

    def at(self, places: Any, start: int = 0) -> Any:
        """The values numbered start + each of ``places``, an int64 tensor, in the format's dtype."""
        torch = load_torch()
        numbers = places + (start - self.half)
        patterns = torch.where(numbers < 0, numbers ^ (self.half - 1), numbers)
        whole = {16: torch.int16, 32: torch.int32, 64: torch.int64}[self.format.width]
        return patterns.to(whole).view(torch_dtype(self.format.name))


def shown(value: Bound) -> str:
    """A value for people: the shortest decimal of its float64."""
    return repr(float(value))


def range_of(text: str, order: Order) -> range:
    """The numbers of the values in a text such as "-20:20", or "1:2" with both ends; ``UsageError``."""
    low, colon, high = str(text).partition(":")
    try:
        ends = float(low or "-inf"), float(high or "inf")
    except ValueError:
        ends = (math.nan, math.nan)
    if not colon or not ends[0] <= ends[1]:
        raise UsageError(f"the range {text!r} has no two ends; give LOW:HIGH with LOW <= HIGH, as in -20:20")
    return order.between(*ends)
