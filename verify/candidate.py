"""Candidates: somebody's function, called on its own terms; what it does wrong becomes a sentence."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

from verify.backends import load_torch
from verify.calls import Call
from verify.contexts.torch import NotApplicableError
from verify.errors import VerifyError
from verify.tensors import memory_of, same_bits, share_memory, tensors_of, upstream_of

Function = Callable[..., Any]


class CandidateError(VerifyError):
    """A candidate raised inside the domain, or returned something that is not a result."""


def name_of(function: Function) -> str:
    """The name of a function for people, with its module where it has one."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if name is None:
        return f"a {type(function).__name__}"
    module = getattr(function, "__module__", None)
    return f"{module}.{name}" if module and module != "__main__" else str(name)


def value_of(function: Function, call: Call, dtype: str, device: str) -> Any:
    """The result of a call, of the right shape, dtype and device.

    Raises ``CandidateError`` where it is not, and ``NotApplicableError`` for options that the
    function does not take.
    """
    with load_torch().no_grad():
        return _called(function, call, *tensors_of(call, dtype, device), dtype, device)


def gradient_of(function: Function, call: Call, dtype: str, device: str, of: str) -> Any:
    """The gradient in the argument ``of`` for the upstream gradient of the call; raises as `value_of`."""
    positional, keywords = tensors_of(call, dtype, device)
    return _backward(function, call, positional, keywords, upstream_of(call, dtype, device), of)


def side_effects_of(function: Function, call: Call, dtype: str, device: str, *, grad: bool) -> str:
    """What a call does beyond returning a result, in words; empty where there is nothing.

    Looks at the memory of all arguments before and after, padding included, at results that lie in
    the memory of an argument, and at results that differ from one call to the next.
    """
    with load_torch().no_grad():
        positional, keywords = tensors_of(call, dtype, device)
        watched = {**positional, **keywords}
        before = {name: memory_of(tensor) for name, tensor in watched.items()}
        results = [_called(function, call, positional, keywords, dtype, device)]
        told = _changes(watched, before)
        for name, tensor in watched.items():
            if not told and share_memory(results[0], tensor):
                told = f"the result lies in the memory of {name}"
        kept = results[0].clone()
        results.append(_called(function, call, positional, keywords, dtype, device))
    if not told and not same_bits(kept, results[1]):
        told = "a second call with the same arguments gives another result"
    return told or (_effects_of_backward(function, call, dtype, device) if grad else "")


def _effects_of_backward(function: Function, call: Call, dtype: str, device: str) -> str:
    """As `side_effects_of`, of the gradient; a gradient that cannot be had is judged elsewhere."""
    positional, keywords = tensors_of(call, dtype, device)
    upstream = upstream_of(call, dtype, device)
    watched = {**positional, **keywords, "the upstream gradient": upstream}
    before = {name: memory_of(tensor) for name, tensor in watched.items()}
    try:
        of = call.contract.gradients[0].of
        first = _backward(function, call, positional, keywords, upstream, of).clone()
        told = _changes(watched, before)
        second = _backward(function, call, positional, keywords, upstream, of)
    except CandidateError:
        return ""
    if not told and not same_bits(first, second):
        return "a second backward pass with the same arguments gives another gradient"
    return f"{told} in the backward pass" if told else ""


def _changes(watched: dict[str, Any], before: dict[str, Any]) -> str:
    changed = [name for name, tensor in watched.items() if not same_bits(memory_of(tensor), before[name])]
    return f"the call changes {' and '.join(changed)}" if changed else ""


def _backward(
    function: Function,
    call: Call,
    positional: dict[str, Any],
    keywords: dict[str, Any],
    upstream: Any,
    name: str,
) -> Any:
    torch = load_torch()
    first = {**positional, **keywords}[name]
    leaf = first.detach().requires_grad_()
    dtype, device = str(first.dtype).removeprefix("torch."), first.device.type
    positional, keywords = (
        {key: leaf if key == name else tensor for key, tensor in part.items()}
        for part in (positional, keywords)
    )
    result = _called(function, call, positional, keywords, dtype, device)
    if not result.requires_grad:
        raise CandidateError(f"the result is cut off from {name}: autograd knows no gradient")
    try:
        (gradient,) = torch.autograd.grad(result, leaf, upstream, allow_unused=True)
    except Exception as error:
        raise CandidateError(f"its backward pass raised {_told(error)}") from error
    if gradient is None:
        raise CandidateError(f"the result is cut off from {name}: autograd knows no gradient")
    _require(gradient, tuple(first.shape), dtype, device, "gradient")
    return gradient


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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*positional.values(), **passed)
    except NotImplementedError as error:
        raise NotApplicableError(f"it declines {_options(passed)}: {_told(error)}") from error
    except TypeError as error:
        if passed and (not known or "unexpected keyword argument" in str(error)):
            raise NotApplicableError(f"it does not take {_options(passed)}") from error
        raise CandidateError(f"it raised {_told(error)}") from error
    except Exception as error:
        raise CandidateError(f"it raised {_told(error)}") from error
    _require(result, call.shape, dtype, device, "result")
    return result


def takes(function: Function, positional: int, name: str) -> bool:
    """Whether a function takes a keyword beside so many tensors, as far as its signature tells."""
    try:
        inspect.signature(function).bind_partial(*[None] * positional, **{name: None})
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _bind(function: Function, positional: int, passed: dict[str, Any]) -> bool:
    """Whether the signature is known, and then takes the call; ``NotApplicableError`` where it does not."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(*[None] * positional, **passed)
    except TypeError as error:
        told = f"{positional} tensors and {_options(passed)}" if passed else f"{positional} tensors"
        raise NotApplicableError(f"it does not take {told}: {error}") from error
    return True


def _require(tensor: Any, shape: tuple[int, ...], dtype: str, device: str, what: str) -> None:
    torch = load_torch()
    if not isinstance(tensor, torch.Tensor):
        raise CandidateError(f"the {what} is a {type(tensor).__name__}, not a tensor")
    if tuple(tensor.shape) != shape:
        raise CandidateError(f"the {what} has shape {tuple(tensor.shape)}; it should have {shape}")
    if str(tensor.dtype) != f"torch.{dtype}":
        raise CandidateError(f"the {what} is {tensor.dtype}; it should be torch.{dtype}")
    if tensor.device.type != device:
        raise CandidateError(f"the {what} is on {tensor.device.type}; it should be on {device}")


def _options(passed: dict[str, Any]) -> str:
    return ", ".join(sorted(passed)) or "no options"


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0]}"
