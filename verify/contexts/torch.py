"""The torch context: computes a formula with torch, each operation by a chosen implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.backends import Nested, load_torch, tensor_from, torch_dtype
from verify.contexts.decimals import PI
from verify.errors import DomainError, VerifyError
from verify.floats import format_named
from verify.operation import Operation, Peer

Body = Callable[[Any], Any]


class NotApplicableError(VerifyError):
    """An implementation declined the input: it raised instead of returning a result."""


@dataclass(frozen=True, slots=True)
class Index:
    """A position in a family: an int64 tensor counted from 0, one entry or one per open axis."""

    tensor: Any


@dataclass(frozen=True, slots=True)
class Family:
    """A family of numbers or labels.

    The first ``axes`` dimensions of ``tensor`` are the family's own; the others, if any, are the
    axes of the sums that were open where it was made.
    """

    tensor: Any
    axes: int

    def __len__(self) -> int:
        """The length of the first axis."""
        return int(self.tensor.shape[0])

    def __getitem__(self, key: Any) -> Any:
        """An entry, or a row where fewer indices are given than the family has axes."""
        keys = key if isinstance(key, tuple) else (key,)
        chosen = [_position(k, self.tensor.shape[axis]) for axis, k in enumerate(keys)]
        outer = self.tensor.shape[self.axes :]
        open_axes = max([len(outer), *(k.ndim for k in chosen)])
        for axis in range(len(keys), self.axes):
            chosen.append(_axis(self.tensor.shape[axis], open_axes, self.tensor.device))
            open_axes += 1
        chosen += [_axis(size, len(outer) - 1 - d, self.tensor.device) for d, size in enumerate(outer)]
        picked = self.tensor[tuple(chosen)]
        if len(keys) < self.axes:
            return Family(picked, self.axes - len(keys))
        return picked if picked.is_floating_point() else Index(picked)


class TorchContext:
    """Computes formulas in one dtype on one device.

    ``choice`` gives for the id of an operation the peer that computes it; an operation that is not
    in it is computed from its definition. Numbers are torch tensors. Each open sum or product owns
    one dimension, counted from the right, so that nothing loops over the entries of a family.
    """

    def __init__(self, dtype: str, device: str = "cpu", choice: Mapping[str, Peer] | None = None) -> None:
        self._torch = load_torch()
        self._format = format_named(dtype)
        self._dtype = torch_dtype(dtype)
        self._device = device
        self._choice = dict(choice or {})
        self._depth = 0

    def lift(self, value: Nested) -> Any:
        """A number, a label or a family from exact values; see ``backends.tensor_from``."""
        tensor = tensor_from(value, self._format.name, self._device)
        if tensor.ndim:
            return Family(tensor, tensor.ndim)
        return tensor if tensor.is_floating_point() else Index(tensor)

    def number(self, value: Fraction | int) -> Any:
        """The number of the dtype nearest to ``value``, rounded once."""
        nearest = float(self._format.round(Fraction(value)))
        return self._torch.tensor(nearest, dtype=self._dtype, device=self._device)

    def pi(self) -> Any:
        """The circle's constant, rounded once."""
        return self.number(PI)

    def exp(self, a: Any) -> Any:
        """The exponential."""
        return self._torch.exp(self._tensor(a))

    def log(self, a: Any) -> Any:
        """Natural logarithm."""
        return self._torch.log(self._tensor(a))

    def xlogy(self, a: Any, b: Any) -> Any:
        """The product a log b, and 0 where a is 0."""
        return self._torch.xlogy(self._tensor(a), self._tensor(b))

    def ceil(self, a: Any) -> Any:
        """The least whole number that is at least a."""
        return self._torch.ceil(self._tensor(a))

    def count(self, x: Family) -> Any:
        """The length of the first axis as a number of the dtype."""
        return self.number(len(x))

    def equal(self, i: Any, j: Any) -> Any:
        """1 where the two positions are the same, else 0."""
        first, second = (k.tensor if isinstance(k, Index) else k - 1 for k in (i, j))
        same = self._torch.as_tensor(first == second, device=self._device)
        return same.to(self._dtype)

    def sum(self, body: Body, *, over: Family) -> Any:
        """Sum of ``body(i)`` over the first axis of ``over``."""
        return self._along_axis(body, over).sum(0)

    def prod(self, body: Body, *, over: Family) -> Any:
        """Product of ``body(i)`` over the first axis of ``over``."""
        return self._along_axis(body, over).prod(0)

    def family(self, body: Body, *, over: Family) -> Family:
        """The family of ``body(i)`` for i along the first axis of ``over``."""
        value = self._along_axis(body, over)
        return value if isinstance(value, Family) else Family(value, 1)

    def call(self, operation: Operation, *arguments: Any) -> Any:
        """Apply an operation by the peer chosen for it, else by its definition in this context."""
        peer = self._choice.get(operation.id)
        if peer is None:
            return operation.definition(self, *arguments)
        return self._call_peer(peer, arguments)

    def _tensor(self, a: Any) -> Any:
        return a if isinstance(a, self._torch.Tensor) else self.number(a)

    def _along_axis(self, body: Body, over: Family) -> Any:
        """``body`` at every position of a new axis: a tensor or family led by that axis."""
        size, depth = len(over), self._depth
        self._depth += 1
        try:
            value = body(Index(_axis(size, depth, self._device)))
        finally:
            self._depth = depth
        if isinstance(value, Family):
            return _rows(value, size, depth)
        value = self._tensor(value)
        if value.ndim > depth:
            return value
        return value.reshape((1,) * (depth + 1 - value.ndim) + tuple(value.shape)).expand(
            (size,) + (1,) * (depth - value.ndim) + tuple(value.shape)
        )

    def _call_peer(self, peer: Peer, arguments: tuple[Any, ...]) -> Any:
        """Call a peer on plain tensors, once for every position of the open axes."""
        torch = self._torch
        own = [a.axes if isinstance(a, Family) else 0 for a in arguments]
        plain = [a.tensor if isinstance(a, Family | Index) else self._tensor(a) for a in arguments]
        outer = torch.broadcast_shapes(*(t.shape[k:] for t, k in zip(plain, own, strict=True)))
        if not outer:
            result = _applied(peer, torch, plain)
            return Family(result, result.ndim) if result.ndim else result
        spread = [_spread(t, k, outer) for t, k in zip(plain, own, strict=True)]
        positions = range(spread[0].shape[-1])
        results = [_applied(peer, torch, [t[..., at] for t in spread]) for at in positions]
        joined = torch.stack(results, -1).reshape(*results[0].shape, *outer)
        return Family(joined, results[0].ndim) if results[0].ndim else joined


