"""Cross-entropy of two distributions."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.log_softmax import log_softmax


def _definition(c: Any, p: Any, q: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], q[i]), over=p)


def _notation(p: str, q: str) -> str:
    return f"H({p}, {q})"


def _through_log_softmax(c: Any, p: Any, q: Any) -> Any:
    scores = c.standard(log_softmax, c.family(lambda i: c.log(q[i]), over=q))
    return -c.sum(lambda i: p[i] * scores[i], over=p)


def functional_cross_entropy(torch: Any, p: Any, q: Any) -> Any:
    """The cross_entropy of torch.nn.functional with log q as logits and p as target."""
    return torch.nn.functional.cross_entropy(torch.log(q), p)


def summed_xlogy(torch: Any, p: Any, q: Any) -> Any:
    """Minus the sum of torch.xlogy."""
    return -torch.xlogy(p, q).sum()


cross_entropy = Operation(
    id="cross_entropy",
    summary="cross-entropy H(p, q) of two probability vectors, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Definition; Cover and Thomas, Elements of Information Theory, problem 2.24 and chapter 5. "
    "The definition is also the algorithm: its terms have one sign.",
    algorithm=_definition,
    peers=(
        Peer("F.cross_entropy(log q, p)", functional_cross_entropy, _through_log_softmax),
        Peer("-torch.xlogy(p, q).sum", summed_xlogy),
    ),
)
