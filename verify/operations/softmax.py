"""Softmax: exponentials divided by their sum."""

from __future__ import annotations

import math
from typing import Any

from verify.contract import Contract, Gradient
from verify.operation import Operation, Peer
from verify.relations import shifted
from verify.tables import AXES, DIM, by_rows, given_input, input_shape, inputs_only, rows_apart, with_axis


def _definition(c: Any, x: Any) -> Any:
    total = c.sum(lambda i: c.exp(x[i]), over=x)
    return c.family(lambda j: c.exp(x[j]) / total, over=x)


def _notation(x: str) -> str:
    return rf"\operatorname{{softmax}}({x})"


def _algorithm(c: Any, x: Any) -> Any:
    largest = c.max(x)
    e = c.family(lambda j: c.exp(x[j] - largest, most=0), over=x)
    total = c.sum(lambda i: e[i], over=e)
    return c.family(lambda j: c.share(e[j], total), over=e)


def _exp_of_log_softmax(c: Any, x: Any) -> Any:
    largest = c.max(x)
    d = c.family(lambda j: x[j] - largest, over=x)
    log_total = c.log(c.sum(lambda i: c.exp(d[i], most=0), over=d), least=1)
    return c.family(lambda j: c.exp(d[j] - log_total, most=0), over=d)


def torch_softmax(torch: Any, x: Any) -> Any:
    """torch.softmax."""
    return torch.softmax(x, dim=0)


def functional_softmax(torch: Any, x: Any) -> Any:
    """The softmax of torch.nn.functional."""
    return torch.nn.functional.softmax(x, dim=0)


def exp_log_softmax(torch: Any, x: Any) -> Any:
    """The exponential of log_softmax."""
    return torch.exp(torch.nn.functional.log_softmax(x, dim=0))


def categorical_probs(torch: Any, x: Any) -> Any:
    """The probabilities of a Categorical distribution made from logits."""
    return torch.distributions.Categorical(logits=x).probs


def _gradient(c: Any, g: Any, x: Any) -> Any:
    s = c.call(softmax, x)
    mean = c.sum(lambda i: g[i] * s[i], over=s)
    return c.family(lambda j: s[j] * (g[j] - mean), over=s)


def _gradient_algorithm(c: Any, g: Any, x: Any) -> Any:
    """From the result, as autograd does: its error is relative to s_j times the size of g."""
    s = c.standard(softmax, x)
    mean = c.sum(lambda i: g[i] * s[i], over=s)
    return c.family(lambda j: s[j] * (g[j] - mean), over=s)


def _gradient_of_exp(c: Any, g: Any, x: Any) -> Any:
    """What autograd makes of the exponential of log_softmax, whose values carry the rounded logarithm."""
    s = _exp_of_log_softmax(c, x)
    reaching = c.family(lambda j: g[j] * s[j], over=s)
    total = c.sum(lambda i: reaching[i], over=reaching)
    return c.family(lambda j: reaching[j] - s[j] * total, over=s)


def through_maximum(c: Any, x: Any, entries: Any, flowing: Any, total: Any = 0) -> Any:
    """Entries whose sum is ``total``, as autograd gives them where the maximum is not detached.

    What rounding leaves of their sum flows back through the maximum, to the entries that reach it. Of a
    maximum that runs over blocks more is left, at each entry that it was: ``flowing`` is what reaches the
    logarithm of the sum of exponentials, times softmax (verify/contexts/maxima.py).
    """
    largest, left = c.max(x), c.residues(x, flowing)
    rest = c.sum(lambda i: entries[i], over=entries) - total
    return c.family(lambda j: entries[j] + left[j] - c.same(x[j], largest) * rest, over=entries)


def _gradient_through_maximum(c: Any, g: Any, x: Any) -> Any:
    s = c.standard(softmax, x)
    mean = c.sum(lambda i: g[i] * s[i], over=s)
    entries = c.family(lambda j: s[j] * (g[j] - mean), over=s)
    return through_maximum(c, x, entries, c.family(lambda j: mean * s[j], over=s))


def spread(c: Any, x: Any, s: Any) -> Any:
    """(1 - s_j) |x_j| + sum over k != j of s_k |x_k|: how far rounded logits move log s_j.

    At the largest entry 1 - s_j is summed from the other shares, as it may be tiny; elsewhere s_j <= 1/2.
    """
    at = c.argmax(x)

    def without_largest(size: Any) -> Any:
        return c.sum(lambda k: s[k] * (1 - c.equal(k, at)) * size(k), over=s)

    others, rest = without_largest(lambda k: c.abs(x[k])), without_largest(lambda k: 1)
    largest = s[at] * c.abs(x[at])

    def entry(j: Any) -> Any:
        size, top = c.abs(x[j]), c.equal(j, at)
        return others + top * rest * size + (1 - top) * (largest + (1 - 2 * s[j]) * size)

    return c.family(entry, over=s)


def _conditioning(c: Any, x: Any) -> Any:
    s = c.standard(softmax, x)
    moved = spread(c, x, s)
    return c.family(lambda j: s[j] * moved[j], over=s)


softmax = Operation(
    id="softmax",
    summary="exponentiate and normalise: a probability vector from any finite real vector",
    definition=_definition,
    notation=_notation,
    source="Definition; Goodfellow, Bengio, Courville, Deep Learning, eq. 4.1. "
    "Algorithm: Blanchard, Higham, Higham 2021, Algorithm 3.2 with the maximum as shift.",
    algorithm=_algorithm,
    peers=(
        Peer("torch.softmax", torch_softmax),
        Peer("F.softmax", functional_softmax),
        Peer("torch.exp(F.log_softmax)", exp_log_softmax, _exp_of_log_softmax),
        Peer("Categorical(logits).probs", categorical_probs),
    ),
    contract=Contract(
        name="softmax",
        namesake="torch.nn.functional.softmax",
        given=given_input,
        shape=input_shape,
        definition=by_rows(_definition),
        algorithm=by_rows(_algorithm),
        gradients=(
            Gradient(
                "input",
                by_rows(_gradient),
                by_rows(_gradient_algorithm),
                (by_rows(_gradient_through_maximum), by_rows(_gradient_of_exp)),
            ),
        ),
        alternatives=(by_rows(_exp_of_log_softmax),),
        conditioning=by_rows(_conditioning),
        infinite={"input": (-math.inf,)},
        lowest=("input",),
        relations=(shifted("softmax"),),
        rowwise=rows_apart,
        arguments=inputs_only("input"),
        options=(DIM, AXES),
        prepare=with_axis,
    ),
)
