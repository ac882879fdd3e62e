"""Cross-entropy of logits: against a label, or against the probabilities of all classes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.operation import Operation, Peer
from verify.operations.log_softmax import by_log1p, gradient_in_bits, in_bits, log_softmax, score_at
from verify.operations.nll import nll
from verify.operations.softmax import softmax, spread, through_maximum
from verify.relations import ONE_HOT, REDUCTIONS, shifted
from verify.samples import (
    at_samples,
    classes_last,
    count_of,
    losses_shape,
    reduced,
    reduced_in_any_order,
    with_upstream,
)
from verify.tables import rows_apart
from verify.targets import (
    OPTIONS,
    arguments_with_target,
    class_share,
    given_with_target,
    has_labels,
    is_masked,
    is_smoothed,
    prepared_scores,
    smoothing,
    weight_of_rows,
)

LOWEST = Fraction(-sys.float_info.max)
"""No score that is a number is below it."""


def _definition(c: Any, g: Any, y: Any) -> Any:
    return c.call(nll, c.call(softmax, g), y)


def _notation(g: str, y: str) -> str:
    return rf"\operatorname{{ce}}({g}, {y})"


def _algorithm(c: Any, g: Any, y: Any) -> Any:
    return -c.standard(log_softmax, g)[y]


def functional_cross_entropy_of_logits(torch: Any, g: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional with a class index."""
    return torch.nn.functional.cross_entropy(g, y)


def nll_of_log_softmax(torch: Any, g: Any, y: Any) -> Any:
    """The nll_loss of log_softmax."""
    return torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(g, dim=0), y)


def categorical_log_prob(torch: Any, g: Any, y: Any) -> Any:
    """Minus the log_prob of a Categorical distribution made from logits."""
    return -torch.distributions.Categorical(logits=g).log_prob(y)


