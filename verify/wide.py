"""Wide values: many exact numbers held as one float64 tensor, used like nested tuples of Fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Wide(Sequence[Any]):
    """Numbers, or infinities and nan, in a float64 tensor of one axis or more; entries are Fractions.

    An int64 tensor holds labels, from 1, for formulas on whole tables.
    """

    tensor: Any

    def __len__(self) -> int:
        return int(self.tensor.shape[0])

    def __getitem__(self, index: Any) -> Any:
        part = self.tensor[index]
        if part.dim():
            return Wide(part)
        number = float(part)
        return Fraction(number) if number - number == 0 else number

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def map(self, function: Callable[[Any], Any]) -> Wide:
        """The value whose numbers are ``function`` of these, applied to the tensor as a whole."""
        return Wide(function(self.tensor))

    def exact(self) -> tuple[Any, ...]:
        """The same value as nested tuples of Fractions, infinities and nan as floats."""
        return tuple(_exact(item) for item in self.tensor.tolist())


def exact(value: Any) -> Any:
    """A value without wide parts."""
    return value.exact() if isinstance(value, Wide) else value


def _exact(nested: Any) -> Any:
    if isinstance(nested, list):
        return tuple(_exact(item) for item in nested)
    return Fraction(nested) if nested - nested == 0 else nested
