"""Cross-entropy of logits divided by a temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.contract import Contract, Gradient, Option, Options, parameter
from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import (
    cross_entropy_with_logits,
    label_gradient_through_maximum,
)
from verify.operations.log_softmax import log_softmax
from verify.operations.softmax import softmax
from verify.relations import REDUCTIONS, TEMPERED
from verify.samples import gradient_of_losses, losses, losses_in_any_order, losses_shape, scores_and_labels
from verify.tables import AXES, REDUCTION, inputs_only

Scale = Callable[[Any, Any], Callable[[Any], Any]]
"""``scale(c, t)`` is the function that divides a number by t."""


def _definition(c: Any, x: Any, y: Any, t: Any) -> Any:
    return c.call(cross_entropy_with_logits, c.family(lambda j: x[j] / t, over=x), y)


def _notation(x: str, y: str, t: str) -> str:
    return rf"\operatorname{{ce}}({x} / {t}, {y})"


def _algorithm(c: Any, x: Any, y: Any, t: Any) -> Any:
    return c.standard(cross_entropy_with_logits, c.family(lambda j: x[j] / t, over=x), y)


def cross_entropy_of_the_quotient(torch: Any, x: Any, y: Any, t: Any) -> Any:
    """The cross_entropy of torch.nn.functional of x / t."""
    return torch.nn.functional.cross_entropy(x / t, y)


def _temperature(c: Any, options: Options) -> Any:
    return parameter(c, options, "temperature")


def _quotient(c: Any, t: Any) -> Callable[[Any], Any]:
    return lambda a: a / t


def _by_reciprocal(c: Any, t: Any) -> Callable[[Any], Any]:
    """Times 1 / t, rounded, as kernels that scale by a factor do."""
    factor = c.number(1) / t
    return lambda a: a * factor


def _loss(c: Any, options: Options, row: Any, label: Any) -> Any:
    return c.call(cross_entropy_with_temperature, row, label, _temperature(c, options))


def _loss_by(scale: Scale) -> Callable[..., Any]:
    def loss(c: Any, options: Options, row: Any, label: Any) -> Any:
        over_t = scale(c, _temperature(c, options))
        scaled = c.family(lambda j: over_t(row[j]), over=row)
        return -c.standard(log_softmax, scaled)[label]

    return losses_in_any_order(loss)


def _gradient(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    t = _temperature(c, options)
    s = c.call(softmax, c.family(lambda j: row[j] / t, over=row))
    return c.family(lambda j: g * (s[j] - c.equal(j, label)) / t, over=row)


def _gradient_by(scale: Scale) -> Callable[..., Any]:
    """Through log_softmax, as autograd does, then over the temperature."""

    def gradient(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
        over_t = scale(c, _temperature(c, options))
        scaled = c.family(lambda j: over_t(row[j]), over=row)
        scores = c.standard(log_softmax, scaled)

        def entry(j: Any) -> Any:
            return over_t(c.exp(scores[j], most=0) * g - g * c.equal(j, label))

        return c.family(entry, over=row)

    return gradient_of_losses(gradient)


def _gradient_through_maximum(c: Any, options: Options, g: Any, row: Any, label: Any) -> Any:
    """As autograd gives it where the maximum is not detached."""
    t = _temperature(c, options)
    scaled = c.family(lambda j: row[j] / t, over=row)
    found = label_gradient_through_maximum(c, g, scaled, label)
    return c.family(lambda j: found[j] / t, over=row)


def _is_temperature(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 2.0**-6 <= value <= 2.0**6


cross_entropy_with_temperature = Operation(
    id="cross_entropy_with_temperature",
    summary="negative log-likelihood of label y under softmax(x / t), in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; Guo, Pleiss, Sun, Weinberger 2017, eq. 9 (temperature scaling). "
    "Algorithm: x / t, then log_softmax.",
    algorithm=_algorithm,
    peers=(Peer("F.cross_entropy(x / t, y)", cross_entropy_of_the_quotient),),
    contract=Contract(
        name="cross_entropy_with_temperature",
        namesake="torch.nn.functional.cross_entropy(input / temperature, target)",
        given=scores_and_labels,
        shape=losses_shape,
        definition=losses(_loss),
        algorithm=_loss_by(_quotient),
        alternatives=(_loss_by(_by_reciprocal),),
        gradients=(
            Gradient(
                "input",
                gradient_of_losses(_gradient),
                _gradient_by(_quotient),
                (_gradient_by(_by_reciprocal), gradient_of_losses(_gradient_through_maximum)),
            ),
        ),
        relations=(*REDUCTIONS, TEMPERED),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(
            REDUCTION,
            Option(
                "temperature",
                (1.0, 0.5, 2.0, 0.1, 0.7),
                1.0,
                _is_temperature,
                rule="a number from 1/64 to 64",
            ),
            AXES,
        ),
    ),
)
