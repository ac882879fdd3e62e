"""Log-sum-exp."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, x: Any) -> Any:
    return c.log(c.sum(lambda i: c.exp(x[i]), over=x))


def _notation(x: str) -> str:
    return rf"\operatorname{{lse}}({x})"


logsumexp = Operation(
    id="logsumexp",
    summary="logarithm of the sum of exponentials",
    definition=_definition,
    notation=_notation,
    source="Definition; Blanchard, Higham, Higham 2021, eq. 1.1.",
)
