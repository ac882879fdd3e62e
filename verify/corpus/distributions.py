"""Entropy, relative entropy and the Jensen-Shannon divergence, got wrong and right."""

from __future__ import annotations

import math
from typing import Any

import torch

from verify.corpus.hand import by_hand, changed_backward, read_flat
from verify.corpus.planting import Fault, Right, planter, sower

FAULTS: list[Fault] = []
RIGHTS: list[Right] = []
entropy = planter(FAULTS, "entropy")
rel_entr = planter(FAULTS, "rel_entr")
js_divergence = planter(FAULTS, "js_divergence")
right_entropy = sower(RIGHTS, "entropy")
right_rel_entr = sower(RIGHTS, "rel_entr")
right_js = sower(RIGHTS, "js_divergence")


def _entropy(p: Any, dim: int) -> Any:
    return torch.special.entr(p).sum(dim)


@right_entropy(dtypes=("float32", "float64"))
def summed_entr(p: Any, dim: int) -> Any:
    """The sum of torch.special.entr."""
    return _entropy(p, dim)


@right_entropy()
def entropy_in_double(p: Any, dim: int) -> Any:
    """Computed in float64 and rounded once."""
    return _entropy(p.double(), dim).to(p.dtype)


@right_entropy(dtypes=("float32", "float64"))
def summed_xlogy(p: Any, dim: int) -> Any:
    """Minus the sum of torch.xlogy."""
    return -torch.xlogy(p, p).sum(dim)


@entropy("value", "probabilities that are 0")
def zero_gives_nan(p: Any, dim: int) -> Any:
    """0 times the logarithm of 0."""
    return -(p * torch.log(p)).sum(dim)


@entropy("value", "any probabilities", epsilon=(1e-5, 1e-7))
def epsilon_in_the_logarithm(p: Any, dim: int, epsilon: float) -> Any:
    """A small number is added to each probability."""
    return -(p * torch.log(p + epsilon)).sum(dim)


@entropy("value", "small probabilities, and one that is 1", least=(1e-4,))
def probabilities_clipped(p: Any, dim: int, least: float) -> Any:
    """Probabilities are kept away from 0 and 1."""
    q = p.clamp(least, 1 - least)
    return -(q * torch.log(q)).sum(dim)


@entropy("value", "any probabilities")
def in_bits(p: Any, dim: int) -> Any:
    """The logarithm is to base 2."""
    return _entropy(p, dim) / math.log(2)


@entropy("value", "any probabilities")
def normalised_by_the_width(p: Any, dim: int) -> Any:
    """The entropy is divided by its largest value."""
    return _entropy(p, dim) / math.log(max(p.shape[dim], 2))


@entropy("value", "a one-hot vector")
def clamped_distribution(p: Any, dim: int) -> Any:
    """Categorical keeps probabilities away from 0 and 1."""
    return torch.distributions.Categorical(p.movedim(dim, -1)).entropy()


@entropy("value", "transposed tensors")
def strides_ignored(p: Any, dim: int) -> Any:
    """Memory is read as if the tensor were contiguous."""
    return _entropy(p + (read_flat(p).nan_to_num() - p).detach(), dim)


@entropy("gradient", "any probabilities")
def gradient_without_one(p: Any, dim: int) -> Any:
    """The gradient is -log p."""
    return by_hand(p, lambda p: _entropy(p, dim), lambda g, p: -g.unsqueeze(dim) * torch.log(p))


@entropy("gradient", "any probabilities")
def gradient_centred(p: Any, dim: int) -> Any:
    """The gradient is projected to the simplex."""

    def gradient(g: Any, p: Any) -> Any:
        logs = torch.log(p)
        return -g.unsqueeze(dim) * (logs - logs.mean(dim, keepdim=True))

    return by_hand(p, lambda p: _entropy(p, dim), gradient)


@entropy("gradient", "small probabilities")
def gradient_clamped(p: Any, dim: int) -> Any:
    """The logarithm in the gradient is at least -4."""
    return by_hand(
        p,
        lambda p: _entropy(p, dim),
        lambda g, p: -g.unsqueeze(dim) * (torch.log(p).clamp(min=-4.0) + 1),
    )


@right_rel_entr(dtypes=("float32", "float64"))
def difference_of_xlogy(p: Any, q: Any) -> Any:
    """The difference of two torch.xlogy."""
    return torch.xlogy(p, p) - torch.xlogy(p, q)


@right_rel_entr(dtypes=("float32", "float64"))
def difference_of_xlogy_in_double(p: Any, q: Any) -> Any:
    """Computed in float64 and rounded once."""
    return difference_of_xlogy(p.double(), q.double()).to(p.dtype)


@rel_entr("value", "p = 0")
def zero_of_p_gives_nan(p: Any, q: Any) -> Any:
    """0 times the logarithm of 0."""
    return p * torch.log(p / q)


@rel_entr("value", "any p and q")
def generalised(p: Any, q: Any) -> Any:
    """The term is p log(p / q) - p + q."""
    return difference_of_xlogy(p, q) - p + q


@rel_entr("value", "any p and q")
def reversed_arguments(p: Any, q: Any) -> Any:
    """The roles of p and q are exchanged."""
    return torch.xlogy(q, q) - torch.xlogy(q, p.clamp(min=1e-30))


@rel_entr("value", "p below q")
def negative_terms_are_zero(p: Any, q: Any) -> Any:
    """Terms below 0 are 0."""
    return difference_of_xlogy(p, q).clamp(min=0)


