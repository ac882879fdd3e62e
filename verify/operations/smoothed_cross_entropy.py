"""Cross-entropy of logits against a smoothed label."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.log_softmax import log_softmax


def _definition(c: Any, x: Any, y: Any, e: Any) -> Any:
    """What is left to the label, and an equal share of every class."""
    every = c.sum(lambda j: c.call(cross_entropy_with_logits, x, j), over=x)
    return (1 - e) * c.call(cross_entropy_with_logits, x, y) + e / c.count(x) * every


def _notation(x: str, y: str, e: str) -> str:
    return rf"\operatorname{{ce}}_{{{e}}}({x}, {y})"


def _algorithm(c: Any, x: Any, y: Any, e: Any) -> Any:
    """From one log_softmax, as torch has it."""
    scores = c.standard(log_softmax, x)
    every = c.sum(lambda j: -scores[j], over=scores)
    return (1 - e) * -scores[y] + e / c.count(scores) * every


def _against_probabilities(c: Any, x: Any, y: Any, e: Any) -> Any:
    scores = c.standard(log_softmax, x)
    share = e / c.count(scores)
    return -c.sum(lambda j: ((1 - e) * c.equal(j, y) + share) * scores[j], over=scores)


def cross_entropy_with_label_smoothing(torch: Any, x: Any, y: Any, e: Any) -> Any:
    """The cross_entropy of torch.nn.functional with label smoothing."""
    return torch.nn.functional.cross_entropy(x, y, label_smoothing=float(e))


def cross_entropy_against_smoothed_label(torch: Any, x: Any, y: Any, e: Any) -> Any:
    """The cross_entropy of torch.nn.functional against the smoothed one-hot label."""
    label = torch.nn.functional.one_hot(y, len(x)).to(x.dtype)
    return torch.nn.functional.cross_entropy(x, (1 - e) * label + e / len(x))


smoothed_cross_entropy = Operation(
    id="smoothed_cross_entropy",
    summary="cross-entropy of softmax(x) against the label y a share e spread over all classes, in nats",
    definition=_definition,
    notation=_notation,
    source="Szegedy et al. 2016, section 7; torch.nn.functional.cross_entropy with label_smoothing. "
    "Algorithm: both parts from one log_softmax.",
    algorithm=_algorithm,
    peers=(
        Peer("F.cross_entropy(g, y, label_smoothing)", cross_entropy_with_label_smoothing),
        Peer(
            "F.cross_entropy(g, smoothed one-hot)",
            cross_entropy_against_smoothed_label,
            _against_probabilities,
        ),
    ),
)
