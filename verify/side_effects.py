"""Side effects: what a call does beyond returning a result."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from verify.adapters import changes_input
from verify.backends import load_torch
from verify.calls import Call
from verify.candidate import CandidateError, Function, called, gradients, settled, tracked
from verify.contexts.torch import NotApplicableError
from verify.tensors import form_of, memory_of, same_bits, share_memory, tensors_of, upstream_of

FEW = 1024
"""Product of the lengths of a call up to which a function is called with other numbers as well."""


def side_effects_of(function: Function, call: Call, dtype: str, device: str, *, grad: bool) -> str:
    """What a call does beyond returning a result, in words; empty where there is nothing.

    Looks at the memory of all arguments before and after, padding included, at the parameters and
    buffers of a module, at results that lie in the memory of an argument or of an earlier result, at
    results that differ from one call to the next, or are those of numbers that lay in the same memory
    before, and at the shared settings of torch. A function marked by `in_place` may change its first
    argument, and return it.
    """
    passes = {False: _effects_of_calls, True: _effects_of_backward}
    for backward in (False, True)[: 1 + grad]:
        with settled(device, grad=backward) as changed:
            told = passes[backward](function, call, dtype, device)
        if not told and changed:
            told = f"the call changes {' and '.join(changed)}"
        if told:
            return f"{told} in the backward pass" if backward else told
    return ""


def _effects_of_calls(function: Function, call: Call, dtype: str, device: str) -> str:
    positional, keywords = tensors_of(call, dtype, device)
    others = _with_others(call, dtype, device)
    own = next(iter(positional)) if changes_input(function) else ""
    watch = _Watch({**positional, **keywords}, function, own)
    first = called(function, call, positional, keywords, dtype, device)
    aliased = [name for name, tensor in watch.tensors.items() if share_memory(first, tensor)]
    kept = first.clone()
    if told := watch.changes():
        return told
    if aliased not in ([], [own]):
        return f"the result lies in the memory of {aliased[0]}"
    second = called(function, call, positional, keywords, dtype, device)
    if not same_bits(kept, second):
        return "a second call with the same arguments gives another result"
    if not aliased and share_memory(first, second):
        return "the results of two calls lie in the same memory"
    if own or others is None:
        return ""
    name = next(iter(positional))
    positional[name].copy_(others[0][name])
    with contextlib.suppress(CandidateError, NotApplicableError):
        due = called(function, call, *others, dtype, device).clone()
        if not same_bits(due, called(function, call, positional, keywords, dtype, device)):
            return f"other numbers in the memory of {name} give another result than in memory of their own"
    return ""


def _with_others(call: Call, dtype: str, device: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The tensors of a call, the entries of the first in reverse order; None if many, or of shared memory.

    A function that keeps something by address or by shape gives with them what belongs to the numbers
    before. One that fails there shows nothing: they may be out of the domain.
    """
    if math.prod(call.lengths.values()) > FEW:
        return None
    positional, keywords = tensors_of(call, dtype, device)
    first = next(iter(positional.values()))
    if 0 in first.stride():
        return None
    first.copy_(first.flip(tuple(range(first.ndim))))
    return positional, keywords


def _effects_of_backward(function: Function, call: Call, dtype: str, device: str) -> str:
    """As `_effects_of_calls`, of the gradient; a gradient that cannot be had is judged elsewhere."""
    if not call.contract.gradients:
        return ""
    positional, keywords = tensors_of(call, dtype, device)
    upstream, others = upstream_of(call, dtype, device), _with_others(call, dtype, device)
    watch = _Watch({**positional, **keywords, "the upstream gradient": upstream}, function, "")
    of = call.contract.gradients[0].of
    try:
        first = next(gradients(function, call, positional, keywords, upstream, of))
        kept = first.clone()
        if told := watch.changes():
            return told
        through_one_graph = gradients(function, call, positional, keywords, upstream, of, passes=3)
        second = next(through_one_graph)
    except (CandidateError, NotApplicableError):
        return ""
    if not same_bits(kept, second):
        return "a second call with the same arguments gives another gradient"
    aliased = any(share_memory(first, tensor) for tensor in watch.tensors.values())
    if not aliased and share_memory(first, second):
        return "the gradients of two calls lie in the same memory"
    with contextlib.suppress(CandidateError):
        if not same_bits(kept, next(through_one_graph)):
            return "a second pass through the same graph gives another gradient"
        if others is not None:
            called(function, call, *tracked(others, call, function), dtype, device)
            return _effects_of_another_call(kept, through_one_graph)
    return ""


def _effects_of_another_call(kept: Any, through_one_graph: Iterator[Any]) -> str:
    """What a call since the last pass did to a graph through which one more pass was possible before."""
    between = "a call with other numbers between forward and backward pass"
    try:
        changed = not same_bits(kept, next(through_one_graph))
    except CandidateError as error:
        return f"{between} makes it fail ({error})"
    return f"{between} changes the gradient" if changed else ""


class _Watch:
    """Tensors that a call may read and not change; the entries of ``own`` it may, and they are put back."""

    def __init__(self, arguments: dict[str, Any], function: Function, own: str) -> None:
        self.tensors = {**arguments, **_kept_by(function)}
        self._before = {name: self._seen(tensor) for name, tensor in self.tensors.items()}
        self._own = own
        self._entries = arguments[own].clone() if own else None

    @staticmethod
    def _seen(tensor: Any) -> tuple[Any, Any]:
        return form_of(tensor), memory_of(tensor)

    def changes(self) -> str:
        """What was changed, in words, if anything."""
        if self._own and form_of(self.tensors[self._own]) == self._before[self._own][0]:
            self.tensors[self._own].copy_(self._entries)
        changed = []
        for name, tensor in self.tensors.items():
            (form, memory), (old_form, old_memory) = self._seen(tensor), self._before[name]
            if form != old_form or not same_bits(memory, old_memory):
                changed.append(name)
        return f"the call changes {' and '.join(changed)}" if changed else ""


def _kept_by(function: Function) -> dict[str, Any]:
    """The parameters and buffers of a module, by names for people."""
    if not isinstance(function, load_torch().nn.Module):
        return {}
    told = {f"the parameter {name}": tensor.detach() for name, tensor in function.named_parameters()}
    return {**told, **{f"the buffer {name}": tensor for name, tensor in function.named_buffers()}}
