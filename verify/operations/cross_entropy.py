"""Cross-entropy: of two distributions, and of a label against logits."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.log_softmax import log_softmax
from verify.operations.nll import nll
from verify.operations.softmax import softmax


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


def _logits_definition(c: Any, g: Any, y: Any) -> Any:
    return c.call(nll, c.call(softmax, g), y)


def _logits_notation(g: str, y: str) -> str:
    return rf"\operatorname{{ce}}({g}, {y})"


def _logits_algorithm(c: Any, g: Any, y: Any) -> Any:
    return -c.standard(log_softmax, g)[y]


def functional_cross_entropy_of_logits(torch: Any, g: Any, y: Any) -> Any:
    """The cross_entropy of torch.nn.functional with a class index."""
    return torch.nn.functional.cross_entropy(g, y)


def nll_of_log_softmax(torch: Any, g: Any, y: Any) -> Any:
    """The nll_loss of log_softmax."""
    return torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(g, dim=0), y)


def categorical_log_prob(torch: Any, g: Any, y: Any) -> Any:
    """Minus the log_prob of a Categorical distribution made from logits."""
    return -torch.distributions.Categorical(logits=g).log_prob(y)


cross_entropy_with_logits = Operation(
    id="cross_entropy_with_logits",
    summary="negative log-likelihood of label y under softmax(g), in nats",
    definition=_logits_definition,
    notation=_logits_notation,
    source="Definition; torch.nn.functional.cross_entropy with a class index. Algorithm: log_softmax.",
    algorithm=_logits_algorithm,
    peers=(
        Peer("F.cross_entropy(g, y)", functional_cross_entropy_of_logits),
        Peer("F.nll_loss(F.log_softmax(g), y)", nll_of_log_softmax),
        Peer("-Categorical(logits).log_prob", categorical_log_prob),
    ),
)
