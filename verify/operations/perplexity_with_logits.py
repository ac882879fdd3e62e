"""Perplexity of labels under logits: the exponential of the mean cross-entropy."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from verify.contract import Arguments, Contract, Gradient, Options, Values, clamped, mapped
from verify.floats import Format
from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import (
    cross_entropy_with_logits,
    gradient,
    gradient_algorithm,
    gradient_by_softmax,
    gradient_through_maximum,
    losses,
    losses_algorithm,
)
from verify.operations.log_softmax import log_softmax
from verify.tables import AXES
from verify.targets import IGNORE_INDEX, LABELS, arguments_with_target, given_with_target, prepared_target

ROOM = 5.3
"""How far the largest mean drawn is below the logarithm of a format's largest number.

The perplexity times an upstream gradient is then a number of the format.
"""


def _definition(c: Any, x: Any, y: Any) -> Any:
    losses = c.family(lambda n: c.call(cross_entropy_with_logits, x[n], y[n]), over=x)
    return c.exp(c.sum(lambda n: losses[n], over=losses) / c.count(losses))


def _notation(x: str, y: str) -> str:
    return rf"\operatorname{{ppl}}({x}, {y})"


def _algorithm(c: Any, x: Any, y: Any) -> Any:
    scores = c.family(lambda n: c.standard(log_softmax, x[n]), over=x)
    return c.exp(c.sum(lambda n: -scores[n][y[n]], over=scores) / c.count(scores))


def exp_cross_entropy(torch: Any, x: Any, y: Any) -> Any:
    """The exponential of the cross_entropy of torch.nn.functional."""
    return torch.exp(torch.nn.functional.cross_entropy(x, y))


def _mean(options: Options) -> dict[str, Any]:
    """The options of the cross-entropy whose exponential is taken."""
    return {**options, "reduction": "mean", "weight": False, "label_smoothing": 0.0}


def _value(c: Any, options: Options, *values: Any) -> Any:
    return c.exp(losses(c, _mean(options), *values))


def _value_algorithm(c: Any, options: Options, *values: Any) -> Any:
    return c.exp(losses_algorithm(c, _mean(options), *values))


def _gradient(c: Any, options: Options, g: Any, *values: Any) -> Any:
    return gradient(c, _mean(options), g * _value(c, options, *values), *values)


def _gradient_by(of_losses: Any) -> Any:
    """From the result, as autograd does: the upstream gradient times it reaches the mean."""

    def through(c: Any, options: Options, g: Any, *values: Any) -> Any:
        return of_losses(c, _mean(options), g * _value_algorithm(c, options, *values), *values)

    return through


def _moderate(format: Format, options: Options, values: Values) -> Values | None:
    """Rows as they are where no loss can be so large that the perplexity overflows, else moved close to 0.

    None where there are so many classes that even equal logits come near it.
    """
    x, *rest = values
    classes = len(x) if options["axes"] == 1 else len(x[0])
    eighths = math.floor(4 * (math.log(format.largest) - ROOM - math.log(classes)))
    while not format.is_value(Fraction(eighths, 8)):
        eighths -= 1
    return (_close_to_zero(options["axes"], eighths, x), *rest) if eighths > 0 else None


def _prepare(options: Options, values: Values) -> Values | None:
    return prepared_target(_mean(options), values)


def _close_to_zero(axes: int, reach: int, x: Any) -> Any:
    """Logits within ``reach`` eighths of 0; a row with no more between its ends stays where it is."""
    if axes == 2 and isinstance(x, tuple):
        return tuple(_close_to_zero(1, reach, row) for row in x)
    if axes == 1 and isinstance(x, tuple) and 4 * (max(x) - min(x)) <= reach:
        return x
    return mapped(lambda a: clamped(8 * a, -reach, reach) / 8, x)


def _arguments(options: Options, values: Values) -> Arguments:
    return arguments_with_target(_mean(options), values)


perplexity_with_logits = Operation(
    id="perplexity_with_logits",
    summary="exponential of the mean negative log-likelihood of the labels y under the softmaxes of x",
    definition=_definition,
    notation=_notation,
    source="Jelinek, Mercer, Bahl, Baker 1977. Algorithm: log_softmax of each row, mean, exponential.",
    algorithm=_algorithm,
    peers=(Peer("torch.exp(F.cross_entropy(x, y))", exp_cross_entropy),),
    contract=Contract(
        name="perplexity",
        namesake="torch.exp(torch.nn.functional.cross_entropy(input, target))",
        given=given_with_target,
        shape=lambda options: (),
        definition=_value,
        algorithm=_value_algorithm,
        gradients=(
            Gradient(
                "input",
                _gradient,
                _gradient_by(gradient_algorithm),
                (_gradient_by(gradient_by_softmax), _gradient_by(gradient_through_maximum)),
            ),
        ),
        arguments=_arguments,
        tensors=2,
        options=(IGNORE_INDEX, LABELS, AXES),
        prepare=_prepare,
        moderate=_moderate,
    ),
)
