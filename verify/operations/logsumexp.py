"""Log-sum-exp."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import real
from verify.operation import Operation, Peer
from verify.operations.softmax import softmax
from verify.tables import DIM, inputs_only, transposed


def _definition(c: Any, x: Any) -> Any:
    return c.log(c.sum(lambda i: c.exp(x[i]), over=x))


def _notation(x: str) -> str:
    return rf"\operatorname{{lse}}({x})"


def _algorithm(c: Any, x: Any) -> Any:
    largest = c.max(x)
    return largest + c.log(c.sum(lambda i: c.exp(x[i] - largest), over=x))


def torch_logsumexp(torch: Any, x: Any) -> Any:
    """torch.logsumexp."""
    return torch.logsumexp(x, dim=0)


def _rows(c: Any, options: Options, x: Any) -> Any:
    return transposed(c, x) if options["dim"] == 0 else x


def _table_definition(c: Any, options: Options, x: Any) -> Any:
    rows = _rows(c, options, x)
    return c.family(lambda i: c.call(logsumexp, rows[i]), over=rows)


def _table_algorithm(c: Any, options: Options, x: Any) -> Any:
    rows = _rows(c, options, x)
    return c.family(lambda i: c.standard(logsumexp, rows[i]), over=rows)


def _spread(c: Any, options: Options, g: Any, x: Any, make: Any) -> Any:
    """The upstream gradient of each row times its softmax, which ``make(row)`` gives."""
    rows = _rows(c, options, x)

    def row(i: Any) -> Any:
        s = make(rows[i])
        return c.family(lambda j: g[i] * s[j], over=s)

    return _rows(c, options, c.family(row, over=rows))


def _gradient(c: Any, options: Options, g: Any, x: Any) -> Any:
    return _spread(c, options, g, x, lambda row: c.call(softmax, row))


def _gradient_algorithm(c: Any, options: Options, g: Any, x: Any) -> Any:
    """Softmax as exp((x_j - max) - log sum), not exp(x_j - y), which would add the rounding of a large y."""

    def softmax_of(row: Any) -> Any:
        largest = c.max(row)
        log_total = c.log(c.sum(lambda i: c.exp(row[i] - largest), over=row))
        return c.family(lambda j: c.exp((row[j] - largest) - log_total), over=row)

    return _spread(c, options, g, x, softmax_of)


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
        given=(real("input", "N", "C"),),
        shape=lambda options: ("C",) if options["dim"] == 0 else ("N",),
        definition=_table_definition,
        algorithm=_table_algorithm,
        gradients=(Gradient("input", _gradient, _gradient_algorithm),),
        arguments=inputs_only("input"),
        options=(DIM,),
    ),
)
