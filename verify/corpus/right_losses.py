"""Right ways to compute sigmoid, cross-entropy, the divergence and binary cross-entropy."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.binary_cross_entropy_with_logits import right as binary
from verify.corpus.hand import by_hand
from verify.corpus.labelled import Steps, batch_of, kept, loss, scores_by, wrong, wrong_gradient
from verify.corpus.planting import Right, sower

RIGHTS: list[Right] = []
sigmoid = sower(RIGHTS, "sigmoid")
cross_entropy = sower(RIGHTS, "cross_entropy")
kl_div = sower(RIGHTS, "kl_div")
bce = sower(RIGHTS, "binary_cross_entropy_with_logits")

SINGLE = ("float32", "float64")


@sigmoid()
def torch_sigmoid(z: Any) -> Any:
    """torch.sigmoid."""
    return torch.sigmoid(z)


@sigmoid()
def special_expit(z: Any) -> Any:
    """torch.special.expit."""
    return torch.special.expit(z)


@sigmoid()
def sigmoid_in_double(z: Any) -> Any:
    """Computed in float64 and rounded once."""
    return torch.sigmoid(z.double()).to(z.dtype)


@sigmoid(dtypes=SINGLE)
def sigmoid_by_sides(z: Any) -> Any:
    """One formula for each sign, with exponentials that do not overflow."""

    def value(z: Any) -> Any:
        e = torch.exp(-z.abs())
        return torch.where(z >= 0, 1 / (1 + e), e / (1 + e))

    return by_hand(z, value, lambda g, z: g * value(z) * value(-z))


@sigmoid(dtypes=SINGLE)
def sigmoid_by_definition(z: Any) -> Any:
    """1 / (1 + exp(-z)), with the gradient from the result."""

    def gradient(g: Any, z: Any) -> Any:
        s = 1 / (1 + torch.exp(-z))
        return g * (s * (1 - s))

    return by_hand(z, lambda z: 1 / (1 + torch.exp(-z)), gradient)


@sigmoid(dtypes=SINGLE)
def sigmoid_by_powers_of_two(z: Any) -> Any:
    """1 / (1 + exp2(-z log2 e)), with the gradient from the result."""

    def value(z: Any) -> Any:
        return 1 / (1 + torch.exp2(z * -math.log2(math.e)))

    return by_hand(z, value, lambda g, z: g * (value(z) * value(-z)))


@cross_entropy(dtypes=(*SINGLE, "bfloat16"))
def torch_cross_entropy(x: Any, target: Any, **options: Any) -> Any:
    """The cross_entropy of torch.nn.functional."""
    return functional.cross_entropy(x, target, **options)


@cross_entropy()
def cross_entropy_in_double(x: Any, target: Any, **options: Any) -> Any:
    """Computed in float64 and rounded once."""
    if options.get("weight") is not None:
        options["weight"] = options["weight"].double()
    target = target.double() if target.is_floating_point() else target
    return functional.cross_entropy(x.double(), target, **options).to(x.dtype)


@cross_entropy(dtypes=SINGLE)
def nll_of_log_softmax(
    x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """nll_loss of log_softmax."""
    if target.is_floating_point():
        raise NotImplementedError("class probabilities")
    scores = functional.log_softmax(x, 0 if x.ndim == 1 else 1)
    return functional.nll_loss(scores, target, weight=weight, ignore_index=ignore_index, reduction=reduction)


@cross_entropy(dtypes=SINGLE)
def cross_entropy_in_steps(x: Any, target: Any, **options: Any) -> Any:
    """Scores, labels by gather, weights, smoothing, masked rows."""
    return loss(x, target, Steps(), **options)


@cross_entropy(dtypes=SINGLE, block=(2, 7, 64))
def cross_entropy_online(x: Any, target: Any, block: int, **options: Any) -> Any:
    """The scores in one pass over chunks of the vocabulary, the gradient of log_softmax."""

    def scores(x: Any) -> Any:
        return by_hand(
            x,
            scores_by(lambda x: rows.online(x, block)),
            lambda g, x: torch._log_softmax_backward_data(g, torch.log_softmax(x, 1), 1, x.dtype),
        )

    return wrong(x, target, options, scores=scores)


@cross_entropy(dtypes=(*SINGLE, "bfloat16"), block=(1, 4))
def cross_entropy_online_by_autograd(x: Any, target: Any, block: int, **options: Any) -> Any:
    """The scores in one pass, differentiated by autograd through the running maximum."""
    wide = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
    scores = scores_by(lambda x: rows.online_attached(x, block))
    return wrong(x, target, options, scores=lambda x: scores(x.to(wide)).to(x.dtype))


@cross_entropy(dtypes=SINGLE)
def cross_entropy_in_bits(x: Any, target: Any, **options: Any) -> Any:
    """Scores by exp2 and log2, with nats at the end, differentiated by autograd."""

    def scores(x: Any) -> Any:
        bits = (x - x.amax(1, keepdim=True)) * math.log2(math.e)
        return (bits - torch.log2(torch.exp2(bits).sum(1, keepdim=True))) * math.log(2)

    return wrong(x, target, options, scores=scores)


@cross_entropy(dtypes=SINGLE)
def cross_entropy_by_one_hot(x: Any, target: Any, **options: Any) -> Any:
    """The label's score by a product with a one-hot table."""

    def own(batch: Any, scores: Any) -> Any:
        one_hot = functional.one_hot(batch.safe, scores.shape[1]).to(scores.dtype)
        picked = torch.where(one_hot == 1, scores, 0)
        return -(picked * batch.weight).sum(1)

    return wrong(x, target, options, own=own)


