"""Logarithm of softmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.contract import Contract, Gradient
from verify.operation import Operation, Peer
from verify.operations.softmax import softmax, spread, through_maximum
from verify.relations import shifted
from verify.tables import AXES, DIM, by_rows, given_input, input_shape, inputs_only, rows_apart, with_axis

LOG2_E = Fraction("1.442695040888963407359924681001892137427")
LN_2 = Fraction("0.6931471805599453094172321214581765680755")


def _definition(c: Any, x: Any) -> Any:
    s = c.call(softmax, x)
    return c.family(lambda j: c.log(s[j]), over=x)


def _notation(x: str) -> str:
    return rf"\log \operatorname{{softmax}}({x})"


def score_at(c: Any, x: Any) -> Callable[[Any], Any]:
    """The algorithm, entry by entry, for those who need few of them."""
    largest = c.max(x)
    d = c.family(lambda j: x[j] - largest, over=x)
    log_total = c.log(c.sum(lambda i: c.exp(d[i], most=0), over=d), least=1)
    return lambda j: d[j] - log_total


def _algorithm(c: Any, x: Any) -> Any:
    return c.family(score_at(c, x), over=x)


def in_bits(c: Any, x: Any) -> Any:
    """In bits, and in nats at the end: (d_j log2 e - log2 sum exp2(d_i log2 e)) ln 2.

    exp2 and log2 are written as exp and log, which in the arithmetic of GPU kernels are those and a product.
    """
    to_bits, to_nats = c.number(LOG2_E), c.number(LN_2)
    largest = c.max(x)
    d = c.family(lambda j: x[j] - largest, over=x)
    log_total = to_bits * c.log(c.sum(lambda i: c.exp(d[i], most=0), over=d), least=1)
    return c.family(lambda j: (to_bits * d[j] - log_total) * to_nats, over=d)


def functional_log_softmax(torch: Any, x: Any) -> Any:
    """The log_softmax of torch.nn.functional."""
    return torch.nn.functional.log_softmax(x, dim=0)


def minus_logsumexp(torch: Any, x: Any) -> Any:
    """The logits minus their logsumexp."""
    return x - torch.logsumexp(x, dim=0)


def _gradient(c: Any, g: Any, x: Any) -> Any:
    s = c.call(softmax, x)
    total = c.sum(lambda i: g[i], over=g)
    return c.family(lambda j: g[j] - s[j] * total, over=x)


def _gradient_algorithm(c: Any, g: Any, x: Any) -> Any:
    """From the result, as autograd does: softmax is the exponential of log_softmax."""
    scores = c.standard(log_softmax, x)
    total = c.sum(lambda i: g[i], over=g)
    return c.family(lambda j: g[j] - c.exp(scores[j], most=0) * total, over=scores)


def _gradient_through_maximum(c: Any, g: Any, x: Any) -> Any:
    s = c.standard(softmax, x)
    total = c.sum(lambda i: g[i], over=g)
    flowing = c.family(lambda j: s[j] * total, over=s)
    return through_maximum(c, x, c.family(lambda j: g[j] - flowing[j], over=s), flowing)


def gradient_in_bits(c: Any, g: Any, x: Any) -> Any:
    """What autograd makes of `in_bits`: from g ln 2 in bits, then times log2 e."""
    s, to_bits, to_nats = c.standard(softmax, x), c.number(LOG2_E), c.number(LN_2)
    reaching = c.family(lambda j: g[j] * to_nats, over=g)
    total = c.sum(lambda i: reaching[i], over=reaching) * to_bits
    return c.family(lambda j: (reaching[j] - s[j] * to_nats * total) * to_bits, over=s)


def by_log1p(c: Any, x: Any) -> Any:
    """With log1p of the sum without the largest term: accurate also where the result is near 0."""
    largest, at = c.max(x), c.argmax(x)
    d = c.family(lambda j: x[j] - largest, over=x)
    rest = c.sum(lambda i: c.exp(d[i], most=0) * (1 - c.equal(i, at)), over=d)
    return c.family(lambda j: d[j] - c.log1p(rest, least=0), over=d)


def _conditioning(c: Any, x: Any) -> Any:
    return spread(c, x, c.standard(softmax, x))


log_softmax = Operation(
    id="log_softmax",
    summary="logarithm of the softmax probabilities, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition. Algorithm: (x_j - max) - log(sum exp(x_i - max)), the shifted form of "
    "Blanchard, Higham, Higham 2021, section 2.",
    algorithm=_algorithm,
    peers=(
        Peer("F.log_softmax", functional_log_softmax),
        Peer("x - torch.logsumexp(x)", minus_logsumexp),
    ),
    contract=Contract(
        name="log_softmax",
        namesake="torch.nn.functional.log_softmax",
        given=given_input,
        shape=input_shape,
        definition=by_rows(_definition),
        algorithm=by_rows(_algorithm),
        gradients=(
            Gradient(
                "input",
                by_rows(_gradient),
                by_rows(_gradient_algorithm),
                (by_rows(_gradient_through_maximum), by_rows(gradient_in_bits)),
            ),
        ),
        alternatives=(by_rows(in_bits),),
        reference=by_rows(by_log1p),
        conditioning=by_rows(_conditioning),
        infinite={"input": (-math.inf,)},
        relations=(shifted("log_softmax"),),
        rowwise=rows_apart,
        arguments=inputs_only("input"),
        options=(DIM, AXES),
        prepare=with_axis,
    ),
)
