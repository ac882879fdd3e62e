"""References: for each operation one right implementation with all options, differentiable in every tensor.

It is torch's own function, but for those of which a value or gradient is a finding (docs/check.md), and those
that torch lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch.nn import functional

from verify.corpus.planting import Candidate


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """Max + log sum exp(x - max); of torch.logsumexp the gradient is a finding."""
    wide = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
    top = wide.detach().amax(dim, keepdim=True)
    top = torch.where(top.isinf(), 0, top)
    result = top + torch.log(torch.exp(wide - top).sum(dim, keepdim=True))
    return (result if keepdim else result.sum(dim)).to(input.dtype)


def sigmoid(input: Any) -> Any:
    """torch.sigmoid."""
    return torch.sigmoid(input)


def logsigmoid(input: Any) -> Any:
    """torch.nn.functional.logsigmoid."""
    return functional.logsigmoid(input)


def softplus(input: Any, beta: float = 1, threshold: float = 20) -> Any:
    """Minus logsigmoid of -beta z, over beta; torch's drops a term beyond its threshold."""
    return -functional.logsigmoid(-beta * input) / beta


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """By xlogy and xlog1py; of torch's the gradient is a finding."""
    losses = -(torch.xlogy(target, input) + torch.special.xlog1py(1 - target, -input))
    return _reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Minus t log sigmoid(z) - (1 - t) log sigmoid(-z); torch's cancels."""
    hit = target * functional.logsigmoid(input)
    losses = -(hit if pos_weight is None else hit * pos_weight) - (1 - target) * functional.logsigmoid(-input)
    return _reduced(losses if weight is None else losses * weight, reduction)


def cross_entropy_with_temperature(
    input: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """cross_entropy of the quotients."""
    return functional.cross_entropy(input / temperature, target, reduction=reduction)


def cross_entropy_with_softcap(input: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """cross_entropy of s tanh(x / s)."""
    return functional.cross_entropy(softcap * torch.tanh(input / softcap), target, reduction=reduction)


def cross_entropy_with_z_loss(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """cross_entropy and z times the square of logsumexp, row by row."""
    axis = 0 if input.ndim == 1 else 1
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * logsumexp(input, axis) ** 2, reduction)


def perplexity(input: Any, target: Any, *, ignore_index: int = -100) -> Any:
    """Exp of cross_entropy."""
    return torch.exp(functional.cross_entropy(input, target, ignore_index=ignore_index))


def entropy(input: Any, dim: int) -> Any:
    """The sum of torch.special.entr."""
    return torch.special.entr(input).sum(dim)


def rel_entr(input: Any, target: Any) -> Any:
    """xlogy(p, p) - xlogy(p, q)."""
    return torch.xlogy(input, input) - torch.xlogy(input, target)


def js_divergence(input: Any, target: Any, dim: int) -> Any:
    """Half of two divergences to the midpoint."""
    middle = (input + target) / 2
    return (rel_entr(input, middle) + rel_entr(target, middle)).sum(dim) / 2


def laplace_nll(input: Any, target: Any, scale: Any, reduction: str = "mean") -> Any:
    """log(2 b) + |x - t| / b."""
    return _reduced(torch.log(2 * scale) + (input - target).abs() / scale, reduction)


def negative_binomial_nll(total_count: Any, logits: Any, target: Any, reduction: str = "mean") -> Any:
    """Two terms of logsigmoid and the logarithms of the factors of the coefficient."""
    losses = -total_count * functional.logsigmoid(-logits) - target * functional.logsigmoid(logits)
    for k in range(int(target.max()) if target.numel() else 0):
        factor = torch.log(torch.full_like(target, k + 1)) - torch.log(total_count + k)
        losses = losses + torch.where(target > k, factor, 0)
    return _reduced(losses, reduction)


REFERENCES: Mapping[str, Candidate] = MappingProxyType(
    {
        "softmax": functional.softmax,
        "log_softmax": functional.log_softmax,
        "logsumexp": logsumexp,
        "sigmoid": sigmoid,
        "logsigmoid": logsigmoid,
        "softplus": softplus,
        "cross_entropy": functional.cross_entropy,
        "nll_loss": functional.nll_loss,
        "linear_cross_entropy": functional.linear_cross_entropy,
        "kl_div": functional.kl_div,
        "binary_cross_entropy": binary_cross_entropy,
        "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
        "gaussian_nll_loss": functional.gaussian_nll_loss,
        "poisson_nll_loss": functional.poisson_nll_loss,
        "cross_entropy_with_temperature": cross_entropy_with_temperature,
        "cross_entropy_with_softcap": cross_entropy_with_softcap,
        "cross_entropy_with_z_loss": cross_entropy_with_z_loss,
        "perplexity": perplexity,
        "entropy": entropy,
        "rel_entr": rel_entr,
        "js_divergence": js_divergence,
        "laplace_nll": laplace_nll,
        "negative_binomial_nll": negative_binomial_nll,
    }
)
"""One right implementation of each operation that can be checked, by the name of its contract."""
