"""Compositions: what torch's own functions give together, for the operations for which it has no function."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch.nn import functional

from verify.corpus.planting import Candidate
from verify.corpus.references import (
    cross_entropy_with_softcap,
    cross_entropy_with_temperature,
    entropy,
    perplexity,
    rel_entr,
)


def _reduced(losses: Any, reduction: str) -> Any:
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def cross_entropy_with_z_loss(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The cross_entropy of torch.nn.functional and z times the square of torch.logsumexp, row by row."""
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * torch.logsumexp(input, 0 if input.ndim == 1 else 1) ** 2, reduction)


def js_divergence(input: Any, target: Any, dim: int) -> Any:
    """Half of two kl_div of torch.nn.functional to the logarithm of the midpoint."""
    middle = torch.log((input + target) / 2)
    terms = [functional.kl_div(middle, p, reduction="none") for p in (input, target)]
    return (terms[0] + terms[1]).sum(dim) / 2


def laplace_nll(input: Any, target: Any, scale: Any, reduction: str = "mean") -> Any:
    """Minus the log_prob of torch.distributions.Laplace."""
    return _reduced(-torch.distributions.Laplace(input, scale).log_prob(target), reduction)


def negative_binomial_nll(total_count: Any, logits: Any, target: Any, reduction: str = "mean") -> Any:
    """Minus the log_prob of torch.distributions.NegativeBinomial."""
    distribution = torch.distributions.NegativeBinomial(total_count, logits=logits)
    return _reduced(-distribution.log_prob(target), reduction)


COMPOSITIONS: Mapping[str, tuple[str, Candidate]] = MappingProxyType(
    {
        "cross_entropy_with_softcap": (
            "F.cross_entropy(s * torch.tanh(x / s), y)",
            cross_entropy_with_softcap,
        ),
        "cross_entropy_with_temperature": ("F.cross_entropy(x / t, y)", cross_entropy_with_temperature),
        "cross_entropy_with_z_loss": ("F.cross_entropy and torch.logsumexp(x)**2", cross_entropy_with_z_loss),
        "entropy": ("torch.special.entr(p).sum", entropy),
        "js_divergence": ("F.kl_div to the midpoint, halved", js_divergence),
        "laplace_nll": ("-Laplace(x, b).log_prob(t)", laplace_nll),
        "negative_binomial_nll": ("-NegativeBinomial(r, logits=z).log_prob(y)", negative_binomial_nll),
        "perplexity": ("torch.exp(F.cross_entropy(x, y))", perplexity),
        "rel_entr": ("torch.xlogy(p, p) - torch.xlogy(p, q)", rel_entr),
    }
)
"""By the name of the contract: the composition in words, and as a function that takes the same call."""
