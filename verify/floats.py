"""Floating-point formats in exact arithmetic: enclosures, rounding, bit patterns, ulp errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from verify.errors import UsageError

Bound = Fraction | float
"""An exact rational, or one of the two infinities as a float."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Two bounds, ``lower`` <= ``upper``, between which a true value lies; both may be infinite."""

    lower: Bound
    upper: Bound

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise UsageError(f"enclosure from {self.lower} to {self.upper}; give the lower bound first")

    @property
    def width(self) -> Bound:
        """Upper minus lower bound; 0 for a point, also at infinity."""
        if self.is_point:
            return Fraction(0)
        if isinstance(self.lower, float) or isinstance(self.upper, float):
            return math.inf
        return self.upper - self.lower

    @property
    def is_point(self) -> bool:
        """Whether the two bounds are the same, so that the value is known exactly."""
        return self.lower == self.upper

    def contains(self, value: Bound) -> bool:
        """Whether a value lies between the bounds, the bounds included."""
        return self.lower <= value <= self.upper

    def intersect(self, other: Enclosure) -> Enclosure:
        """What two enclosures of one value leave; raises `UsageError` when they are disjoint."""
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        if lower > upper:
            raise UsageError(f"the enclosures {self} and {other} are disjoint; they enclose different values")
        return Enclosure(lower, upper)