def choices(formula: Callable[..., Any], values: tuple[Nested, ...]) -> tuple[dict[str, Peer], ...]:
    """Every way to compute a formula: one peer for each operation that it applies and that has any.

    ``values`` are inputs on which the formula is tried once per way, to see what it applies.
    """
    open_choices: list[dict[str, Peer]] = [{}]
    complete = []
    while open_choices:
        choice = open_choices.pop()
        tracer = _Tracer(choice)
        try:
            formula(tracer, *(tracer.lift(value) for value in values))
        except _ChoiceNeeded as needed:
            operation = needed.args[0]
            open_choices += [{**choice, operation.id: peer} for peer in reversed(operation.peers)]
        else:
            complete.append(choice)
    return tuple(complete)


class _ChoiceNeeded(Exception):
    """A formula applies an operation for which no peer has been chosen yet."""


class _Tracer(TorchContext):
    """Walks a formula from definition to definition, stopping where a peer must be chosen."""

    def __init__(self, choice: Mapping[str, Peer]) -> None:
        super().__init__("float64")
        self._chosen = choice
        self._inside = False

    def derivative(self, function: Callable[[Any, Any], Any], at: Any, index: Any = None) -> Any:
        """What is differentiated, in place of its derivative: it applies the same operations."""
        return function(self, at)

    def call(self, operation: Operation, *arguments: Any) -> Any:
        """Apply a definition; raise where the operation has peers and none is chosen."""
        if operation.peers and not self._inside and operation.id not in self._chosen:
            raise _ChoiceNeeded(operation)
        outside = not self._inside and operation.id in self._chosen
        self._inside = self._inside or outside
        result = operation.definition(self, *arguments)
        self._inside = self._inside and not outside
        return result


def _applied(peer: Peer, torch: Any, arguments: list[Any]) -> Any:
    try:
        return peer.call(torch, *arguments)
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise NotApplicableError(f"{peer.name} raised {type(error).__name__}: {reason}") from error


def _axis(size: int, depth: int, device: Any) -> Any:
    """Positions 0..size-1 along the dimension that is ``depth`` from the right."""
    return load_torch().arange(size, device=device).reshape((size,) + (1,) * depth)


def _position(key: Any, size: int) -> Any:
    if isinstance(key, Index):
        return key.tensor
    if not 1 <= key <= size:
        raise DomainError(f"index {key} is outside 1..{size}; indices count from 1")
    return load_torch().tensor(key - 1)


def _rows(family: Family, size: int, depth: int) -> Family:
    """The two-axis family whose rows are ``family`` at each position of the axis at ``depth``."""
    tensor, own = family.tensor, tuple(family.tensor.shape[: family.axes])
    outer = tuple(tensor.shape[family.axes :])
    padded = (1,) * (depth + 1 - len(outer)) + outer
    tensor = tensor.reshape(own + padded).expand((*own, size, *padded[1:]))
    return Family(tensor.movedim(family.axes, 0), family.axes + 1)


def _spread(tensor: Any, own: int, outer: tuple[int, ...]) -> Any:
    """Own dimensions first, then one dimension that runs over all positions of the open axes."""
    shape = tuple(tensor.shape[:own])
    padded = (1,) * (len(outer) - (tensor.ndim - own)) + tuple(tensor.shape[own:])
    return tensor.reshape(shape + padded).expand(shape + outer).reshape(*shape, -1)
