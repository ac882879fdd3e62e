"""Families: the indexed values that the numeric contexts hand to a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from verify.errors import DomainError, UsageError


@dataclass(frozen=True, slots=True)
class Family:
    """Values with an index that starts at 1; with two axes the items are families themselves.

    ``f[i]`` is the i-th item, ``f[i, j]`` and ``f[i][j]`` the j-th item of the i-th row. An index
    beyond len(f) raises `DomainError`, one below 1 `UsageError`, as none is ever meant: it never wraps round.
    """

    items: Sequence[Any]

    def __getitem__(self, index: int | tuple[int, ...]) -> Any:
        """The item at a 1-based position, or along several axes at a tuple of positions."""
        if type(index) is int and 0 < index <= len(self.items):
            return self.items[index - 1]
        if isinstance(index, tuple):
            found: Any = self
            for position in index:
                found = found[position]
            return found
        if type(index) is not int:
            raise DomainError(f"index {index!r} is not a whole number; an index is an int in 1..{len(self)}")
        if index < 1:
            raise UsageError(f"{index} is not an index; indices and labels start at 1, so the first is at 1")
        raise DomainError(f"index {index} lies outside 1..{len(self)}")

    def some(self) -> Any:
        """The first item that has a value, to see how long its axes are; `DomainError` where none has."""
        for position in range(1, len(self.items)):
            try:
                return self[position]
            except DomainError:
                continue
        return self[len(self.items)]

    def __len__(self) -> int:
        """The length of the first axis."""
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        """The items in order."""
        return iter(self.items)


class Later(Sequence[Any]):
    """The items body(1), ..., body(length), each made when it is asked for, and kept."""

    __slots__ = ("_body", "_made")

    def __init__(self, body: Callable[[int], Any], length: int) -> None:
        self._body = body
        self._made: list[Any] = [None] * length

    def __getitem__(self, index: Any) -> Any:
        made = self._made[index]
        if made is None:
            made = self._made[index] = self._body(index + 1)
        return made

    def __len__(self) -> int:
        return len(self._made)
