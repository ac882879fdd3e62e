"""Families: the indexed values that the numeric contexts hand to a formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verify.errors import DomainError


@dataclass(frozen=True, slots=True)
class Family:
    """Values with an index that starts at 1; with two axes the items are families themselves.

    ``f[i]`` is the i-th item, ``f[i, j]`` and ``f[i][j]`` the j-th item of the i-th row. An index
    outside 1..len(f) raises `DomainError`: it never wraps round.
    """

    items: tuple[Any, ...]

    def __getitem__(self, index: int | tuple[int, ...]) -> Any:
        """The item at a 1-based position, or along several axes at a tuple of positions."""
        if isinstance(index, tuple):
            found: Any = self
            for position in index:
                found = found[position]
            return found
        if type(index) is not int:
            raise DomainError(f"index {index!r} is not a whole number; an index is an int in 1..{len(self)}")
        if not 1 <= index <= len(self.items):
            raise DomainError(f"index {index} lies outside 1..{len(self)}; indices and labels start at 1")
        return self.items[index - 1]

    def __len__(self) -> int:
        """The length of the first axis."""
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        """The items in order."""
        return iter(self.items)
