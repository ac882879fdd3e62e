"""Shannon entropy."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, p: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], p[i]), over=p)


def _notation(p: str) -> str:
    return rf"H({p})"


entropy = Operation(
    id="entropy",
    summary="entropy of a probability vector, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Shannon 1948.",
)
