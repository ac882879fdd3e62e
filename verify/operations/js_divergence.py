"""Jensen-Shannon divergence."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient
from verify.entries import edge, times_quotient_of_equals
from verify.operation import Operation, Peer
from verify.operations.kl_div import kl_div
from verify.simplex import along_dim, by_distribution, distribution_gradient, given_distributions, rows_shape
from verify.tables import AXES, DIM, inputs_only


def _definition(c: Any, p: Any, q: Any) -> Any:
    middle = c.family(lambda i: (p[i] + q[i]) / 2, over=p)
    return (c.call(kl_div, p, middle) + c.call(kl_div, q, middle)) / 2


def _notation(p: str, q: str) -> str:
    return rf"\operatorname{{JS}}({p}, {q})"


def _algorithm(c: Any, p: Any, q: Any) -> Any:
    middle = c.family(lambda i: (p[i] + q[i]) / 2, over=p)
    return (c.standard(kl_div, p, middle) + c.standard(kl_div, q, middle)) / 2


def halved_kl_div(torch: Any, p: Any, q: Any) -> Any:
    """Half of two kl_div of torch.nn.functional to the midpoint."""
    functional = torch.nn.functional
    middle = torch.log((p + q) / 2)
    return (functional.kl_div(middle, p, reduction="sum") + functional.kl_div(middle, q, reduction="sum")) / 2


def halved_xlogy(torch: Any, p: Any, q: Any) -> Any:
    """Half of the sum of torch.xlogy against the midpoint."""
    middle = (p + q) / 2
    terms = torch.xlogy(p, p) - torch.xlogy(p, middle) + torch.xlogy(q, q) - torch.xlogy(q, middle)
    return terms.sum() / 2


def _first(c: Any, g: Any, p: Any, q: Any) -> Any:
    return g * ((c.log(p) - c.log((p + q) / 2)) / 2)


def _second(c: Any, g: Any, p: Any, q: Any) -> Any:
    return _first(c, g, q, p)


def _first_by_steps(c: Any, g: Any, p: Any, q: Any) -> Any:
    """Term by term, as autograd has it: through p log p, and through p log m and q log m."""
    half, middle = g / 2, (p + q) / 2
    through_middle = (half * (p / middle) + half * (q / middle)) / 2
    return half * c.log(p) + times_quotient_of_equals(half) - half * c.log(middle) - through_middle


def _second_by_steps(c: Any, g: Any, p: Any, q: Any) -> Any:
    return _first_by_steps(c, g, q, p)


def _gradient(of: str, exact: Any, by_steps: Any) -> Gradient:
    return Gradient(
        of,
        distribution_gradient(exact),
        distribution_gradient(exact),
        alternatives=(distribution_gradient(by_steps),),
        where={"zeros": (False,)},
    )


js_divergence = Operation(
    id="js_divergence",
    summary="mean of the Kullback-Leibler divergences of p and q from their midpoint, in nats",
    definition=_definition,
    notation=_notation,
    source="Lin 1991. Algorithm: that of kl_div for each half, with the rounded midpoint.",
    algorithm=_algorithm,
    peers=(
        Peer("F.kl_div to the midpoint, halved", halved_kl_div),
        Peer("torch.xlogy to the midpoint, halved", halved_xlogy),
    ),
    contract=Contract(
        name="js_divergence",
        namesake="half of torch.nn.functional.kl_div(log m, p) + kl_div(log m, q), m = (p + q) / 2",
        given=given_distributions("input", "target"),
        shape=rows_shape,
        definition=by_distribution(_definition),
        algorithm=by_distribution(_algorithm),
        gradients=(
            _gradient("input", _first, _first_by_steps),
            _gradient("target", _second, _second_by_steps),
        ),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(DIM, AXES, edge("zeros")),
        prepare=along_dim,
    ),
)
