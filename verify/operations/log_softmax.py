"""Logarithm of softmax."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.softmax import softmax


def _definition(c: Any, x: Any) -> Any:
    s = c.call(softmax, x)
    return c.family(lambda j: c.log(s[j]), over=x)


def _notation(x: str) -> str:
    return rf"\log \operatorname{{softmax}}({x})"


def _algorithm(c: Any, x: Any) -> Any:
    largest = c.max(x)
    d = c.family(lambda j: x[j] - largest, over=x)
    log_total = c.log(c.sum(lambda i: c.exp(d[i]), over=d))
    return c.family(lambda j: d[j] - log_total, over=d)


def functional_log_softmax(torch: Any, x: Any) -> Any:
    """The log_softmax of torch.nn.functional."""
    return torch.nn.functional.log_softmax(x, dim=0)


def minus_logsumexp(torch: Any, x: Any) -> Any:
    """The logits minus their logsumexp."""
    return x - torch.logsumexp(x, dim=0)


log_softmax = Operation(
    id="log_softmax",
    summary="logarithm of the softmax probabilities, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition. Algorithm: (x_j - max) - log(sum exp(x_i - max)), the shifted form of "
    "Blanchard, Higham, Higham 2021, section 2.",
    algorithm=_algorithm,
    peers=(
        Peer("F.log_softmax", functional_log_softmax),
        Peer("x - torch.logsumexp(x)", minus_logsumexp),
    ),
)
