"""Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, p: Any, q: Any) -> Any:
    return c.sum(lambda i: c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i]), over=p)


def _notation(p: str, q: str) -> str:
    return rf"D_{{\mathrm{{KL}}}}({p} \,\|\, {q})"


kl_div = Operation(
    id="kl_div",
    summary="Kullback-Leibler divergence of q from p, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Kullback and Leibler 1951.",
)
