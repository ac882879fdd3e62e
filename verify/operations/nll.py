"""Negative log-likelihood of one label."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from verify.contract import Contract, Gradient, Options, Values, mapped
from verify.operation import Operation, Peer
from verify.operations.log_softmax import log_softmax
from verify.samples import (
    at_samples,
    classes_last,
    losses_shape,
    reduced,
    reduced_in_any_order,
    with_upstream,
)
from verify.tables import AXES, REDUCTION, rows_apart
from verify.targets import (
    IGNORE_INDEX,
    LABELS,
    WEIGHT,
    arguments_with_target,
    given_with_target,
    prepared_scores,
    weight_of_rows,
)


def _definition(c: Any, q: Any, y: Any) -> Any:
    return -c.log(q[y])


def _notation(q: str, y: str) -> str:
    return rf"\operatorname{{nll}}({q}, {y})"


def _through_log_softmax(c: Any, q: Any, y: Any) -> Any:
    logs = c.family(lambda i: c.log(q[i]), over=q)
    return -c.standard(log_softmax, logs)[y]


def functional_nll_loss(torch: Any, q: Any, y: Any) -> Any:
    """The nll_loss of torch.nn.functional on log q."""
    return torch.nn.functional.nll_loss(torch.log(q), y)


def functional_cross_entropy(torch: Any, q: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional with log q as logits; q has to sum to 1."""
    return torch.nn.functional.cross_entropy(torch.log(q), y)


def minus_log(torch: Any, q: Any, y: Any) -> Any:
    """Minus the logarithm of the entry."""
    return -torch.log(q[y])


def _losses_by(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def losses(c: Any, options: Options, x: Any, y: Any, weight: Any, kept: Any) -> Any:
        def loss(row: Any, label: Any, keep: Any) -> Any:
            return -(keep * (weight[label] * row[label]))

        each = at_samples(c, options, loss, classes_last(c, options, x), y, kept)
        return reduce(c, options, each, lambda: weight_of_rows(c, options, y, weight, kept))

    return losses


def _gradient(c: Any, options: Options, g: Any, x: Any, y: Any, weight: Any, kept: Any) -> Any:
    def row_of(share: Any, row: Any, label: Any, keep: Any) -> Any:
        own = -(keep * (share * weight[label]))
        return c.family(lambda j: own * c.equal(j, label), over=row)

    def divisor() -> Any:
        return weight_of_rows(c, options, y, weight, kept)

    found = with_upstream(c, options, g, divisor, row_of, classes_last(c, options, x), y, kept)
    return classes_last(c, options, found)


def _log_probabilities(options: Options, values: Values) -> Values | None:
    """None for a wide table with infinities under a sum, where one infinite loss hides all others."""
    x, *rest = values
    if options["reduction"] != "none" and hasattr(x, "tensor") and not x.tensor.isfinite().all():
        return None
    return prepared_scores(options, (mapped(lambda a: -abs(a), x), *rest))


nll = Operation(
    id="nll",
    summary="minus the log of the probability that q gives to label y, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition, which is also the algorithm.",
    algorithm=_definition,
    peers=(
        Peer("F.nll_loss(log q, y)", functional_nll_loss),
        Peer("F.cross_entropy(log q, y)", functional_cross_entropy, _through_log_softmax),
        Peer("-torch.log(q[y])", minus_log),
    ),
    contract=Contract(
        name="nll_loss",
        namesake="torch.nn.functional.nll_loss",
        given=given_with_target,
        shape=losses_shape,
        definition=_losses_by(reduced),
        algorithm=_losses_by(reduced_in_any_order),
        gradients=(Gradient("input", _gradient, _gradient),),
        rowwise=rows_apart,
        arguments=arguments_with_target,
        tensors=2,
        options=(REDUCTION, WEIGHT, IGNORE_INDEX, LABELS, AXES),
        infinite={"input": (-math.inf,)},
        prepare=_log_probabilities,
    ),
)