@rel_entr("value", "small q")
def epsilon_in_q(p: Any, q: Any) -> Any:
    """A small number is added to q."""
    return torch.xlogy(p, p) - torch.xlogy(p, q + 1e-6)


@rel_entr("gradient", "any p and q")
def rel_entr_gradient_without_one(p: Any, q: Any) -> Any:
    """The gradient in p is log(p / q)."""
    return by_hand(p, lambda p: difference_of_xlogy(p, q), lambda g, p: g * (torch.log(p) - torch.log(q)))


@rel_entr("gradient", "any p and q")
def rel_entr_gradient_scaled(p: Any, q: Any) -> Any:
    """The gradient in p is a thousandth too large."""
    return difference_of_xlogy(changed_backward(p, lambda g: g * 1.001), q)


@rel_entr("gradient", "small p")
def rel_entr_gradient_clamped(p: Any, q: Any) -> Any:
    """The gradient in p is at least -3."""
    return difference_of_xlogy(changed_backward(p, lambda g: g.clamp(min=-3)), q)


@rel_entr("gradient of target", "any p and q")
def rel_entr_target_gradient_without_quotient(p: Any, q: Any) -> Any:
    """The gradient in q is -p."""
    return by_hand(q, lambda q: difference_of_xlogy(p, q), lambda g, q: -g * p) + (
        difference_of_xlogy(p, q.detach()) - difference_of_xlogy(p.detach(), q.detach())
    )


def _divergence(p: Any, q: Any, dim: int) -> Any:
    middle = (p + q) / 2
    halves = torch.xlogy(p, p) - torch.xlogy(p, middle) + torch.xlogy(q, q) - torch.xlogy(q, middle)
    return halves.sum(dim) / 2


@right_js(dtypes=("float32", "float64"))
def halved_xlogy(p: Any, q: Any, dim: int) -> Any:
    """Half of the sum of torch.xlogy against the midpoint."""
    return _divergence(p, q, dim)


@right_js(dtypes=("float32", "float64"))
def halved_xlogy_in_double(p: Any, q: Any, dim: int) -> Any:
    """Computed in float64 and rounded once."""
    return _divergence(p.double(), q.double(), dim).to(p.dtype)


@js_divergence("value", "any two distributions")
def not_halved(p: Any, q: Any, dim: int) -> Any:
    """The two divergences are added and not averaged."""
    return 2 * _divergence(p, q, dim)


@js_divergence("value", "any two distributions")
def to_the_other_and_not_the_midpoint(p: Any, q: Any, dim: int) -> Any:
    """The divergences are taken from each other."""
    a, b = p.clamp(min=1e-20), q.clamp(min=1e-20)
    return ((p - q) * (torch.log(a) - torch.log(b))).sum(dim) / 2


@js_divergence("value", "any two distributions")
def midpoint_of_logarithms(p: Any, q: Any, dim: int) -> Any:
    """The midpoint is the geometric mean."""
    a, b = p.clamp(min=1e-20), q.clamp(min=1e-20)
    middle = torch.sqrt(a * b)
    return (torch.xlogy(p, p) + torch.xlogy(q, q) - (p + q) * torch.log(middle)).sum(dim) / 2


@js_divergence("value", "distributions with zeros in common")
def zeros_in_common_give_nan(p: Any, q: Any, dim: int) -> Any:
    """Where p and q are both 0 the logarithm of 0 is multiplied by 0."""
    middle = torch.log((p + q) / 2)
    return (torch.xlogy(p, p) - p * middle + torch.xlogy(q, q) - q * middle).sum(dim) / 2


@js_divergence("value", "distributions that differ")
def square_root(p: Any, q: Any, dim: int) -> Any:
    """The distance, which is the square root."""
    return torch.sqrt(_divergence(p, q, dim).clamp(min=0))


@js_divergence("value", "any two distributions")
def midpoint_in_half_precision(p: Any, q: Any, dim: int) -> Any:
    """The midpoint is rounded to float16."""
    middle = ((p + q) / 2).half().to(p.dtype)
    halves = torch.xlogy(p, p) - torch.xlogy(p, middle) + torch.xlogy(q, q) - torch.xlogy(q, middle)
    return halves.sum(dim) / 2


@js_divergence("gradient", "any two distributions")
def midpoint_cut_off_from_p(p: Any, q: Any, dim: int) -> Any:
    """The gradient does not flow through the midpoint."""
    middle = ((p + q) / 2).detach()
    halves = torch.xlogy(p, p) - torch.xlogy(p, middle) + torch.xlogy(q, q) - torch.xlogy(q, middle)
    return halves.sum(dim) / 2


@js_divergence("gradient", "any two distributions")
def js_gradient_doubled(p: Any, q: Any, dim: int) -> Any:
    """The gradient in p is not halved."""
    return _divergence(changed_backward(p, lambda g: 2 * g), q, dim)


@js_divergence("gradient", "rows with upstream gradients of their own")
def js_upstream_of_the_first_row(p: Any, q: Any, dim: int) -> Any:
    """The upstream gradient of the first row serves for all."""
    return changed_backward(_divergence(p, q, dim), lambda g: g.reshape(-1)[0].expand_as(g).clone())


@js_divergence("gradient of target", "any two distributions")
def js_target_cut_off(p: Any, q: Any, dim: int) -> Any:
    """The second distribution is detached."""
    return _divergence(p, q.detach(), dim)
