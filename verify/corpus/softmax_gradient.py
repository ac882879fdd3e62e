"""The gradient of softmax got wrong, under a right value."""

from __future__ import annotations

from typing import Any

import torch

from verify.corpus.hand import by_hand, changed_backward, read_flat
from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
plant = planter(FAULTS, "softmax")


def _with_gradient(x: Any, dim: int, gradient: Any) -> Any:
    """A right value; ``gradient(g, s)`` works along the last axis."""

    def backward(g: Any, x: Any) -> Any:
        return gradient(g.movedim(dim, -1), torch.softmax(x, dim).movedim(dim, -1)).movedim(-1, dim)

    return by_hand(x, lambda x: torch.softmax(x, dim), backward)


def _mean(g: Any, s: Any) -> Any:
    return (g * s).sum(-1, keepdim=True)


@plant("gradient", "any upstream gradient that is not constant along the axis")
def gradient_without_mean(x: Any, dim: int) -> Any:
    """The mean of the upstream gradient is not subtracted."""
    return _with_gradient(x, dim, lambda g, s: s * g)


@plant("gradient", "any upstream gradient")
def gradient_with_plain_mean(x: Any, dim: int) -> Any:
    """The mean of the upstream gradient is not weighted by the probabilities."""
    return _with_gradient(x, dim, lambda g, s: s * (g - g.mean(-1, keepdim=True)))


@plant("gradient", "any upstream gradient")
def gradient_of_log_softmax(x: Any, dim: int) -> Any:
    """The gradient is the one of log_softmax."""
    return _with_gradient(x, dim, lambda g, s: g - s * g.sum(-1, keepdim=True))


@plant("gradient", "any upstream gradient")
def gradient_squared(x: Any, dim: int) -> Any:
    """The probabilities are multiplied in twice."""
    return _with_gradient(x, dim, lambda g, s: s * s * (g - _mean(g, s)))


@plant("gradient", "several rows with gradients of their own")
def gradient_mean_of_the_first_row(x: Any, dim: int) -> Any:
    """Every row subtracts the mean of the first."""
    return _with_gradient(x, dim, lambda g, s: s * (g - _mean(g, s).reshape(-1)[0]))


@plant("gradient", "rows wider than {lanes}, and not by a multiple", lanes=(4, 32, 1024))
def gradient_tail_dropped(x: Any, dim: int, lanes: int) -> Any:
    """The mean is taken of whole vectors only."""

    def gradient(g: Any, s: Any) -> Any:
        width = s.shape[-1]
        whole = width - width % lanes if width > lanes else width
        return s * (g - _mean(g[..., :whole], s[..., :whole]))

    return _with_gradient(x, dim, gradient)


@plant("gradient", "probabilities below {least}", least=(1e-3, 1e-5, 1e-7))
def gradient_filtered(x: Any, dim: int, least: float) -> Any:
    """Entries of small probability get no gradient."""
    return _with_gradient(x, dim, lambda g, s: torch.where(s < least, 0.0, s * (g - _mean(g, s))))


@plant("gradient", "any upstream gradient")
def gradient_in_bfloat16(x: Any, dim: int) -> Any:
    """The mean of the upstream gradient is rounded to bfloat16."""
    return _with_gradient(x, dim, lambda g, s: s * (g - _mean(g, s).bfloat16().to(g.dtype)))


@plant("gradient", "upstream gradients of stride 0, or transposed")
def upstream_strides_ignored(x: Any, dim: int) -> Any:
    """The upstream gradient is read as if it were contiguous."""
    return by_hand(
        x,
        lambda x: torch.softmax(x, dim),
        lambda g, x: torch._softmax_backward_data(read_flat(g), torch.softmax(x, dim), dim, x.dtype),
    )


@plant("gradient", "upstream gradients that differ from element to element")
def first_upstream_for_all(x: Any, dim: int) -> Any:
    """One element of the upstream gradient stands for all."""
    return _with_gradient(x, dim, lambda g, s: s * (g.reshape(-1)[:1] - _mean(g, s)))


@plant("gradient", "any gradient that is not 0", factor=(1.001, -1.0, 0.0))
def gradient_scaled(x: Any, dim: int, factor: float) -> Any:
    """The gradient is multiplied by a number."""
    return torch.softmax(changed_backward(x, lambda g: g * factor), dim)


@plant("gradient", "more than {rows} rows", rows=(1024, 65535))
def gradient_rows_beyond_the_grid(x: Any, dim: int, rows: int) -> Any:
    """The backward kernel leaves rows behind the last that its grid reaches at 0."""

    def kept(g: Any) -> Any:
        return g * (torch.arange(x.shape[0]) < rows).reshape(-1, *[1] * (x.ndim - 1))

    return torch.softmax(changed_backward(x, kept), dim)
