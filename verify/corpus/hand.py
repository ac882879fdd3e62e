"""Gradients written by hand, and memory read as a careless kernel reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Step = Callable[..., Any]


class _ByHand(torch.autograd.Function):  # type: ignore[misc]
    """A value and a vector-Jacobian product that autograd does not look into."""

    @staticmethod
    def forward(ctx: Any, x: Any, value: Step, gradient: Step) -> Any:
        """The value at x."""
        ctx.save_for_backward(x)
        ctx.gradient = gradient
        return value(x)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The gradient written by hand."""
        return ctx.gradient(upstream[0], *ctx.saved_tensors), None, None


def by_hand(x: Any, value: Step, gradient: Step) -> Any:
    """``value(x)``, differentiated by ``gradient(upstream, x)``."""
    return _ByHand.apply(x, value, gradient)


class _Changed(torch.autograd.Function):  # type: ignore[misc]
    """The tensor itself, and a change to what flows back."""

    @staticmethod
    def forward(ctx: Any, x: Any, change: Step) -> Any:
        """A copy."""
        ctx.change = change
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The changed gradient."""
        return ctx.change(upstream[0]), None


def changed_backward(x: Any, change: Step) -> Any:
    """``x``, with ``change`` applied to the gradient that flows back through it."""
    return _Changed.apply(x, change)


class _Revalued(torch.autograd.Function):  # type: ignore[misc]
    """Another value, and what flows back unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Any, change: Step) -> Any:
        """The changed value."""
        return change(x.detach())

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """What came in."""
        return upstream[0], None


def revalued(x: Any, change: Step) -> Any:
    """``change(x)``, differentiated as if it were ``x``."""
    return _Revalued.apply(x, change)


def differentiated_with(function: Step, x: Any, change: Step) -> Any:
    """``function(x)``, differentiated rightly for the upstream gradient ``change(upstream)``."""

    def gradient(upstream: Any, x: Any) -> Any:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return torch.autograd.grad(function(leaf), leaf, change(upstream))[0]

    return by_hand(x, function, gradient)


def read_flat(x: Any, offset: int | None = None) -> Any:
    """What a kernel sees that reads ``x`` in order from its first byte; past the end of memory it sees 0."""
    start = x.storage_offset() if offset is None else offset
    whole = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    seen = torch.nn.functional.pad(whole, (0, start + x.numel()))
    return seen[start : start + x.numel()].view(x.shape).clone()


def along_last(x: Any, dim: int, action: Step) -> Any:
    """``action``, which works along the last axis and keeps it, applied along ``dim``."""
    return action(x.movedim(dim, -1)).movedim(-1, dim)
