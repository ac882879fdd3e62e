"""Adapters: what is no plain function of torch, made into a candidate, or marked as what it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from verify.errors import UsageError
from verify.signatures import call_with

Function = Callable[..., Any]


def in_place(function: Function) -> Function:
    """A function that may overwrite its first argument, and return it; it may change nothing else.

    For a gradient it gets a copy that autograd follows. Usable as a decorator. Raises ``UsageError``
    for what cannot be called.
    """
    _require_callable(function)

    @functools.wraps(function)
    def overwriting(*tensors: Any, **options: Any) -> Any:
        return call_with(function, tensors, options)

    overwriting.changes_input = True  # type: ignore[attr-defined]
    return overwriting


def changes_input(function: Function) -> bool:
    """Whether a function was marked by `in_place`."""
    return getattr(function, "changes_input", False) is True


def _require_callable(function: Any) -> None:
    if not callable(function):
        raise UsageError(f"{function!r} is a {type(function).__name__}; give a function that can be called")
