"""Gradients written by hand, and memory read as a careless kernel reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Step = Callable[..., Any]


class _ByHand(torch.autograd.Function):  # type: ignore[misc]
    """A value and a vector-Jacobian product that autograd does not look into."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, value: Step, gradient: Step) -> Any:
        """The value at x."""
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """What the gradient needs."""
        x, _, ctx.gradient = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The gradient written by hand."""
        return ctx.gradient(upstream[0], *ctx.saved_tensors), None, None


def by_hand(x: Any, value: Step, gradient: Step) -> Any:
    """``value(x)``, differentiated by ``gradient(upstream, x)``."""
    return _ByHand.apply(x, value, gradient)


class _Changed(torch.autograd.Function):  # type: ignore[misc]
    """A value, and a change to what flows back."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, value: Step, change: Step) -> Any:
        """The value."""
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """The change."""
        ctx.change = inputs[2]

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The changed gradient."""
        return ctx.change(upstream[0]), None, None


def _same(t: Any) -> Any:
    return t


def changed_backward(x: Any, change: Step) -> Any:
    """``x``, with ``change`` applied to the gradient that flows back through it."""
    return _Changed.apply(x, torch.clone, change)


def revalued(x: Any, change: Step) -> Any:
    """``change(x)``, differentiated as if it were ``x``."""
    return _Changed.apply(x, change, _same)


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
