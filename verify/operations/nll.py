"""Negative log-likelihood of one label."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, q: Any, y: Any) -> Any:
    return -c.log(q[y])


def _notation(q: str, y: str) -> str:
    return rf"\operatorname{{nll}}({q}, {y})"


nll = Operation(
    id="nll",
    summary="minus the log of the probability that q gives to label y, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition.",
)
