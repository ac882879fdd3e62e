"""What torch 2.13 itself gets wrong on the CPU: faults that nobody planted."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from verify.corpus.planting import Fault, planter

FAULTS: list[Fault] = []
log_softmax = planter(FAULTS, "log_softmax")
logsumexp = planter(FAULTS, "logsumexp")
cross_entropy = planter(FAULTS, "cross_entropy")
nll_loss = planter(FAULTS, "nll_loss")
softplus = planter(FAULTS, "softplus")
binary = planter(FAULTS, "binary_cross_entropy")
with_logits = planter(FAULTS, "binary_cross_entropy_with_logits")
kl_div = planter(FAULTS, "kl_div")
poisson = planter(FAULTS, "poisson_nll_loss")


@log_softmax("value", "flat rows of 65,520 and more classes", dtype="float16")
def torch_log_softmax_of_many_classes(x: Any, dim: int) -> Any:
    """The sum of the exponentials overflows in float16."""
    return torch.log_softmax(x, dim)


@logsumexp("value", "flat rows of 65,520 and more entries", dtype="float16")
def torch_logsumexp_of_many_entries(x: Any, dim: int, keepdim: bool = False) -> Any:
    """The sum of the exponentials overflows in float16."""
    return torch.logsumexp(x, dim, keepdim=keepdim)


@logsumexp("gradient", "a common offset", dtype="float32")
def torch_logsumexp_differentiated(x: Any, dim: int, keepdim: bool = False) -> Any:
    """The shares are exp(x - y) with the rounded result y."""
    return torch.logsumexp(x, dim, keepdim=keepdim)


@logsumexp("gradient", "logits near 78", dtype="bfloat16")
def torch_logsumexp_differentiated_in_bfloat16(x: Any, dim: int, keepdim: bool = False) -> Any:
    """Rows of the gradient sum to 1.1 or to 0.9."""
    return torch.logsumexp(x, dim, keepdim=keepdim)


@cross_entropy("value", "thousands of classes under label smoothing, or flat rows of 65,520", dtype="float16")
def torch_cross_entropy_of_many_classes(x: Any, target: Any, **options: Any) -> Any:
    """Sums over many classes overflow in float16."""
    return functional.cross_entropy(x, target, **options)


@nll_loss("value", "tens of thousands of rows, reduction mean", dtype="float16")
def torch_nll_loss_of_many_rows(x: Any, target: Any, **options: Any) -> Any:
    """The losses and the weights are added in float16: the mean is 0 or nan."""
    return functional.nll_loss(x, target, **options)


@nll_loss("value", "several rows, reduction sum", dtype="bfloat16")
def torch_nll_loss_summed_in_bfloat16(x: Any, target: Any, **options: Any) -> Any:
    """The losses are added in bfloat16: 496 for 492.7, where the format has numbers 2 apart."""
    return functional.nll_loss(x, target, **options)


@softplus("value", "z > 20 in float64", dtype="float64")
def torch_softplus(z: Any, beta: float = 1, threshold: float = 20) -> Any:
    """The result is z beyond the threshold of 20."""
    return functional.softplus(z, beta, threshold)


@binary("gradient", "probabilities below 1e-12")
def torch_binary_cross_entropy_differentiated(p: Any, t: Any, **options: Any) -> Any:
    """The divisor p (1 - p) is at least 1e-12."""
    return functional.binary_cross_entropy(p, t, **options)


@with_logits("value", "target 0 and negative logits")
def torch_binary_cross_entropy_with_logits(z: Any, t: Any, **options: Any) -> Any:
    """(1 - t) z - log sigmoid(z) cancels."""
    return functional.binary_cross_entropy_with_logits(z, t, **options)


@with_logits("value", "target 0 and negative logits", dtype="bfloat16")
def torch_binary_cross_entropy_with_logits_in_bfloat16(z: Any, t: Any, **options: Any) -> Any:
    """(1 - t) z - log sigmoid(z) cancels."""
    return functional.binary_cross_entropy_with_logits(z, t, **options)


@poisson("value", "a rate of 0, given as it is", dtype="float16")
def torch_poisson_nll_loss_in_half_precision(x: Any, t: Any, **options: Any) -> Any:
    """The number eps is 0 in float16."""
    return functional.poisson_nll_loss(x, t, **options)


@kl_div("gradient of target", "reduction mean of thousands of entries, small probabilities", dtype="float16")
def torch_kl_div_differentiated_in_half_precision(x: Any, target: Any, **options: Any) -> Any:
    """The upstream gradient times p underflows before it is divided by p."""
    return functional.kl_div(x, target, **options)
