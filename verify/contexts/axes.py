"""Numbers along named axes: an index stands for a whole range of positions, taken at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.errors import VerifyError


class NotBulkError(VerifyError):
    """A formula asks for something that whole tables do not offer; evaluate it number by number."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An index: the positions start..stop (counted from 0, stop left out) of one axis, all at once.

    ``order`` tells axes apart and says how dimensions are sorted.
    """

    order: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Positions, counted from 0, along named axes: one int64 tensor with a dimension for each axis."""

    places: Any
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Float64 values with a bound on the error of each; one dimension for each of ``axes``, ascending.

    ``error`` bounds what an implementation may be off by, and scaled down what the values themselves
    may be; None where they are exact. ``rules`` is the arithmetic (verify.contexts.running).
    """

    value: Any
    error: Any
    axes: tuple[int, ...]
    rules: Any

    def __add__(self, other: Any) -> Numbers:
        return self._of(self.rules.add, other)

    def __radd__(self, other: Any) -> Numbers:
        return self._of(self.rules.add, other)

    def __sub__(self, other: Any) -> Numbers:
        return self._of(self.rules.add, -_number(self.rules, other))

    def __rsub__(self, other: Any) -> Numbers:
        return (-self)._of(self.rules.add, other)

    def __mul__(self, other: Any) -> Numbers:
        return self._of(self.rules.multiply, other)

    def __rmul__(self, other: Any) -> Numbers:
        return self._of(self.rules.multiply, other)

    def __truediv__(self, other: Any) -> Numbers:
        return self._of(self.rules.divide, other)

    def __rtruediv__(self, other: Any) -> Numbers:
        return _number(self.rules, other)._of(self.rules.divide, self)

    def __neg__(self) -> Numbers:
        return Numbers(-self.value, self.error, self.axes, self.rules)

    def __pow__(self, exponent: int) -> Numbers:
        if exponent < 0:
            return 1 / self**-exponent
        result = _number(self.rules, 1)
        for _ in range(exponent):
            result = result * self
        return result

    def _of(self, rule: Any, other: Any) -> Numbers:
        first, second, axes = aligned(self, _number(self.rules, other))
        value, error = rule(*first, *second)
        return Numbers(value, error, axes, self.rules)


def _number(rules: Any, other: Any) -> Numbers:
    if isinstance(other, Numbers):
        return other
    value, error = rules.constant(other)
    return Numbers(value, error, (), rules)


def aligned(a: Numbers, b: Numbers) -> tuple[tuple[Any, Any], tuple[Any, Any], tuple[int, ...]]:
    """Value and error of each with the dimensions of both, ready to be broadcast; and those axes."""
    if a.axes == b.axes:
        return (a.value, a.error), (b.value, b.error), a.axes
    axes = tuple(sorted({*a.axes, *b.axes}))
    return _with_axes(a, axes), _with_axes(b, axes), axes


def _with_axes(x: Numbers, axes: tuple[int, ...]) -> tuple[Any, Any]:
    if x.axes == axes or not x.axes:
        return x.value, x.error
    value = spread(x.value, x.axes, axes)
    return value, None if x.error is None else spread(x.error.expand_as(x.value), x.axes, axes)


def spread(tensor: Any, own: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A tensor with a dimension of length 1 for each of ``axes`` that it lacks; others stay last."""
    for place, axis in enumerate(axes):
        if axis not in own:
            tensor = tensor.unsqueeze(place)
    return tensor


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A family: dimensions for the bound ``axes``, ascending, then those that are indexed from outside.

    ``whole`` says that the entries are labels. Entries may be of a narrower dtype than float64: they
    are widened when they become numbers.
    """

    value: Any
    error: Any
    axes: tuple[int, ...]
    rules: Any
    whole: bool = False

    def __len__(self) -> int:
        return int(self.value.shape[len(self.axes)])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):
            found: Any = self
            for one in index:
                found = found[one]
            return found
        if isinstance(index, Axis):
            return self._along(index)
        if isinstance(index, Labels):
            return self._at(index)
        if isinstance(index, int) and 1 <= index <= len(self):
            return self._made(lambda part: part.select(len(self.axes), index - 1), self.axes)
        raise NotBulkError(f"index {index!r} of a family of {len(self)}")

    def _along(self, index: Axis) -> Any:
        if index.order in self.axes:
            raise NotBulkError("one index twice")
        axes = tuple(sorted((*self.axes, index.order)))
        own, target = len(self.axes), axes.index(index.order)
        whole = index.start == 0 and index.stop == len(self)

        def taken(part: Any) -> Any:
            if not whole:
                part = part.narrow(own, index.start, index.stop - index.start)
            return part if own == target else part.movedim(own, target)

        return self._made(taken, axes)

    def _at(self, labels: Labels) -> Any:
        if self.value.dim() != len(self.axes) + 1:
            raise NotBulkError("rows selected by a label")
        axes = tuple(sorted({*self.axes, *labels.axes}))
        places = spread(labels.places, labels.axes, axes).unsqueeze(-1)

        def taken(part: Any) -> Any:
            part = spread(part, self.axes, axes)
            shape = [max(a, b) for a, b in zip(part.shape[:-1], places.shape[:-1], strict=True)]
            return part.expand(*shape, -1).gather(-1, places.expand(*shape, 1)).squeeze(-1)

        return self._made(taken, axes)

    def _made(self, taken: Any, axes: tuple[int, ...]) -> Any:
        """The part that ``taken`` leaves: a family while there are dimensions to index, else numbers."""
        value = taken(self.value)
        error = None if self.error is None else taken(self.error)
        if value.dim() > len(axes):
            return Rows(value, error, axes, self.rules, self.whole)
        if self.whole:
            return Labels(value, axes)
        return Numbers(value.to(self.rules.wide), error, axes, self.rules)


def gathered(parts: list[tuple[Any, int]], axis: int) -> Rows:
    """The family with a dimension for ``axis``: each part has its length along it; they come end to end."""
    first = parts[0][0]
    if not isinstance(first, Numbers | Rows):
        raise NotBulkError("a family of something else than numbers")
    rest = tuple(one for one in first.axes if one != axis)
    tensors = [_opened(part, axis, length) for part, length in parts]
    if len(parts) == 1:
        return Rows(*tensors[0], rest, first.rules)
    torch, dim = first.rules.torch, len(rest)
    value = torch.cat([v for v, _ in tensors], dim=dim)
    if all(e is None for _, e in tensors):
        return Rows(value, None, rest, first.rules)
    error = torch.cat([torch.zeros_like(v) if e is None else e for v, e in tensors], dim=dim)
    return Rows(value, error, rest, first.rules)


def _opened(part: Any, axis: int, length: int) -> tuple[Any, Any]:
    """Value and error with the dimension of ``axis`` right after those that stay bound."""
    bound = len(part.axes) - (axis in part.axes)

    def moved(tensor: Any) -> Any:
        if axis in part.axes:
            return tensor.movedim(part.axes.index(axis), bound)
        return tensor.unsqueeze(bound).expand(*tensor.shape[:bound], length, *tensor.shape[bound:])

    return moved(part.value), None if part.error is None else moved(part.error.expand_as(part.value))
