"""Candidates: somebody's function, called on its own terms; what it does wrong becomes a sentence."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from verify.adapters import changes_input
from verify.backends import load_torch
from verify.calls import Call
from verify.contexts.torch import NotApplicableError
from verify.contract import Contract
from verify.errors import VerifyError
from verify.guard import HungError, guarded, kept_alive
from verify.signatures import Function as Function
from verify.signatures import call_with, signature_of
from verify.signatures import name_of as name_of
from verify.signatures import takes as takes
from verify.state import preserved
from verify.tensors import (
    form_of,
    lies_in_memory,
    memory_of,
    same_bits,
    share_memory,
    tensors_of,
    upstream_of,
)
from verify.words import kind_of

LONGEST = 200
"""How much of a foreign message is shown, in characters."""

FEW = 1024
"""Product of the lengths of a call up to which a function is called with other numbers as well."""

_IN_PLACE = "a function that computes in place says so by verify.adapters.in_place"


class CandidateError(VerifyError):
    """A candidate raised inside the domain, or returned something that is not a result."""


def fitted(contract: Contract, function: Function) -> Contract:
    """The contract, fitted to the options that the signature of a function has."""
    return contract.without(lambda name: not takes(function, contract.tensors, name))


def value_of(function: Function, call: Call, dtype: str, device: str) -> Any:
    """The result of a call, of the right shape, dtype and device.

    Raises ``CandidateError`` where it is not, where the function raises anything but a
    KeyboardInterrupt, or takes longer than `guard.limited` says, and ``NotApplicableError`` for
    options that the function does not take. Shared settings of torch are put back.
    """
    with _settled(device, grad=bool(call.trained)):
        tensors = _tracked(tensors_of(call, dtype, device), call, function)
        return _called(function, call, *tensors, dtype, device).detach()


def gradient_of(function: Function, call: Call, dtype: str, device: str, of: str) -> Any:
    """The gradient in the argument ``of`` for the upstream gradient of the call; raises as `value_of`."""
    with _settled(device, grad=True):
        positional, keywords = tensors_of(call, dtype, device)
        return next(_gradients(function, call, positional, keywords, upstream_of(call, dtype, device), of))


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
        with _settled(device, grad=backward) as changed:
            told = passes[backward](function, call, dtype, device)
        if not told and changed:
            told = f"the call changes {' and '.join(changed)}"
        if told:
            return f"{told} in the backward pass" if backward else told
    return ""


@contextlib.contextmanager
def _settled(device: str, *, grad: bool) -> Iterator[list[str]]:
    """With or without autograd, whatever the caller has set; then as `preserved`."""
    torch = load_torch()
    with torch.inference_mode(False), torch.set_grad_enabled(grad), preserved(device) as changed:
        yield changed


def _effects_of_calls(function: Function, call: Call, dtype: str, device: str) -> str:
    positional, keywords = tensors_of(call, dtype, device)
    others = _with_others(call, dtype, device)
    own = next(iter(positional)) if changes_input(function) else ""
    watch = _Watch({**positional, **keywords}, function, own)
    first = _called(function, call, positional, keywords, dtype, device)
    aliased = [name for name, tensor in watch.tensors.items() if share_memory(first, tensor)]
    kept = first.clone()
    if told := watch.changes():
        return told
    if aliased not in ([], [own]):
        return f"the result lies in the memory of {aliased[0]}"
    second = _called(function, call, positional, keywords, dtype, device)
    if not same_bits(kept, second):
        return "a second call with the same arguments gives another result"
    if not aliased and share_memory(first, second):
        return "the results of two calls lie in the same memory"
    if own or others is None:
        return ""
    name = next(iter(positional))
    positional[name].copy_(others[0][name])
    with contextlib.suppress(CandidateError, NotApplicableError):
        due = _called(function, call, *others, dtype, device).clone()
        if not same_bits(due, _called(function, call, positional, keywords, dtype, device)):
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
        first = next(_gradients(function, call, positional, keywords, upstream, of))
        kept = first.clone()
        if told := watch.changes():
            return told
        through_one_graph = _gradients(function, call, positional, keywords, upstream, of, passes=3)
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
            _called(function, call, *_tracked(others, call, function), dtype, device)
            if not same_bits(kept, next(through_one_graph)):
                return "a call with other numbers between forward and backward pass changes the gradient"
    return ""


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


def _gradients(
    function: Function,
    call: Call,
    positional: dict[str, Any],
    keywords: dict[str, Any],
    upstream: Any,
    name: str,
    *,
    passes: int = 1,
) -> Iterator[Any]:
    """The gradient in the tensor of that name, by each of some backward passes through one graph."""
    torch = load_torch()
    first = {**positional, **keywords}[name]
    positional, keywords = _tracked((positional, keywords), call, function)
    leaf = first.detach().requires_grad_()
    dtype, device = str(first.dtype).removeprefix("torch."), first.device.type
    given = leaf.clone() if changes_input(function) and name == next(iter(positional)) else leaf
    positional, keywords = (
        {key: given if key == name else tensor for key, tensor in part.items()}
        for part in (positional, keywords)
    )
    others = [{**positional, **keywords}[other] for other in call.trained if other != name]
    result = _called(function, call, positional, keywords, dtype, device)
    if not result.requires_grad:
        raise _cut_off(call, name)

    def passed(keep: bool) -> Any:
        leaves = [leaf, *others]
        return torch.autograd.grad(result, leaves, upstream, allow_unused=True, retain_graph=keep)

    for left in reversed(range(passes)):
        gradient, *_ = _run("its backward pass", partial(passed, left > 0))
        if gradient is None:
            raise _cut_off(call, name)
        yield required(gradient, tuple(first.shape), dtype, device, "gradient")


def _tracked(
    tensors: tuple[dict[str, Any], dict[str, Any]], call: Call, function: Function
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors, those that are trained followed by autograd; what is changed in place is no leaf of it."""
    own = next(iter(tensors[0])) if changes_input(function) else ""

    def followed(name: str, tensor: Any) -> Any:
        if name not in call.trained:
            return tensor
        leaf = tensor.detach().requires_grad_()
        return leaf.clone() if name == own and 0 not in leaf.stride() else leaf

    positional, keywords = ({name: followed(name, t) for name, t in part.items()} for part in tensors)
    return positional, keywords


