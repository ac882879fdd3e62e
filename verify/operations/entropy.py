"""Shannon entropy."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient
from verify.entries import edge, times_quotient_of_equals
from verify.operation import Operation, Peer
from verify.simplex import along_dim, by_distribution, distribution_gradient, given_distributions, rows_shape
from verify.tables import AXES, DIM, inputs_only


def _definition(c: Any, p: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], p[i]), over=p)


def _notation(p: str) -> str:
    return rf"H({p})"


def categorical_entropy(torch: Any, p: Any) -> Any:
    """The entropy of a Categorical distribution made from probabilities."""
    return torch.distributions.Categorical(probs=p).entropy()


def summed_entr(torch: Any, p: Any) -> Any:
    """The sum of torch.special.entr."""
    return torch.special.entr(p).sum()


def _gradient(c: Any, g: Any, p: Any) -> Any:
    return -(g * (c.log(p) + 1))


def _gradient_by_products(c: Any, g: Any, p: Any) -> Any:
    """What autograd makes of the product p log p: the derivatives in both factors, each times g."""
    return -(g * c.log(p) + g * p / p)


def _gradient_in_bits(c: Any, g: Any, p: Any) -> Any:
    """What autograd makes of -ln 2 sum p log2 p: g ln 2 first, of a rounded ln 2; then g p / (p ln 2).

    The second term has two roundings more than a quotient of equals, those of ln 2 and of p ln 2.
    """
    reaching = times_quotient_of_equals(g)
    return -(reaching * c.log(p) + times_quotient_of_equals(times_quotient_of_equals(reaching)))


entropy = Operation(
    id="entropy",
    summary="entropy of a probability vector, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Shannon 1948. The definition is also the algorithm: its terms have one sign.",
    algorithm=_definition,
    peers=(
        Peer("Categorical(probs).entropy", categorical_entropy),
        Peer("torch.special.entr(p).sum", summed_entr),
    ),
    contract=Contract(
        name="entropy",
        namesake="torch.special.entr(input).sum(dim)",
        given=given_distributions("input"),
        shape=rows_shape,
        definition=by_distribution(_definition),
        algorithm=by_distribution(_definition),
        gradients=(
            Gradient(
                "input",
                distribution_gradient(_gradient),
                distribution_gradient(_gradient),
                alternatives=(
                    distribution_gradient(_gradient_by_products),
                    distribution_gradient(_gradient_in_bits),
                ),
                where={"zeros": (False,)},
            ),
        ),
        arguments=inputs_only("input"),
        options=(DIM, AXES, edge("zeros")),
        prepare=along_dim,
    ),
)
