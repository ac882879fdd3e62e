"""Softmax."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, x: Any) -> Any:
    total = c.sum(lambda i: c.exp(x[i]), over=x)
    return c.family(lambda j: c.exp(x[j]) / total, over=x)


def _notation(x: str) -> str:
    return rf"\operatorname{{softmax}}({x})"


softmax = Operation(
    id="softmax",
    summary="exponentiate and normalise: a probability vector from any finite real vector",
    definition=_definition,
    notation=_notation,
    source="Definition; Goodfellow, Bengio, Courville, Deep Learning, eq. 4.1.",
)
