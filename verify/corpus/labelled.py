"""Cross-entropy of labels in steps, each of which can be replaced by a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from verify.corpus import rows
from verify.corpus.hand import by_hand

Step = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Logits as rows, a label for each, and the options of the loss.

    ``keep`` says which rows count, ``safe`` is the label of those and 0 elsewhere, ``weight`` has a
    number for each class.
    """

    x: Any
    labels: Any
    keep: Any
    safe: Any
    weight: Any
    weighted: bool
    ignore_index: int
    smoothing: float
    reduction: str

    @property
    def own_weight(self) -> Any:
        """The weight of the label of each row, 0 for ignored rows."""
        return self.weight[self.safe] * self.keep


def scores_by(statistics: Step, *given: Any) -> Step:
    """Log-softmax of rows from the functions of ``verify.corpus.rows``."""

    def scores(x: Any) -> Any:
        top, total = statistics(x, *given)
        return (x - top) - torch.log(total)

    return scores


_scores = scores_by(rows.two_pass)


def _own(batch: Batch, scores: Any) -> Any:
    return -batch.weight[batch.safe] * scores.gather(1, batch.safe.unsqueeze(1)).squeeze(1)


def _smooth(batch: Batch, scores: Any) -> Any:
    return -(batch.weight * scores).sum(1) / scores.shape[1]


def _mixed(batch: Batch, own: Any, smooth: Any) -> Any:
    return (1 - batch.smoothing) * own + batch.smoothing * smooth


def _divisor(batch: Batch) -> Any:
    return batch.own_weight.sum()


def kept(batch: Batch, losses: Any) -> Any:
    """The losses, 0 at ignored rows."""
    return torch.where(batch.keep, losses, torch.zeros_like(losses))


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps from logits to the loss, right ones unless replaced."""

    batch: Step = lambda batch: batch
    scores: Step = _scores
    own: Step = _own
    smooth: Step = _smooth
    mixed: Step = _mixed
    masked: Step = kept
    divisor: Step = _divisor
    total: Step = lambda batch, losses: losses.sum()


def batch_of(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Batch:
    """The rows of (N, C), (C) or (N, C, d...) logits; class probabilities are declined."""
    if target.is_floating_point():
        raise NotImplementedError("class probabilities")
    table = x.unsqueeze(0) if x.ndim == 1 else x.movedim(1, -1)
    table, labels = table.reshape(-1, table.shape[-1]), target.reshape(-1)
    keep = labels != ignore_index
    each = torch.ones(table.shape[1], dtype=x.dtype) if weight is None else weight
    return Batch(
        table,
        labels,
        keep,
        torch.where(keep, labels, 0),
        each,
        weight is not None,
        ignore_index,
        label_smoothing,
        reduction,
    )


def loss(x: Any, target: Any, steps: Steps, **options: Any) -> Any:
    """The loss by the steps given."""
    batch = steps.batch(batch_of(x, target, **options))
    scores = steps.scores(batch.x)
    losses = steps.own(batch, scores)
    if batch.smoothing:
        losses = steps.mixed(batch, losses, steps.smooth(batch, scores))
    losses = steps.masked(batch, losses)
    if batch.reduction == "none":
        return losses.reshape(target.shape)
    total = steps.total(batch, losses)
    return total if batch.reduction == "sum" else total / steps.divisor(batch)


def wrong(x: Any, target: Any, options: dict[str, Any], **steps: Step) -> Any:
    """The loss with some steps replaced."""
    return loss(x, target, replace(Steps(), **steps), **options)


@dataclass(frozen=True, slots=True)
class Backward:
    """What the gradient is made of: upstream by row, target weights and softmax by entry."""

    batch: Batch
    upstream: Any
    wanted: Any
    softmax: Any

    @property
    def gradient(self) -> Any:
        """The right one: softmax times the weight of the row, less what is wanted."""
        return self.upstream * (self.softmax * self.wanted.sum(1, keepdim=True) - self.wanted)


def _backward(batch: Batch, g: Any) -> Backward:
    count = len(batch.labels)
    above = g.reshape(-1) if batch.reduction == "none" else g.expand(count)
    if batch.reduction == "mean":
        above = above / _divisor(batch)
    one_hot = torch.nn.functional.one_hot(batch.safe, batch.x.shape[1]).to(batch.x.dtype)
    share = batch.smoothing / batch.x.shape[1]
    wanted = (1 - batch.smoothing) * one_hot * batch.weight[batch.safe].unsqueeze(1) + share * batch.weight
    return Backward(batch, (above * batch.keep).unsqueeze(1), wanted, torch.softmax(batch.x, 1))


def wrong_gradient(
    x: Any, target: Any, options: dict[str, Any], combine: Step, above: Step | None = None
) -> Any:
    """A right value with ``combine(backward)`` for the gradient by row; ``above`` changes what comes in."""

    def gradient(g: Any, x: Any) -> Any:
        batch = batch_of(x, target, **options)
        table = combine(_backward(batch, above(g) if above else g))
        if x.ndim == 1:
            return table.reshape(x.shape)
        channels = [x.shape[0], *x.shape[2:], x.shape[1]]
        return table.reshape(channels).movedim(-1, 1)

    return by_hand(x, lambda x: loss(x, target, Steps(), **options), gradient)
