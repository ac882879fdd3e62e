"""Log-sum-exp."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, x: Any) -> Any:
    return c.log(c.sum(lambda i: c.exp(x[i]), over=x))


def _notation(x: str) -> str:
    return rf"\operatorname{{lse}}({x})"


def _algorithm(c: Any, x: Any) -> Any:
    largest = c.max(x)
    return largest + c.log(c.sum(lambda i: c.exp(x[i] - largest), over=x))


def torch_logsumexp(torch: Any, x: Any) -> Any:
    """torch.logsumexp."""
    return torch.logsumexp(x, dim=0)


logsumexp = Operation(
    id="logsumexp",
    summary="logarithm of the sum of exponentials",
    definition=_definition,
    notation=_notation,
    source="Definition; Blanchard, Higham, Higham 2021, eq. 1.1. Algorithm: the same, eq. 2.4.",
    algorithm=_algorithm,
    peers=(Peer("torch.logsumexp", torch_logsumexp),),
)
