"""Perplexity."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, r: Any) -> Any:
    return c.exp(-c.sum(lambda i: c.log(r[i]), over=r) / c.count(r))


def _notation(r: str) -> str:
    return rf"\operatorname{{ppl}}({r})"


perplexity = Operation(
    id="perplexity",
    summary="exponential of the mean negative log-likelihood of the probabilities r",
    definition=_definition,
    notation=_notation,
    source="Jelinek, Mercer, Bahl, Baker 1977.",
)
