"""Log-sum-exp."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from verify.contract import Contract, Gradient, Options, one_of
from verify.operation import Operation, Peer
from verify.operations.softmax import softmax, through_maximum
from verify.relations import SHIFT, shifted
from verify.tables import AXES, DIM, along, given_input, input_shape, inputs_only, rows_apart, with_axis


def _definition(c: Any, x: Any) -> Any:
    return c.log(c.sum(lambda i: c.exp(x[i]), over=x))


def _notation(x: str) -> str:
    return rf"\operatorname{{lse}}({x})"


def _algorithm(c: Any, x: Any) -> Any:
    largest = c.max(x)
    return largest + c.log(c.sum(lambda i: c.exp(x[i] - largest, most=0), over=x), least=1)


def torch_logsumexp(torch: Any, x: Any) -> Any:
    """torch.logsumexp."""
    return torch.logsumexp(x, dim=0)


def _table(c: Any, options: Options, x: Any, action: Any) -> Any:
    """``action(row)``, a number, at every row; with ``keepdim`` as a row of one."""
    if not options["keepdim"]:
        return along(c, options, lambda c, row: action(row), (x,), to_rows=False)

    def row_of_one(c: Any, row: Any) -> Any:
        value = action(row)
        return c.family(lambda i: value, over=(None,))

    return along(c, options, row_of_one, (x,))


def _table_definition(c: Any, options: Options, x: Any) -> Any:
    return _table(c, options, x, lambda row: c.call(logsumexp, row))


def _table_algorithm(c: Any, options: Options, x: Any) -> Any:
    return _table(c, options, x, lambda row: c.standard(logsumexp, row))


def _conditioning(c: Any, options: Options, x: Any) -> Any:
    def size(row: Any) -> Any:
        s = c.standard(softmax, row)
        return c.sum(lambda j: s[j] * c.abs(row[j]), over=s)

    return _table(c, options, x, size)


def _gradient_by(of_row: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """The gradient of each row; ``of_row(c, row, share)`` with the upstream gradient of the row."""

    def gradient(c: Any, options: Options, g: Any, x: Any) -> Any:
        if options["keepdim"]:
            return along(c, options, lambda c, row, g: of_row(c, row, g[1]), (x, g))
        return along(c, options, of_row, (x,), (g,))

    return gradient


def _spread(c: Any, share: Any, s: Any) -> Any:
    return c.family(lambda j: share * s[j], over=s)


def _row_gradient(c: Any, row: Any, share: Any) -> Any:
    return _spread(c, share, c.call(softmax, row))


def _row_by_shares(c: Any, row: Any, share: Any) -> Any:
    """Softmax as exp((x_j - max) - log sum), not exp(x_j - y), which would add the rounding of a large y."""
    return _spread(c, share, shares_of(c, row))


def _row_by_quotient(c: Any, row: Any, share: Any) -> Any:
    """With softmax as a quotient, as autograd has it: two roundings where an exponential is subnormal."""
    return _spread(c, share, c.standard(softmax, row))


def _row_through_maximum(c: Any, row: Any, share: Any) -> Any:
    """As autograd gives it where the maximum is not detached."""
    entries = _row_by_shares(c, row, share)
    return through_maximum(c, row, entries, entries, share)


def shares_of(c: Any, row: Any) -> Any:
    """Softmax of a row as the derivative of its logsumexp, for algorithms."""
    largest = c.max(row)
    log_total = c.log(c.sum(lambda i: c.exp(row[i] - largest, most=0), over=row), least=1)
    return c.family(lambda j: c.exp((row[j] - largest) - log_total, most=0), over=row)


def _shape(options: Options) -> tuple[str | int, ...]:
    """The shape of the input without the axis, or with length 1 there."""
    shape: list[str | int] = list(input_shape(options))
    dim = options["dim"] % options["axes"]
    shape[dim : dim + 1] = [1] if options["keepdim"] else []
    return tuple(shape)


logsumexp = Operation(
    id="logsumexp",
    summary="logarithm of the sum of exponentials",
    definition=_definition,
    notation=_notation,
    source="Definition; Blanchard, Higham, Higham 2021, eq. 1.1. Algorithm: the same, eq. 2.4.",
    algorithm=_algorithm,
    peers=(Peer("torch.logsumexp", torch_logsumexp),),
    contract=Contract(
        name="logsumexp",
        namesake="torch.logsumexp",
        given=given_input,
        shape=_shape,
        definition=_table_definition,
        algorithm=_table_algorithm,
        gradients=(
            Gradient(
                "input",
                _gradient_by(_row_gradient),
                _gradient_by(_row_by_shares),
                (_gradient_by(_row_by_quotient), _gradient_by(_row_through_maximum)),
            ),
        ),
        conditioning=_conditioning,
        infinite={"input": (-math.inf,)},
        lowest=("input",),
        relations=(shifted("logsumexp", SHIFT),),
        rowwise=rows_apart,
        arguments=inputs_only("input"),
        options=(DIM, one_of("keepdim", False, True, default=False), AXES),
        prepare=with_axis,
    ),
)