def _cut_off(call: Call, name: str) -> Exception:
    """That there is no gradient: wrong, or where the contract says so no more than missing."""
    told = f"the result is cut off from {name}: autograd knows no gradient"
    missing = call.contract.gradient(name).optional
    return NotApplicableError(told) if missing else CandidateError(told)


def _called(
    function: Function,
    call: Call,
    positional: dict[str, Any],
    keywords: dict[str, Any],
    dtype: str,
    device: str,
) -> Any:
    passed = {**keywords, **dict(call.passed)}
    known = _bind(function, len(positional), passed)
    if changes_input(function) and 0 in next(iter(positional.values())).stride():
        raise NotApplicableError("it computes in place, where entries share their memory")
    try:
        result = _run("it", lambda: call_with(function, tuple(positional.values()), passed))
    except CandidateError as error:
        if isinstance(error.__cause__, NotImplementedError):
            told = f"it raised {message_of(error.__cause__)}, which declines {call.told}"
            raise NotApplicableError(told) from error
        if isinstance(error.__cause__, TypeError) and passed:
            told = message_of(error.__cause__)
            if not known or "unexpected keyword argument" in told:
                raise NotApplicableError(f"it does not take {_options(passed)}") from error
        raise
    if inspect.iscoroutine(result):
        result.close()
    return required(result, call.shape, dtype, device, "result")


def _run(subject: str, action: Callable[[], Any]) -> Any:
    """What foreign code returns; ``CandidateError`` for whatever it does instead, but for Ctrl-C."""
    try:
        with guarded(), kept_alive():
            return action()
    except HungError as error:
        raise CandidateError(f"{subject} did not return within {error.seconds:g} s") from error
    except BaseException as error:
        if type(error) is KeyboardInterrupt:
            raise
        raise CandidateError(f"{subject} {_deed(error)}") from error


def _deed(error: BaseException) -> str:
    """What an exception says of the function that raised it."""
    told = message_of(error)
    out_of_memory = isinstance(error, MemoryError | load_torch().cuda.OutOfMemoryError)
    if out_of_memory or "can't allocate memory" in told or "not enough memory" in told:
        return f"needs more memory than there is: {told}"
    if isinstance(error, SystemExit):
        return f"ends the program: {told}"
    in_place = "in-place operation" in told or "written-to tensor" in told
    return f"raised {told}; {_IN_PLACE}" if in_place else f"raised {told}"


def _bind(function: Function, positional: int, passed: dict[str, Any]) -> bool:
    """Whether the signature is known, and then takes the call; ``NotApplicableError`` where it does not."""
    signature = signature_of(function)
    if signature is None:
        return False
    try:
        signature.bind(*[None] * positional, **passed)
    except TypeError as error:
        given = "1 tensor" if positional == 1 else f"{positional} tensors"
        told = f"{given} by position and {_options(passed)} by name" if passed else f"{given} by position"
        raise NotApplicableError(f"it does not take {told}: {error}") from error
    return True


def required(tensor: Any, shape: tuple[int, ...], dtype: str, device: str, what: str) -> Any:
    """A plain tensor of this kind, without what a subclass makes of it; else ``CandidateError``."""
    torch = load_torch()
    if not isinstance(tensor, torch.Tensor):
        raise CandidateError(f"the {what} is {kind_of(tensor)}, not a tensor")
    with torch._C.DisableTorchFunctionSubclass():
        nested, layout = (torch.Tensor.is_nested.__get__(tensor), torch.Tensor.layout.__get__(tensor))
        if nested or layout is not torch.strided:
            raise CandidateError(f"the {what} is no dense tensor; its layout is {layout}")
        tensor = torch.Tensor.as_subclass(tensor, torch.Tensor)
    if tuple(tensor.shape) != shape:
        raise CandidateError(f"the {what} has shape {tuple(tensor.shape)}; it should have {shape}")
    if str(tensor.dtype) != f"torch.{dtype}":
        raise CandidateError(f"the {what} is {tensor.dtype}; it should be torch.{dtype}")
    if tensor.device.type != device:
        raise CandidateError(f"the {what} is on {tensor.device.type}; it should be on {device}")
    if not lies_in_memory(tensor):
        raise CandidateError(f"the {what} has no memory in which its entries lie")
    return tensor


def _options(passed: dict[str, Any]) -> str:
    return ", ".join(sorted(passed)) or "no options"


def message_of(error: BaseException) -> str:
    """Type and first line of a foreign exception, cut to a length, without control characters."""
    name = type(error).__name__
    try:
        lines = str(error).strip().splitlines() or ["no message"]
    except Exception:  # its own __str__ raised
        lines = ["its message cannot be read"]
    return f"{name}: {''.join(c for c in lines[0] if c.isprintable())[:LONGEST]}"
