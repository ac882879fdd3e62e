"""The bulk context: an algorithm run in float64 on whole tables, with what an implementation may be off by.

One evaluation gives both sides of a judgement: the values, enclosed by a fraction 2^-29 of the bound
(``Rules.ratio``), and the bound itself. It serves float32 and the 16-bit formats; for float64 only the
bound is of use. Where a table asks for more than float64 has, the answer is left open, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.backends import bulk_tensor, torch_dtype
from verify.contexts.axes import Axis, Labels, NotBulkError, Numbers, Rows, aligned, gathered, spread
from verify.contexts.maxima import left_of_tensors
from verify.contexts.models import Model
from verify.contexts.running import Rules
from verify.contexts.vocabulary import ByRules
from verify.wide import Wide

BLOCK = 1 << 18
"""Numbers of a block: as many positions of the outermost index are taken at once as make this many."""


@dataclass(frozen=True, slots=True, eq=False)
class Bulk:
    """Flat float64 tensors of all elements of a result: values, and the bound on the error of each.

    ``ratio`` times the bound for sums in any order encloses the value; None where the values enclose
    nothing. ``widest`` is that bound, None where it is ``bound`` itself.
    """

    value: Any
    bound: Any
    ratio: float | None
    widest: Any = None

    @property
    def half(self) -> Any:
        """The largest error of each value itself; 0 where they enclose nothing."""
        return (self.bound if self.widest is None else self.widest) * (self.ratio or 0.0)


class BulkContext(ByRules):
    """Runs an algorithm on tables; an index stands for all its positions at once."""

    def __init__(self, model: Model, device: str = "cpu") -> None:
        super().__init__(Rules(model, device))
        self._opened = 0
        self._depth = 0
        self._length = 1

    def lift(self, value: Any) -> Any:
        """An exact value: a number, labels (ints, from 1) or numbers in nested tuples, or a wide table."""
        tensor, whole = bulk_tensor(value, self._rules.device)
        if not whole and not self._rules.specials and not tensor.sum().isfinite():
            self._rules.specials = True
        if tensor.dim():
            self._length = max(self._length, tensor.numel())
            return Rows(tensor, None, (), self._rules, whole)
        return Labels(tensor, ()) if whole else Numbers(tensor.to(self._rules.wide), None, (), self._rules)

    def count(self, over: Any) -> Numbers:
        """The length of the first axis as a constant."""
        return self.number(len(over))

    def equal(self, i: Any, j: Any) -> Numbers:
        """Exactly 1 where the positions are the same, else exactly 0."""
        a, b = self._labels(i), self._labels(j)
        axes = tuple(sorted({*a.axes, *b.axes}))
        same = spread(a.places, a.axes, axes) == spread(b.places, b.axes, axes)
        return Numbers(same.to(self._rules.wide), None, axes, self._rules)

    def _labels(self, index: Any) -> Labels:
        if isinstance(index, Labels):
            return index
        torch = self._rules.torch
        if isinstance(index, Axis):
            return Labels(torch.arange(index.start, index.stop, device=self._rules.device), (index.order,))
        return Labels(torch.tensor(index - 1, device=self._rules.device), ())

    def family(self, body: Callable[[Any], Any], *, over: Any) -> Rows:
        """The family of ``body(i)`` along the first axis, in blocks where it is the outermost one."""
        length, self._opened = len(over), self._opened + 1
        order, step = self._opened, length
        if not self._depth and length:
            step = max(1, min(length, BLOCK * length // self._length))
        self._depth += 1
        try:
            parts = [
                (body(Axis(order, at, min(at + step, length))), min(step, length - at))
                for at in range(0, length, step)
            ]
        finally:
            self._depth -= 1
        if not parts:
            raise NotBulkError("an empty family")
        return gathered(parts, order)

    def sum(self, body: Callable[[Any], Any], *, over: Any) -> Numbers:
        """Sum over the first axis, in any order."""
        axis = self._axis(over)
        terms = body(axis)
        if axis.order not in terms.axes:
            return self._of_constant(terms, axis.stop)
        place = terms.axes.index(axis.order)
        value, error = self._rules.total(terms.value, terms.error, (place,))
        return Numbers(value, error, tuple(a for a in terms.axes if a != axis.order), self._rules)

    def _of_constant(self, term: Numbers, times: int) -> Numbers:
        value = term.value.unsqueeze(-1).expand(*term.value.shape, times)
        error = None if term.error is None else term.error.unsqueeze(-1).expand_as(value)
        value, error = self._rules.total(value, error, (value.dim() - 1,))
        return Numbers(value, error, term.axes, self._rules)

    def total(self, x: Any) -> Numbers:
        """The sum of all entries of a family of any number of axes, in any order."""
        if isinstance(x, Numbers):
            return x
        dims = tuple(range(len(x.axes), x.value.dim()))
        value, error = self._rules.total(x.value.to(self._rules.wide), x.error, dims)
        return Numbers(value, error, x.axes, self._rules)

    def max(self, x: Rows) -> Numbers:
        """The largest entry, without rounding; with the largest error of those that may be it."""
        dim = len(x.axes)
        value, error = x.value.amax(dim).to(self._rules.wide), None
        if x.error is not None:
            each = x.error.expand_as(x.value)
            own = each.gather(dim, x.value.argmax(dim, keepdim=True))
            below = value.unsqueeze(dim) - x.value > 2 * (own + each)
            error = each.masked_fill(below, 0.0).amax(dim)
        return Numbers(value, error, x.axes, self._rules)

    def argmax(self, x: Rows) -> Labels:
        """The label of the first of the largest entries."""
        return Labels(x.value.argmax(len(x.axes)), x.axes)

    def residues(self, x: Rows, flowing: Rows) -> Rows:
        """0 at each entry of ``x``, off by what is left of a gradient through a running maximum."""
        axes = tuple(sorted({*x.axes, *flowing.axes}))
        size = flowing.value.abs() if flowing.error is None else flowing.value.abs() + flowing.error
        row, size = self._rules.torch.broadcast_tensors(
            spread(x.value.to(self._rules.wide), x.axes, axes), spread(size, flowing.axes, axes)
        )
        error = left_of_tensors(self._rules, row, size)
        return Rows(error * 0, error, axes, self._rules)

    def prod(self, body: Callable[[Any], Any], *, over: Any) -> Numbers:
        """Not offered on whole tables."""
        raise NotBulkError("a product over an index")

    def _axis(self, over: Any) -> Axis:
        self._opened += 1
        return Axis(self._opened, 0, len(over))

    def same(self, a: Any, b: Any) -> Numbers:
        """Exactly 1 where two exact numbers are equal, else exactly 0; off by 1 where rounding may decide."""
        (x, *errors), (y, other), axes = aligned(self._number(a), self._number(b))
        known = [error for error in (*errors, other) if error is not None]
        decided = (x - y).abs() > 2 * sum(known)
        error = (~decided).to(self._rules.wide) if known else None
        return Numbers((x == y).to(self._rules.wide), error, axes, self._rules)


def evaluate(formula: Callable[..., Any], values: tuple[Any, ...], model: Model, device: str = "cpu") -> Bulk:
    """Values and bounds of all elements of ``formula(context, *values)``, in row-major order, on a device.

    Raises `NotBulkError` for a formula that whole tables do not offer.
    """
    context = BulkContext(model, device)
    result = formula(context, *(context.lift(value) for value in values))
    if isinstance(result, Labels) or not isinstance(result, Numbers | Rows):
        raise NotBulkError("the result is no number")
    value = result.value.to(context._rules.wide)
    error = context._rules.torch.zeros_like(value) if result.error is None else result.error.expand_as(value)
    return Bulk(value.reshape(-1), _as_stored(value, error, model).reshape(-1), context._rules.ratio)


def _as_stored(value: Any, error: Any, model: Model) -> Any:
    """The errors of results, with those of rounding them to the format in which they are stored."""
    if model.stored is None:
        return error
    own = ((value.abs() + error) * float(model.stored.unit_roundoff)).clamp(
        min=float(model.stored.smallest_subnormal) / 2
    )
    held = value == value.to(torch_dtype(model.stored.name)).to(value)
    return error + own.masked_fill(value.isinf() | (held & (error == 0)), 0.0)


def moved(formula: Callable[..., Any], values: tuple[Any, ...], model: Model, device: str = "cpu") -> Any:
    """For each element of a formula the sum over all input numbers of |derivative| |number|, by autograd.

    In float64 and row-major order. Raises `NotBulkError` for a formula that whole tables do not offer.
    """
    context = BulkContext(model, device)
    torch, leaves, given = context._rules.torch, [], []
    for value in values:
        tensor, whole = bulk_tensor(value, device)
        if not whole:
            value = Wide(tensor.detach().requires_grad_())
            leaves.append(value.tensor)
        given.append(context.lift(value))
    elements = formula(context, *given).value.to(context._rules.wide).reshape(-1)
    total, each = torch.zeros_like(elements), torch.eye(elements.numel(), dtype=elements.dtype, device=device)
    if elements.requires_grad:
        rows = torch.autograd.grad(elements, leaves, each, is_grads_batched=True, allow_unused=True)
        for leaf, row in zip(leaves, rows, strict=True):
            if row is not None:
                total = total + (row * leaf).abs().reshape(len(each), -1).sum(1)
    return total.detach()
