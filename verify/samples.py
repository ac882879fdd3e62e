"""Samples: rows of scores with a label each, along one to three axes, and their losses reduced."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from verify.contract import Options
from verify.domain import Declaration, Size, index, real
from verify.tables import transposed

_SCORES: dict[int, tuple[Size, ...]] = {1: ("C",), 2: ("N", "C"), 3: ("N", "C", "D")}
_SAMPLES: dict[int, tuple[Size, ...]] = {1: (), 2: ("N",), 3: ("N", "D")}

RowLoss = Callable[..., Any]
"""``loss(c, options, row, label)``: the loss of one row of scores."""

RowGradient = Callable[..., Any]
"""``gradient(c, options, g, row, label)``: the row of derivatives of a loss in its scores, times g."""


def scores_shape(options: Options) -> tuple[Size, ...]:
    """The shape of the scores: one row, a batch of rows, or a batch with a further axis after the classes."""
    return _SCORES[options["axes"]]


def samples_shape(options: Options) -> tuple[Size, ...]:
    """The shape of the labels: that of the scores without the classes."""
    return _SAMPLES[options["axes"]]


def losses_shape(options: Options) -> tuple[Size, ...]:
    """The shape of the result: one loss for each sample, or one number."""
    return samples_shape(options) if options["reduction"] == "none" else ()


def scores_and_labels(options: Options) -> tuple[Declaration, ...]:
    """Scores and labels of these axes."""
    return real("input", *scores_shape(options)), index("target", "C", *samples_shape(options))


def classes_last(c: Any, options: Options, x: Any) -> Any:
    """A family in the shape of the scores with the classes moved to the last axis, or moved back."""
    return c.family(lambda n: transposed(c, x[n]), over=x) if options["axes"] == 3 else x


def at_samples(c: Any, options: Options, action: Callable[..., Any], *families: Any) -> Any:
    """``action`` of the parts of the families at every sample; a family of what it gives."""

    def walk(axes: int, parts: tuple[Any, ...]) -> Any:
        if axes == 1:
            return action(*parts)
        return c.family(lambda i: walk(axes - 1, tuple(part[i] for part in parts)), over=parts[0])

    return walk(options["axes"], families)


def reduced(c: Any, options: Options, losses: Any, divisor: Callable[[], Any]) -> Any:
    """Losses as the reduction says: each, their sum, or the sum divided by ``divisor()``."""
    if options["reduction"] == "none":
        return losses
    total = summed(c, options, losses)
    return total if options["reduction"] == "sum" else total / divisor()


def reduced_in_any_order(c: Any, options: Options, losses: Any, divisor: Callable[[], Any]) -> Any:
    """As `reduced`, for algorithms: one sum over all samples, in any order."""
    if options["reduction"] == "none":
        return losses
    total = c.total(losses)
    return total if options["reduction"] == "sum" else total / divisor()


def summed(c: Any, options: Options, numbers: Any) -> Any:
    """The sum of one number for each sample."""

    def walk(axes: int, part: Any) -> Any:
        return part if axes == 1 else c.sum(lambda i: walk(axes - 1, part[i]), over=part)

    return walk(options["axes"], numbers)


def with_upstream(
    c: Any, options: Options, g: Any, divisor: Callable[[], Any], action: Callable[..., Any], *families: Any
) -> Any:
    """As `at_samples`, the action getting first what flows back to the loss of the sample."""
    if options["reduction"] == "none":
        return at_samples(
            c, options, lambda row, share, *rest: action(share, row, *rest), *_second(g, families)
        )
    share = g if options["reduction"] == "sum" else g / divisor()
    return at_samples(c, options, lambda *parts: action(share, *parts), *families)


def _second(g: Any, families: tuple[Any, ...]) -> tuple[Any, ...]:
    """The families with g after the first, which has the axes."""
    return families[0], g, *families[1:]


def count_of(c: Any, options: Options, rows: Any) -> Any:
    """The number of samples, as a number of the context."""
    lengths = []
    for _ in range(options["axes"] - 1):
        lengths.append(len(rows))
        rows = rows[1]
    return c.number(math.prod(lengths))


def losses(loss: RowLoss) -> Callable[..., Any]:
    """The definition of a loss of scores and labels, each row by itself, averaged over the samples."""
    return _losses(loss, reduced)


def losses_in_any_order(loss: RowLoss) -> Callable[..., Any]:
    """As `losses`, for algorithms."""
    return _losses(loss, reduced_in_any_order)


def _losses(loss: RowLoss, reduce: Callable[..., Any]) -> Callable[..., Any]:
    def applied(c: Any, options: Options, x: Any, y: Any) -> Any:
        rows = classes_last(c, options, x)
        each = at_samples(c, options, lambda row, label: loss(c, options, row, label), rows, y)
        return reduce(c, options, each, lambda: count_of(c, options, rows))

    return applied


def gradient_of_losses(gradient: RowGradient) -> Callable[..., Any]:
    """The gradient in the scores, row by row, through the reduction."""

    def applied(c: Any, options: Options, g: Any, x: Any, y: Any) -> Any:
        rows = classes_last(c, options, x)

        def row_of(share: Any, row: Any, label: Any) -> Any:
            return gradient(c, options, share, row, label)

        found = with_upstream(c, options, g, lambda: count_of(c, options, rows), row_of, rows, y)
        return classes_last(c, options, found)

    return applied
