"""Signatures: how a candidate can be called, also if it is a module or belongs to autograd."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from verify.errors import UsageError
from verify.words import kind_of

Function = Callable[..., Any]


def require_function(candidate: Any) -> None:
    """Raise ``UsageError`` for what is no function, and for a class of which a part or an instance is one."""
    if not callable(candidate):
        raise UsageError(f"the candidate is {kind_of(candidate)}; give a function that can be called")
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(candidate, type):
        return
    name = candidate.__name__
    if issubclass(candidate, torch.autograd.Function):
        raise UsageError(f"the candidate is {name}, a class of autograd; give its function, {name}.apply")
    if issubclass(candidate, torch.nn.Module):
        raise UsageError(f"the candidate is {name}, a class of modules; give an instance, such as {name}()")


def name_of(function: Function) -> str:
    """The name of a function for people, with its module where it has one; as that holds it, if it does."""
    if isinstance(function, functools.partial):
        return f"{name_of(function.func)} with options"
    if owner := autograd_class(function):
        return f"{name_of(owner)}.apply"
    plain, module = attribute(function, "__name__"), attribute(function, "__module__")
    held = attribute(sys.modules.get(str(module)), str(plain)) is function
    name = plain if held else attribute(function, "__qualname__") or plain
    if not isinstance(name, str):
        return kind_of(function)
    return f"{module}.{name}" if module and module != "__main__" else name


def signature_of(function: Function) -> inspect.Signature | None:
    """The signature of a function, of the ``forward`` of a module, compiled or not, or of the
    ``forward`` of an autograd.Function given by its ``apply``; None where Python does not know it.
    """
    owner = autograd_class(function)
    target: Any = function
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(function, torch.nn.Module):
        target = getattr(function, "_orig_mod", function).forward
    elif owner:
        target = owner.forward
    try:
        signature = inspect.signature(target)
    except Exception:  # what a foreign object's attributes do is not known
        return None
    if owner and torch is not None and owner.setup_context is torch.autograd.Function.setup_context:
        return signature.replace(parameters=list(signature.parameters.values())[1:])
    return signature


def takes(function: Function, positional: int, name: str) -> bool:
    """Whether a function takes a keyword beside so many tensors, as far as its signature tells."""
    signature = signature_of(function)
    if signature is None:
        return True
    try:
        signature.bind_partial(*[None] * positional, **{name: None})
    except TypeError:
        return False
    return True


def call_with(function: Function, positional: Sequence[Any], passed: Mapping[str, Any]) -> Any:
    """The result of a function; options become positional for an ``apply``, which takes no keywords."""
    signature = signature_of(function) if autograd_class(function) else None
    if signature is None:
        return function(*positional, **passed)
    bound = signature.bind(*positional, **passed)
    bound.apply_defaults()
    return function(*bound.args, **bound.kwargs)


def autograd_class(function: Function) -> Any:
    """The autograd.Function whose ``apply`` a function is; None for others, and before torch is loaded."""
    owner, torch = attribute(function, "__self__"), sys.modules.get("torch")
    ours = torch is not None and isinstance(owner, type) and issubclass(owner, torch.autograd.Function)
    return owner if ours and attribute(function, "__name__") == "apply" else None


def attribute(foreign: Any, name: str) -> Any:
    """An attribute of a foreign object; None where it has none, or raises when asked."""
    try:
        return getattr(foreign, name, None)
    except Exception:  # what a foreign object's attributes do is not known
        return None
