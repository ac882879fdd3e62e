"""Cross-entropy: of two distributions, and of a label against logits."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation
from verify.operations.nll import nll
from verify.operations.softmax import softmax


def _definition(c: Any, p: Any, q: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], q[i]), over=p)


def _notation(p: str, q: str) -> str:
    return f"H({p}, {q})"


cross_entropy = Operation(
    id="cross_entropy",
    summary="cross-entropy H(p, q) of two probability vectors, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Definition; Cover and Thomas, Elements of Information Theory, problem 2.24 and chapter 5.",
)


def _logits_definition(c: Any, g: Any, y: Any) -> Any:
    return c.call(nll, c.call(softmax, g), y)


def _logits_notation(g: str, y: str) -> str:
    return rf"\operatorname{{ce}}({g}, {y})"


cross_entropy_with_logits = Operation(
    id="cross_entropy_with_logits",
    summary="negative log-likelihood of label y under softmax(g), in nats",
    definition=_logits_definition,
    notation=_logits_notation,
    source="Definition; torch.nn.functional.cross_entropy with a class index.",
)
