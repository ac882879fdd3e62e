"""Profiles: where an implementation errs, as the worst error / bound of each stretch of its inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from verify.contract import numbers_of
from verify.floats import Format

STRETCHES = 32
"""Into how many stretches of equally many floats the way from 0 to the largest one is cut."""

WINDOW = 24
"""Half the width of the linear window, which is cut into stretches of a quarter."""

_PART = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where an input is by its number of largest magnitude: in float order, and in the linear window.

    ``order``: stretches from 0, negative below it. ``value``: quarters from 0; None outside the window.
    """

    order: int
    value: int | None


def place_of(values: Any, format: Format) -> Place:
    """The place of an input of numbers that the format holds."""
    largest = max(numbers_of(values), key=abs, default=Fraction(0))
    share = format.encode(abs(largest)) / format.encode(format.largest)
    order = round(STRETCHES * share) * (-1 if largest < 0 else 1)
    return Place(order, round(_PART * largest) if abs(largest) <= WINDOW else None)


@dataclass(slots=True)
class Profile:
    """The worst error / bound of each stretch in which an input was judged."""

    order: dict[int, float] = field(default_factory=dict)
    value: dict[int, float] = field(default_factory=dict)

    def add(self, place: Place, ratio: float) -> None:
        """Count one judged input."""
        self.order[place.order] = max(ratio, self.order.get(place.order, 0.0))
        if place.value is not None:
            self.value[place.value] = max(ratio, self.value.get(place.value, 0.0))

    def by_order(self) -> str:
        """The profile over float order, as a record holds it: x is the share of the way to the ends."""
        return _told({place / STRETCHES: ratio for place, ratio in self.order.items()})

    def by_value(self) -> str:
        """The profile over the value, as a record holds it."""
        return _told({place / _PART: ratio for place, ratio in self.value.items()})


def _told(points: dict[float, float]) -> str:
    return " ".join(f"{x:g}:{points[x]:.2g}" for x in sorted(points))


def points_of(text: str) -> list[tuple[float, float]]:
    """The points of a profile as a record holds it, x:ratio; those that are none are left out.

    >>> points_of("-0.5:0.25 1:inf 2:x")
    [(-0.5, 0.25), (1.0, inf)]
    """
    found = []
    for piece in text.split():
        x, _, ratio = piece.partition(":")
        try:
            point = float(x), float(ratio)
        except ValueError:
            continue
        if math.isfinite(point[0]):
            found.append(point)
    return found
