"""Cross-entropy of linear logits: hidden vectors times class vectors, never kept as a table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from verify.contract import (
    Arguments,
    Contract,
    Gradient,
    Options,
    Values,
    clamped,
    form,
    mapped,
    without_tiny,
)
from verify.domain import Declaration, real
from verify.entries import flag
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
from verify.samples import losses_shape
from verify.tables import REDUCTION
from verify.targets import (
    IGNORE_INDEX,
    LABEL_SMOOTHING,
    TARGET,
    WEIGHT,
    arguments_with_target,
    prepared_target,
    target_and_weights,
)

LARGEST = 16
"""The largest magnitude of hidden and class vectors drawn: their products are numbers of float16."""

LEAST = Fraction(1, 2**100)
"""The smallest that is drawn beside 0: matrix units of 16-bit formats take a subnormal factor for 0."""

BIAS = flag("linear_bias")
"""Whether a bias is added to the logits."""

AXES = form("axes", 2, 1)
"""The axes of the hidden vectors: a batch, or one."""


def _definition(c: Any, h: Any, w: Any, y: Any) -> Any:
    return c.call(cross_entropy_with_logits, _row(c, h, w), y)


def _notation(h: str, w: str, y: str) -> str:
    return rf"\operatorname{{ce}}({w} {h}, {y})"


def _algorithm(c: Any, h: Any, w: Any, y: Any) -> Any:
    return c.standard(cross_entropy_with_logits, _row(c, h, w), y)


def functional_linear_cross_entropy(torch: Any, h: Any, w: Any, y: Any) -> Any:
    """The linear_cross_entropy of torch.nn.functional."""
    return torch.nn.functional.linear_cross_entropy(h, w, y)


def cross_entropy_of_linear(torch: Any, h: Any, w: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional of the product w h."""
    return torch.nn.functional.cross_entropy(torch.nn.functional.linear(h, w), y)


def _row(c: Any, h: Any, w: Any) -> Any:
    """The logits of one hidden vector."""
    return c.family(lambda j: c.sum(lambda k: h[k] * w[j, k], over=h), over=w)


def _logits(c: Any, options: Options, x: Any, w: Any, bias: Any) -> Any:
    def row(h: Any) -> Any:
        products = _row(c, h, w)
        return c.family(lambda j: products[j] + bias[j], over=w) if options["linear_bias"] else products

    return row(x) if options["axes"] == 1 else c.family(lambda n: row(x[n]), over=x)


def _value_by(of_logits: Any) -> Any:
    def value(c: Any, options: Options, x: Any, w: Any, y: Any, weight: Any, kept: Any, bias: Any) -> Any:
        return of_logits(c, options, _logits(c, options, x, w, bias), y, weight, kept)

    return value


def _in_input(c: Any, options: Options, pull: Any, x: Any, w: Any) -> Any:
    """Each hidden vector: what reaches its logits times the class vectors."""

    def row(p: Any) -> Any:
        return c.family(lambda k: c.sum(lambda j: p[j] * w[j, k], over=w), over=w[1])

    return row(pull) if options["axes"] == 1 else c.family(lambda n: row(pull[n]), over=x)


def _in_weight(c: Any, options: Options, pull: Any, x: Any, w: Any) -> Any:
    """Each class vector: what reaches its logits times the hidden vectors, summed over the batch."""
    if options["axes"] == 1:
        return c.family(lambda j: c.family(lambda k: pull[j] * x[k], over=x), over=w)

    def entry(j: Any, k: Any) -> Any:
        return c.sum(lambda n: pull[n, j] * x[n, k], over=x)

    return c.family(lambda j: c.family(lambda k: entry(j, k), over=w[1]), over=w)


def _in_bias(c: Any, options: Options, pull: Any, x: Any, w: Any) -> Any:
    """What reaches the logits of a class, summed over the batch."""
    if options["axes"] == 1:
        return pull
    return c.family(lambda j: c.sum(lambda n: pull[n, j], over=x), over=w)


def _gradient_by(of_logits: Any, through: Any) -> Any:
    def gradient(
        c: Any, options: Options, g: Any, x: Any, w: Any, y: Any, weight: Any, kept: Any, bias: Any
    ) -> Any:
        pull = of_logits(c, options, g, _logits(c, options, x, w, bias), y, weight, kept)
        return through(c, options, pull, x, w)

    return gradient


def _gradient(of: str, through: Any, **where: Any) -> Gradient:
    """The gradient in one of the tensors, from that in the logits."""
    ways = gradient, gradient_algorithm, gradient_by_softmax, gradient_through_maximum
    exact, algorithm, *others = (_gradient_by(of_logits, through) for of_logits in ways)
    return Gradient(of, exact, algorithm, tuple(others), where)


def _given(options: Options) -> tuple[Declaration, ...]:
    target, weight, kept = target_and_weights(options)
    batch = () if options["axes"] == 1 else ("N",)
    hidden, classes = real("input", *batch, "H"), real("linear_weight", "C", "H")
    return hidden, classes, target, weight, kept, real("linear_bias", "C")


def _prepared(options: Options, values: Values) -> Values | None:
    x, w, target, weight, draws, bias = values
    found = prepared_target(options, (x, target, weight, draws))
    if found is None:
        return None
    x, w, bias = (mapped(_moderate, value) for value in (x, w, bias))
    return x, w, *found[1:], bias


def _moderate(number: Any) -> Any:
    return without_tiny(clamped(number, -LARGEST, LARGEST), LEAST)


def _arguments(options: Options, values: Values) -> Arguments:
    x, w, target, weight, kept, bias = values
    (hidden, target_passed), keywords = arguments_with_target(options, (x, target, weight, kept))
    biases = (("linear_bias", bias),) if options["linear_bias"] else ()
    return (hidden, ("linear_weight", w), target_passed), (*keywords, *biases)


linear_cross_entropy = Operation(
    id="linear_cross_entropy",
    summary="negative log-likelihood of label y under softmax of the products of h with the rows of w",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.linear_cross_entropy. Algorithm: products, summed in any order "
    "in the format of the kernel, the logits rounded to the format; then log_softmax. "
    "Kernels that keep the logits of 16-bit inputs in float32 are within its bound.",
    algorithm=_algorithm,
    peers=(
        Peer("F.linear_cross_entropy(h, w, y)", functional_linear_cross_entropy),
        Peer("F.cross_entropy(F.linear(h, w), y)", cross_entropy_of_linear),
    ),
    contract=Contract(
        name="linear_cross_entropy",
        namesake="torch.nn.functional.linear_cross_entropy",
        given=_given,
        shape=losses_shape,
        definition=_value_by(losses),
        algorithm=_value_by(losses_algorithm),
        gradients=(
            _gradient("input", _in_input),
            _gradient("linear_weight", _in_weight),
            _gradient("linear_bias", _in_bias, linear_bias=(True,)),
        ),
        arguments=_arguments,
        tensors=3,
        options=(REDUCTION, BIAS, WEIGHT, IGNORE_INDEX, LABEL_SMOOTHING, TARGET, AXES),
        prepare=_prepared,
    ),
)
