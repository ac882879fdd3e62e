"""Likelihood of independent labels, and its logarithm."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, r: Any) -> Any:
    return c.log(c.prod(lambda i: r[i], over=r))


def _notation(r: str) -> str:
    return rf"\ell({r})"


log_likelihood = Operation(
    id="log_likelihood",
    summary="logarithm of the product of the probabilities r that a model gave to the labels, in nats",
    definition=_definition,
    notation=_notation,
    source="Fisher 1922.",
)
