"""Candidates: somebody's function, called on its own terms; what it does wrong becomes a sentence."""

from __future__ import annotations

import contextlib
import inspect
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
from verify.tensors import lies_in_memory, tensors_of, upstream_of
from verify.words import kind_of

LONGEST = 200
"""How much of a foreign message is shown, in characters."""

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
    with settled(device, grad=bool(call.trained)):
        tensors = tracked(tensors_of(call, dtype, device), call, function)
        return called(function, call, *tensors, dtype, device).detach()


def gradient_of(function: Function, call: Call, dtype: str, device: str, of: str) -> Any:
    """The gradient in the argument ``of`` for the upstream gradient of the call; raises as `value_of`."""
    with settled(device, grad=True):
        positional, keywords = tensors_of(call, dtype, device)
        return next(gradients(function, call, positional, keywords, upstream_of(call, dtype, device), of))


@contextlib.contextmanager
def settled(device: str, *, grad: bool) -> Iterator[list[str]]:
    """With or without autograd, whatever the caller has set; then as `preserved`."""
    torch = load_torch()
    with torch.inference_mode(False), torch.set_grad_enabled(grad), preserved(device) as changed:
        yield changed


def gradients(
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
    positional, keywords = tracked((positional, keywords), call, function)
    leaf = first.detach().requires_grad_()
    dtype, device = str(first.dtype).removeprefix("torch."), first.device.type
    given = leaf.clone() if changes_input(function) and name == next(iter(positional)) else leaf
    positional, keywords = (
        {key: given if key == name else tensor for key, tensor in part.items()}
        for part in (positional, keywords)
    )
    others = [{**positional, **keywords}[other] for other in call.trained if other != name]
    result = called(function, call, positional, keywords, dtype, device)
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


def tracked(
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


def called(
    function: Function,
    call: Call,
    positional: dict[str, Any],
    keywords: dict[str, Any],
    dtype: str,
    device: str,
) -> Any:
    """The result for these tensors, of the right shape, dtype and device; raises as `value_of`."""
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
