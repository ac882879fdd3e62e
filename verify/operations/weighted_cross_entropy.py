"""Mean cross-entropy of rows of logits with class weights."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.log_softmax import log_softmax


def _definition(c: Any, x: Any, y: Any, w: Any) -> Any:
    """The losses times the weights of their labels, divided by the sum of these weights."""
    total = c.sum(lambda n: w[y[n]] * c.call(cross_entropy_with_logits, x[n], y[n]), over=y)
    return total / c.sum(lambda n: w[y[n]], over=y)


def _notation(x: str, y: str, w: str) -> str:
    return rf"\overline{{\operatorname{{ce}}}}_{{{w}}}({x}, {y})"


def _algorithm(c: Any, x: Any, y: Any, w: Any) -> Any:
    scores = c.family(lambda n: c.standard(log_softmax, x[n]), over=x)
    total = c.sum(lambda n: w[y[n]] * -scores[n][y[n]], over=y)
    return total / c.sum(lambda n: w[y[n]], over=y)


def mean_cross_entropy_with_weight(torch: Any, x: Any, y: Any, w: Any) -> Any:
    """The cross_entropy of torch.nn.functional with class weights, averaged over the batch."""
    return torch.nn.functional.cross_entropy(x, y, weight=w)


def mean_nll_loss_with_weight(torch: Any, x: Any, y: Any, w: Any) -> Any:
    """The nll_loss of log_softmax with class weights, averaged over the batch."""
    return torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(x, dim=1), y, weight=w)


weighted_cross_entropy = Operation(
    id="weighted_cross_entropy",
    summary="mean negative log-likelihood of labels y under the softmaxes of x, weighted by class, in nats",
    definition=_definition,
    notation=_notation,
    source="torch.nn.functional.cross_entropy with weight. Algorithm: log_softmax of each row.",
    algorithm=_algorithm,
    peers=(
        Peer("F.cross_entropy(x, y, weight)", mean_cross_entropy_with_weight),
        Peer("F.nll_loss(F.log_softmax(x), y, weight)", mean_nll_loss_with_weight),
    ),
)
