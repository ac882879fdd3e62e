"""Negative log-likelihood of one label."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.log_softmax import log_softmax


def _definition(c: Any, q: Any, y: Any) -> Any:
    return -c.log(q[y])


def _notation(q: str, y: str) -> str:
    return rf"\operatorname{{nll}}({q}, {y})"


def _through_log_softmax(c: Any, q: Any, y: Any) -> Any:
    logs = c.family(lambda i: c.log(q[i]), over=q)
    return -c.standard(log_softmax, logs)[y]


def functional_nll_loss(torch: Any, q: Any, y: Any) -> Any:
    """The nll_loss of torch.nn.functional on log q."""
    return torch.nn.functional.nll_loss(torch.log(q), y)


def functional_cross_entropy(torch: Any, q: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional with log q as logits; q has to sum to 1."""
    return torch.nn.functional.cross_entropy(torch.log(q), y)


def minus_log(torch: Any, q: Any, y: Any) -> Any:
    """Minus the logarithm of the entry."""
    return -torch.log(q[y])


nll = Operation(
    id="nll",
    summary="minus the log of the probability that q gives to label y, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition, which is also the algorithm.",
    algorithm=_definition,
    peers=(
        Peer("F.nll_loss(log q, y)", functional_nll_loss),
        Peer("F.cross_entropy(log q, y)", functional_cross_entropy, _through_log_softmax),
        Peer("-torch.log(q[y])", minus_log),
    ),
)
