"""Logarithm of softmax."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation
from verify.operations.softmax import softmax


def _definition(c: Any, x: Any) -> Any:
    s = c.call(softmax, x)
    return c.family(lambda j: c.log(s[j]), over=x)


def _notation(x: str) -> str:
    return rf"\log \operatorname{{softmax}}({x})"


log_softmax = Operation(
    id="log_softmax",
    summary="logarithm of the softmax probabilities, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition.",
)