@cross_entropy(dtypes=SINGLE)
def cross_entropy_of_kept_rows(x: Any, target: Any, **options: Any) -> Any:
    """Ignored rows are taken out before anything is computed."""
    if options.get("reduction") == "none" or target.is_floating_point():
        raise NotImplementedError("a loss for each row")
    batch = batch_of(x, target, **options)
    return loss(batch.x[batch.keep], batch.labels[batch.keep], Steps(), **options)


@cross_entropy(dtypes=SINGLE)
def cross_entropy_by_hand(x: Any, target: Any, **options: Any) -> Any:
    """The gradient softmax less what is wanted, written by hand."""
    return wrong_gradient(x, target, options, lambda backward: backward.gradient)


@cross_entropy(dtypes=SINGLE)
def cross_entropy_row_by_row(x: Any, target: Any, **options: Any) -> Any:
    """A loop over rows, summed one after the other."""

    def total(batch: Any, losses: Any) -> Any:
        result = losses.new_zeros(())
        for one in losses:
            result = result + one
        return result

    return wrong(x, target, options, total=total, masked=kept)


def _reduced(terms: Any, reduction: str) -> Any:
    if reduction == "batchmean":
        return terms.sum() / terms.shape[0]
    return {"none": lambda: terms, "sum": terms.sum, "mean": terms.mean}[reduction]()


@kl_div(dtypes=(*SINGLE, "bfloat16"))
def torch_kl_div(x: Any, target: Any, **options: Any) -> Any:
    """The kl_div of torch.nn.functional."""
    return functional.kl_div(x, target, **options)


@kl_div()
def kl_div_in_double(x: Any, target: Any, **options: Any) -> Any:
    """Computed in float64 and rounded once."""
    return functional.kl_div(x.double(), target.double(), **options).to(x.dtype)


@kl_div(dtypes=SINGLE)
def kl_div_by_xlogy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """xlogy(p, p) - p log q, entry by entry."""
    return _reduced(torch.xlogy(target, target) - target * x, reduction)


@kl_div(dtypes=SINGLE)
def kl_div_by_ratio(x: Any, target: Any, reduction: str = "mean") -> Any:
    """As the documentation of torch writes it, p (log p - log q) entry by entry."""
    return _reduced(torch.where(target > 0, target * (target.log() - x), 0), reduction)


@kl_div(dtypes=SINGLE)
def kl_div_by_entropy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """torch.special.entr for the entropy of the target."""
    return _reduced(-torch.special.entr(target) - target * x, reduction)


@kl_div(dtypes=SINGLE)
def kl_div_masked(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Entries of probability 0 are left out before the logarithm."""
    positive = target > 0
    logs = torch.log(torch.where(positive, target, 1))
    return _reduced(torch.where(positive, target * (logs - x), 0), reduction)


@bce(dtypes=SINGLE)
def binary_by_two_softplus(z: Any, target: Any, reduction: str = "mean") -> Any:
    """max(z, 0) - z t + log1p(exp(-|z|)), with sigmoid(z) - t by hand."""
    return binary(z, target, reduction=reduction)


@bce()
def binary_in_double(z: Any, target: Any, reduction: str = "mean") -> Any:
    """Computed in float64 and rounded once."""
    return binary(z.double(), target.double(), reduction=reduction).to(z.dtype)


@bce(dtypes=SINGLE)
def binary_of_two_terms(z: Any, target: Any, reduction: str = "mean") -> Any:
    """Minus t log sigmoid(z) - (1 - t) log sigmoid(-z): no cancellation."""

    def value(z: Any) -> Any:
        positive, negative = functional.logsigmoid(z), functional.logsigmoid(-z)
        return -(target * positive + (1 - target) * negative)

    losses = by_hand(z, value, lambda g, z: g * (torch.sigmoid(z) - target))
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()
