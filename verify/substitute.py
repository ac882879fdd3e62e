"""Substitutes: what a test is given in place of an implementation; they compute, and note what was asked."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from verify.backends import load_torch
from verify.snapshots import Difference, Snapshot, difference, equal, snapshot

Function = Callable[..., Any]

CALLS = 256
"""Calls of which the tensors are kept, and gradients of each; later ones are only counted."""


@dataclass(slots=True)
class Seen:
    """One call: what went in, and what came out and flowed back, where it was kept.

    ``options`` are those that differ from their default, as text; ``low`` and ``high`` the least and largest
    finite number of the first tensor; ``ignored`` the labels that are ``ignore_index``; ``flat`` says that
    the upstream gradient was one number for all entries; ``backward`` counts the gradients that flowed back.
    """

    shape: tuple[int, ...]
    dtype: str
    device: str
    options: Mapping[str, str]
    contiguous: bool
    low: float = math.inf
    high: float = -math.inf
    ignored: int = 0
    given: Snapshot | None = None
    result: Snapshot | None = None
    gradients: list[Snapshot] = field(default_factory=list)
    backward: int = 0
    flat: bool = True


@dataclass(slots=True)
class Trace:
    """All calls of one run of a test; ``later`` counts those beyond the first ``CALLS``."""

    calls: list[Seen] = field(default_factory=list)
    later: int = 0

    @property
    def count(self) -> int:
        """How often the implementation was called."""
        return len(self.calls) + self.later

    @property
    def backward(self) -> bool:
        """Whether a gradient was ever asked for."""
        return any(call.backward for call in self.calls)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A call sorted by a signature: the leading tensors, and the options that differ from their default."""

    bound: inspect.BoundArguments
    tensors: tuple[Any, ...]
    options: Mapping[str, Any]

    def with_first(self, tensor: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the signature's own function is called with, its first tensor replaced."""
        changed = dict(self.bound.arguments)
        changed[next(iter(changed))] = tensor
        again = inspect.BoundArguments(self.bound.signature, changed)
        return again.args, again.kwargs


def sorted_arguments(
    signature: inspect.Signature, tensors: int, given: Iterable[Any], named: Mapping[str, Any]
) -> Arguments | None:
    """The arguments of a call by a signature with so many leading tensors; None where they do not fit it."""
    try:
        bound = signature.bind(*given, **named)
    except TypeError:
        return None
    names = list(signature.parameters)
    leading = [bound.arguments[name] for name in names[:tensors] if name in bound.arguments]
    options = {
        name: value
        for name, value in bound.arguments.items()
        if name not in names[:tensors] and not _is_default(value, signature.parameters[name].default)
    }
    return Arguments(bound, tuple(leading), options) if len(leading) == tensors else None


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


class Substitute:
    """A function that computes as ``reference`` does, or in some calls as ``wrong`` does.

    A call is sorted by the first of ``signatures`` that it fits, its leading ``tensors`` first.
    ``wrong`` computes the calls whose first tensor has one of ``dtypes``. A call that it declines, by raising
    or by a result of another shape or dtype than the reference has there, is left to the reference: so a
    test that fails dislikes what was computed, not that an option is missing. ``trace`` tells what was asked;
    ``applied`` counts the calls that ``wrong`` computed; ``apart`` is how far their results and gradients, of
    which ``compared`` were looked at, are from those of ``right``, the trace of a run of the reference;
    ``unmatched`` calls had other inputs than it has, and the reference computed their result anew.
    """

    def __init__(
        self,
        reference: Function,
        tensors: int,
        signatures: Sequence[inspect.Signature],
        wrong: Function | None = None,
        dtypes: Iterable[str] = (),
        right: Trace | None = None,
    ) -> None:
        self._reference, self._tensors, self._wrong = reference, tensors, wrong
        self._dtypes, self._right = frozenset(dtypes), right
        self._signatures = signatures
        self.trace = Trace()
        self.applied = self.compared = self.unmatched = 0
        self.declined = ""
        self.apart = Difference()
        for name in ("__name__", "__doc__", "__qualname__", "__module__"):
            self.__dict__[name] = getattr(reference, name, None)

    def __call__(self, *given: Any, **named: Any) -> Any:
        """The result of the reference, or what is wrong."""
        sorted_ = self._sorted(given, named)
        if sorted_ is None:
            self.trace.later += 1
            told = f"{len(given)} arguments by position and {', '.join(named) or 'none'} by name"
            fitting = ", ".join(self._signatures[-1].parameters)
            self.declined = self.declined or f"{told} do not fit ({fitting})"
            return self._reference(*given, **named)
        seen, number = self._noted(sorted_), self.trace.count - 1
        first = self._watched(sorted_.tensors[0], seen, number)
        result, is_wrong = self._result(sorted_, first, seen, number)
        self._keep(result, sorted_, seen, number, is_wrong)
        return result

    def _sorted(self, given: tuple[Any, ...], named: Mapping[str, Any]) -> Arguments | None:
        """The call by the first signature that it fits."""
        for signature in self._signatures:
            found = sorted_arguments(signature, self._tensors, given, named)
            if found is not None and _all_tensors(found.tensors):
                return found
        return None

    def __deepcopy__(self, memo: Any) -> Substitute:
        """Itself: a copy would note calls that nobody asks for."""
        return self

    def __reduce__(self) -> Any:
        raise TypeError("an implementation that is audited cannot be pickled; call it in this process")

    def _noted(self, arguments: Arguments) -> Seen:
        x = arguments.tensors[0]
        told = {name: _shown(value) for name, value in arguments.options.items()}
        dtype = str(x.dtype).removeprefix("torch.")
        seen = Seen(tuple(x.shape), dtype, x.device.type, told, _opaque(x) or x.is_contiguous())
        if len(self.trace.calls) >= CALLS:
            self.trace.later += 1
            return seen
        self.trace.calls.append(seen)
        if not _opaque(x):
            seen.given = snapshot(x)
            if self._wrong is None and self._right is None:
                _measure(seen, x, arguments)
        return seen

    def _watched(self, x: Any, seen: Seen, number: int) -> Any:
        """The tensor, or a view of it that tells which gradient flows back."""
        torch = load_torch()
        if not (x.requires_grad and torch.is_grad_enabled()) or _opaque(x):
            return x
        view = x.view_as(x)
        view.register_hook(lambda gradient: self._flowed(gradient, seen, number))
        return view

    def _result(self, arguments: Arguments, first: Any, seen: Seen, number: int) -> tuple[Any, bool]:
        """The result, and whether it is what is wrong."""
        if self._wrong is not None and seen.dtype in self._dtypes:
            try:
                result = self._wrong(first, *arguments.tensors[1:], **arguments.options)
            except Exception as error:
                self.declined = self.declined or f"it declines a call: {type(error).__name__}: {error}"
            else:
                before = self._before(seen, number)
                if before is None or before.result is None or _form(result) == before.result.form:
                    self.applied += 1
                    return result, True
                self.declined = self.declined or "its result has another shape or dtype in a call"
        given, named = arguments.with_first(first)
        return self._reference(*given, **named), False

    def _before(self, seen: Seen, number: int) -> Seen | None:
        """The call of the same number and the same first tensor in the run of the reference."""
        if self._right is None or number >= len(self._right.calls) or seen.given is None:
            return None
        before = self._right.calls[number]
        return before if before.given is not None and equal(before.given, seen.given) else None

    def _keep(self, result: Any, arguments: Arguments, seen: Seen, number: int, is_wrong: bool) -> None:
        torch = load_torch()
        if number >= CALLS or not isinstance(result, torch.Tensor) or _opaque(result) or seen.given is None:
            return
        if result.requires_grad and self._wrong is None:
            result.register_hook(lambda upstream: _note_upstream(upstream, seen))
        if self._wrong is None and self._right is None:
            seen.result = snapshot(result)
        elif is_wrong or self._wrong is None:
            self._compare(snapshot(result), arguments, seen, number)

    def _compare(self, got: Snapshot, arguments: Arguments, seen: Seen, number: int) -> None:
        """Take into account how far a result is from what is right there."""
        before = self._before(seen, number)
        right = None if before is None else before.result
        if right is None:
            self.unmatched += 1
            given, named = arguments.with_first(arguments.tensors[0])
            with load_torch().no_grad():
                right = snapshot(self._reference(*given, **named))
        self.compared += 1
        self.apart |= difference(got, right)

    def _flowed(self, gradient: Any, seen: Seen, number: int) -> None:
        """Note a gradient that flows back to the first tensor of a call."""
        place = seen.backward
        seen.backward += 1
        if gradient is None or _opaque(gradient) or max(number, place) >= CALLS:
            return
        got = snapshot(gradient)
        if self._right is None:
            seen.gradients.append(got)
            return
        before = self._before(seen, number)
        if before is not None and place < len(before.gradients):
            self.compared += 1
            self.apart |= difference(got, before.gradients[place])


def _all_tensors(given: Iterable[Any]) -> bool:
    torch = load_torch()
    return all(isinstance(one, torch.Tensor) for one in given)


def _opaque(tensor: Any) -> bool:
    """Whether the numbers of a tensor cannot be read: within vmap or jvp, on no device, sparse."""
    torch = load_torch()
    return bool(
        torch._C._functorch.is_functorch_wrapped_tensor(tensor)
        or tensor.is_meta
        or tensor.layout is not torch.strided
        or type(tensor) not in (torch.Tensor, torch.nn.Parameter)
    )


def _form(result: Any) -> Any:
    shape, dtype = getattr(result, "shape", ()), getattr(result, "dtype", None)
    return tuple(shape), str(dtype).removeprefix("torch.")


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return repr(value) if shape is None else f"a tensor of shape {tuple(shape)}"


def _measure(seen: Seen, x: Any, arguments: Arguments) -> None:
    """Note the range of the numbers that went in, and the labels that are ignored."""
    if x.is_floating_point() and x.numel():
        low, high = x.detach().aminmax()
        seen.low, seen.high = float(low), float(high)
    labels = arguments.tensors[1] if len(arguments.tensors) > 1 else None
    if labels is not None and not labels.is_floating_point() and not _opaque(labels):
        seen.ignored = int((labels == arguments.options.get("ignore_index", -100)).sum())


def _note_upstream(upstream: Any, seen: Seen) -> None:
    if upstream is None:
        return
    if not _opaque(upstream) and upstream.numel() > 1:
        seen.flat = seen.flat and bool((upstream == upstream.reshape(-1)[0]).all())
    elif upstream.numel() == 1 and not _opaque(upstream):
        seen.flat = seen.flat and float(upstream) == 1
