"""Targets: labels, some of them ignored, or class probabilities; and class weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.contract import Arguments, Option, Options, Values, form, is_plain
from verify.domain import Declaration, distribution, index, nonnegative, probability, real
from verify.entries import flag, together, unless
from verify.samples import at_samples, samples_shape, scores_shape, summed
from verify.tables import AXES, REDUCTION

_ZERO, _ONE = Fraction(0), Fraction(1)

SEGMENTATION_MARK = 255
"""The ignored label of many segmentation data sets: out of range, above all classes."""

WEIGHT = flag("weight")
"""Whether class weights are passed."""

IGNORE_INDEX = Option(
    "ignore_index",
    (None, -100, -1, 0, 3, SEGMENTATION_MARK),
    None,
    lambda value: value is None or (isinstance(value, int) and not isinstance(value, bool)),
    rule="a whole number, or None to pass none",
)
"""The label whose rows are left out; one that is no class, as 3 of up to three, marks some rows."""


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


LABEL_SMOOTHING = Option("label_smoothing", (0.0, 0.1, 0.5, 1.0), 0.0, _is_share, rule="a number from 0 to 1")
"""The share of the target that is spread over all classes."""

TARGET = form("target", "indices", "probabilities", "shares")
"""What the target holds: labels, a distribution for each row, or numbers in 0..1 that need not sum to 1."""

MASKED_TARGET = form("target", "indices", "probabilities", "shares", asked=("masked",))
"""As `TARGET`; where asked for, shares that are 0 wherever a score is -inf, 0 times infinity being 0."""

LABELS = form("target", "indices")
"""The form of a target that can only hold labels."""

OPTIONS = (REDUCTION, WEIGHT, IGNORE_INDEX, LABEL_SMOOTHING, MASKED_TARGET, AXES)


def has_labels(options: Options) -> bool:
    """Whether the target holds labels."""
    return bool(options["target"] == "indices")


def is_masked(options: Options) -> bool:
    """Whether the target holds shares that are 0 wherever a score is -inf."""
    return bool(options["target"] == "masked")


def is_smoothed(options: Options) -> bool:
    """Whether the target is smoothed: by any number but 0."""
    epsilon = options["label_smoothing"]
    return bool(epsilon) if is_plain(epsilon) else True


def smoothing(c: Any, options: Options, classes: Any) -> tuple[Any, Any]:
    """What is left to the target, and the share of every class of a family, under label smoothing."""
    epsilon = options["label_smoothing"]
    if not is_plain(epsilon):
        return 1 - epsilon, epsilon / c.count(classes)
    epsilon = Fraction(epsilon)
    return c.number(1 - epsilon), c.number(epsilon / len(classes))


def class_share(c: Any, options: Options, target: Any) -> Callable[[Any], Any]:
    """The smoothed probability of each class, for a target of class probabilities."""
    if not is_smoothed(options):
        return lambda j: target[j]
    to_target, to_class = smoothing(c, options, target)
    return lambda j: target[j] * to_target + to_class


def target_and_weights(options: Options) -> tuple[Declaration, ...]:
    """The target, class weights, and draws that say which rows are ignored.

    A distribution is drawn with the classes last; `prepared` moves them to where the scores have them.
    """
    samples = samples_shape(options)
    target = {
        "indices": index("target", "C", *samples),
        "probabilities": distribution("target", *samples, "C"),
        "shares": probability("target", *scores_shape(options)),
        "masked": probability("target", *scores_shape(options)),
    }[options["target"]]
    return target, nonnegative("weight", "C"), index("kept", 2, *samples)


def given_with_target(options: Options) -> tuple[Declaration, ...]:
    """Scores, target and weights."""
    return (real("input", *scores_shape(options)), *target_and_weights(options))


def prepared(options: Options, target: Any, weight: Any, draws: Any) -> Values | None:
    """The target, the weights (1 unless asked for) and 1 for each row that is kept, 0 for the others.

    A mean keeps all rows rather than none. None where it has no weight to divide by even so, and where
    rows of class probabilities are to be ignored.
    """
    weight, ignored = unless("weight", options, weight), options["ignore_index"]
    if not has_labels(options):
        if ignored is not None:
            return None
        swap = options["axes"] == 3 and options["target"] == "probabilities"
        return _swapped(target) if swap else target, weight, _kept(None, draws, draws, 0)

    kept = _kept(ignored, target, draws, len(weight))
    if options["reduction"] == "mean" and not _weighted(target, weight, kept):
        kept = _kept(None, target, draws, len(weight))
        if _is_class(ignored, len(weight)) or not _weighted(target, weight, kept):
            return None
    return target, weight, kept


def _kept(ignored: int | None, target: Any, draws: Any, classes: int) -> Any:
    """1 for each row that counts: all, those of other labels, or where the label is no class those drawn."""
    if ignored is None:
        return together(lambda label, draw: _ONE, target, draws)
    if _is_class(ignored, classes):
        return together(lambda label, draw: _ZERO if label == ignored + 1 else _ONE, target, draws)
    return together(lambda label, draw: _ONE if draw == 1 else _ZERO, target, draws)


def _is_class(ignored: int | None, classes: int) -> bool:
    return ignored is not None and 0 <= ignored < classes


def _weighted(target: Any, weight: Any, kept: Any) -> bool:
    """Whether any row that is kept has weight."""
    if isinstance(kept, tuple):
        return any(_weighted(t, weight, k) for t, k in zip(target, kept, strict=True))
    return bool(kept and weight[target - 1])


def weight_of_rows(c: Any, options: Options, target: Any, weight: Any, kept: Any) -> Any:
    """The weight of the rows kept, by which a mean over labelled rows divides."""
    weights = at_samples(c, options, lambda label, keep: keep * weight[label], target, kept)
    return summed(c, options, weights)


def prepared_target(options: Options, values: Values) -> Values | None:
    """Values of `given_with_target` as `prepared`.

    None where an infinite score may meet a factor 0, as it may unless the target is labels alone or masked,
    and where label smoothing would meet a masked score.
    """
    scores, target, *others = values
    if is_masked(options):
        if is_smoothed(options):
            return None
        values = scores, together(lambda share, score: share * (score > -math.inf), target, scores), *others
    meets_zero = not is_masked(options) and (not has_labels(options) or options.get("label_smoothing"))
    if meets_zero and hasattr(scores, "tensor") and not scores.tensor.isfinite().all():
        return None
    rest = prepared(options, *values[1:])
    return None if rest is None else (scores, *rest)


def prepared_scores(options: Options, values: Values) -> Values | None:
    """As `prepared_target`, of scores that may be infinite: an ignored row has a label of a finite score.

    The loss there is 0 times that of the label, which has no value where it is infinite. None where an
    ignored row has no finite score.
    """
    found = prepared_target(options, values)
    if found is None or not has_labels(options):
        return found
    scores, target, *rest = found
    if hasattr(scores, "tensor") and scores.tensor.isfinite().all():
        return found
    rows = _swapped(scores) if options["axes"] == 3 else scores
    target = _at_finite_scores(rows, target, rest[-1])
    return None if target is None else (scores, target, *rest)


def _at_finite_scores(rows: Any, target: Any, kept: Any) -> Any:
    if isinstance(target, tuple):
        parts = [_at_finite_scores(*part) for part in zip(rows, target, kept, strict=True)]
        return None if None in parts else tuple(parts)
    if kept or abs(rows[target - 1]) != math.inf:
        return target
    return next((label for label, score in enumerate(rows, 1) if abs(score) != math.inf), None)


def passed_target(options: Options, target: Any, kept: Any) -> Any:
    """The target as it is passed: the label that is ignored in the rows that are not kept."""
    if not has_labels(options) or options["ignore_index"] is None:
        return target
    marker = options["ignore_index"] + 1
    return together(lambda label, keep: label if keep else marker, target, kept)


def arguments_with_target(options: Options, values: Values) -> Arguments:
    """What a function of scores and target is called with; weights by keyword."""
    x, target, weight, kept = values
    positional = ("input", x), ("target", passed_target(options, target, kept))
    return positional, (("weight", weight),) if options["weight"] else ()


def _swapped(table: Any) -> Any:
    """A table of three axes with the last two exchanged."""
    if hasattr(table, "map"):
        return table.map(lambda numbers: numbers.transpose(1, 2))
    return tuple(tuple(zip(*rows, strict=True)) for rows in table)
