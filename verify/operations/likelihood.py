"""Log-likelihood of independent labels."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, r: Any) -> Any:
    return c.log(c.prod(lambda i: r[i], over=r))


def _notation(r: str) -> str:
    return rf"\ell({r})"


def _algorithm(c: Any, r: Any) -> Any:
    return c.sum(lambda i: c.log(r[i]), over=r)


def summed_logs(torch: Any, r: Any) -> Any:
    """The sum of the logarithms."""
    return torch.log(r).sum()


def log_of_prod(torch: Any, r: Any) -> Any:
    """The logarithm of the product, which underflows where the sum of the logarithms does not."""
    return torch.log(torch.prod(r))


log_likelihood = Operation(
    id="log_likelihood",
    summary="logarithm of the product of the probabilities r that a model gave to the labels, in nats",
    definition=_definition,
    notation=_notation,
    source="Fisher 1922. Algorithm: the sum of the logarithms.",
    algorithm=_algorithm,
    peers=(
        Peer("torch.log(r).sum()", summed_logs),
        Peer("torch.log(torch.prod(r))", log_of_prod),
    ),
)