def losses(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """The exact losses of logits ``x``, reduced."""

    def loss(row: Any, target: Any, keep: Any) -> Any:
        s = c.call(softmax, row)
        if is_masked(options):
            return c.sum(lambda j: -c.xlogy(target[j], s[j]) * weight[j], over=weight)
        return _loss(c, options, lambda j: c.call(nll, s, j), target, weight, keep)

    return _reduced(c, options, loss, reduced, x, y, weight, kept)


def _number(c: Any, options: Options, score: Any) -> Any:
    """A score; under a mask not -inf but the lowest number there is, as it is to be multiplied by 0."""
    return c.maximum(score, LOWEST) if is_masked(options) else score


def losses_algorithm(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """Each loss from the log_softmax of its row; then the sum, divided by the weight of the rows kept."""

    def loss(row: Any, target: Any, keep: Any) -> Any:
        score = score_at(c, row)
        return _loss(c, options, lambda j: -_number(c, options, score(j)), target, weight, keep)

    return _reduced(c, options, loss, reduced_in_any_order, x, y, weight, kept)


def _losses_in_bits(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """As `losses_algorithm`, by powers of two throughout."""

    def loss(row: Any, target: Any, keep: Any) -> Any:
        scores = in_bits(c, row)
        return _loss(c, options, lambda j: -_number(c, options, scores[j]), target, weight, keep)

    return _reduced(c, options, loss, reduced_in_any_order, x, y, weight, kept)


def _losses_by_log1p(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """As `losses_algorithm`, accurate also where a loss is near 0."""

    def loss(row: Any, target: Any, keep: Any) -> Any:
        scores = by_log1p(c, row)
        return _loss(c, options, lambda j: -_number(c, options, scores[j]), target, weight, keep)

    return _reduced(c, options, loss, reduced_in_any_order, x, y, weight, kept)


def conditioning(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    """That of the negative log-likelihoods, weighted as the losses are."""

    def loss(row: Any, target: Any, keep: Any) -> Any:
        moved = spread(c, row, c.standard(softmax, row))
        return _loss(c, options, lambda j: moved[j], target, weight, keep)

    return _reduced(c, options, loss, reduced_in_any_order, x, y, weight, kept)


def _reduced(c: Any, options: Options, loss: Any, reduce: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    rows = classes_last(c, options, x)
    targets = y if has_labels(options) else classes_last(c, options, y)
    each = at_samples(c, options, loss, rows, targets, kept)
    return reduce(c, options, each, lambda: _divisor(c, options, rows, y, weight, kept))


def _divisor(c: Any, options: Options, rows: Any, y: Any, weight: Any, kept: Any) -> Any:
    """For a mean: the weight of the rows kept, or with class probabilities the number of rows."""
    if not has_labels(options):
        return count_of(c, options, rows)
    return weight_of_rows(c, options, y, weight, kept)


def _loss(c: Any, options: Options, nll_at: Callable[[Any], Any], target: Any, weight: Any, keep: Any) -> Any:
    """The loss of one row from its negative log-likelihood at each class."""
    if not has_labels(options):
        share = class_share(c, options, target)
        return c.sum(lambda j: nll_at(j) * share(j) * weight[j], over=weight)
    own = weight[target] * nll_at(target)
    if is_smoothed(options):
        to_label, to_class = smoothing(c, options, weight)
        own = to_label * own + to_class * c.sum(lambda j: weight[j] * nll_at(j), over=weight)
    return keep * own


def _pull(c: Any, options: Options, target: Any, weight: Any, keep: Any) -> Callable[[Any], Any]:
    """The factor of the negative log-likelihood at each class in the loss of a row."""
    if not has_labels(options):
        share = class_share(c, options, target)
        return lambda j: share(j) * weight[j]

    def own(j: Any) -> Any:
        return weight[target] * c.equal(j, target)

    if not is_smoothed(options):
        return lambda j: keep * own(j)
    to_label, to_class = smoothing(c, options, weight)
    return lambda j: keep * (to_label * own(j) + to_class * weight[j])


RowGradient = Callable[[Any, Any, Any, Callable[[Any], Any]], Any]


def _gradient_by(of_row: RowGradient) -> Callable[..., Any]:
    """The gradient in the logits; ``of_row(c, g, row, pull)`` is that of one row."""

    def gradient(c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
        rows = classes_last(c, options, x)
        targets = y if has_labels(options) else classes_last(c, options, y)

        def row_of(share: Any, row: Any, target: Any, keep: Any) -> Any:
            return of_row(c, share, row, _pull(c, options, target, weight, keep))

        def divisor() -> Any:
            return _divisor(c, options, rows, y, weight, kept)

        found = with_upstream(c, options, g, divisor, row_of, rows, targets, kept)
        return classes_last(c, options, found)

    return gradient


def _row_gradient(c: Any, g: Any, row: Any, pull: Callable[[Any], Any]) -> Any:
    s = c.call(softmax, row)
    total = c.sum(pull, over=row)
    return c.family(lambda j: g * (s[j] * total - pull(j)), over=row)


def _row_through_log_softmax(c: Any, g: Any, row: Any, pull: Callable[[Any], Any]) -> Any:
    """As autograd does: what reaches log_softmax, then its gradient from its result."""
    scores = c.standard(log_softmax, row)
    reaching = c.family(lambda j: g * pull(j), over=row)
    total = c.sum(lambda j: reaching[j], over=reaching)
    return c.family(lambda j: c.exp(scores[j], most=0) * total - reaching[j], over=scores)


def _row_by_softmax(c: Any, g: Any, row: Any, pull: Callable[[Any], Any]) -> Any:
    """As fused kernels do: softmax less the target, then the upstream gradient."""
    s = c.standard(softmax, row)
    total = c.sum(pull, over=row)
    return c.family(lambda j: g * (s[j] * total - pull(j)), over=row)


def _row_in_bits(c: Any, g: Any, row: Any, pull: Callable[[Any], Any]) -> Any:
    """What autograd makes of scores in bits: what reaches log_softmax, then its gradient in bits."""
    reaching = c.family(lambda j: -g * pull(j), over=row)
    return gradient_in_bits(c, reaching, row)


def _row_through_maximum(c: Any, g: Any, row: Any, pull: Callable[[Any], Any]) -> Any:
    """As autograd gives it where the maximum is not detached."""
    s, reaching = c.standard(softmax, row), g * c.sum(pull, over=row)
    flowing = c.family(lambda j: reaching * s[j], over=s)
    return through_maximum(c, row, _row_by_softmax(c, g, row, pull), flowing)


def label_gradient_through_maximum(c: Any, g: Any, row: Any, label: Any) -> Any:
    """The gradient of the loss of one label, as autograd gives it where the maximum is not detached."""
    return _row_through_maximum(c, g, row, lambda j: c.equal(j, label))


gradient = _gradient_by(_row_gradient)
gradient_algorithm = _gradient_by(_row_through_log_softmax)
gradient_by_softmax = _gradient_by(_row_by_softmax)
gradient_through_maximum = _gradient_by(_row_through_maximum)
_gradient_in_bits = _gradient_by(_row_in_bits)


def _target_gradient_by(nll_of: Callable[[Any, Any], Callable[[Any], Any]]) -> Callable[..., Any]:
    """The gradient in class probabilities; ``nll_of(c, row)`` gives the negative log-likelihoods."""

    def gradient(c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
        rows = classes_last(c, options, x)
        to_label, _ = smoothing(c, options, weight)

        def row_of(share: Any, row: Any) -> Any:
            nll_at = nll_of(c, row)
            return c.family(lambda j: share * nll_at(j) * weight[j] * to_label, over=weight)

        found = with_upstream(c, options, g, lambda: count_of(c, options, rows), row_of, rows)
        return classes_last(c, options, found)

    return gradient


def _exact_nll(c: Any, row: Any) -> Callable[[Any], Any]:
    s = c.call(softmax, row)
    return lambda j: c.call(nll, s, j)


def _nll_by_log_softmax(c: Any, row: Any) -> Callable[[Any], Any]:
    scores = c.standard(log_softmax, row)
    return lambda j: -scores[j]


cross_entropy_with_logits = Operation(
    id="cross_entropy_with_logits",
    summary="negative log-likelihood of label y under softmax(g), in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.cross_entropy with a class index. Algorithm: log_softmax.",
    algorithm=_algorithm,
    peers=(
        Peer("F.cross_entropy(g, y)", functional_cross_entropy_of_logits),
        Peer("F.nll_loss(F.log_softmax(g), y)", nll_of_log_softmax),
        Peer("-Categorical(logits).log_prob", categorical_log_prob),
    ),
    contract=Contract(
        name="cross_entropy",
        namesake="torch.nn.functional.cross_entropy",
        given=given_with_target,
        shape=losses_shape,
        definition=losses,
        algorithm=losses_algorithm,
        gradients=(
            Gradient(
                "input",
                gradient,
                gradient_algorithm,
                (gradient_by_softmax, gradient_through_maximum, _gradient_in_bits),
            ),
            Gradient(
                "target",
                _target_gradient_by(_exact_nll),
                _target_gradient_by(_nll_by_log_softmax),
                where={"target": ("probabilities", "shares"), "ignore_index": (None,)},
                optional=True,
            ),
        ),
        alternatives=(_losses_in_bits,),
        reference=_losses_by_log1p,
        conditioning=conditioning,
        infinite={"input": (-math.inf,)},
        relations=(shifted("cross_entropy"), *REDUCTIONS, ONE_HOT),
        rowwise=rows_apart,
        arguments=arguments_with_target,
        tensors=2,
        options=OPTIONS,
        prepare=prepared_scores,
    ),
)
