"""Information content in bits."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, p: Any) -> Any:
    return -c.log(p) / c.log(2)


def _notation(p: str) -> str:
    return rf"I({p})"


bits = Operation(
    id="bits",
    summary="information content of an event of probability p, in bits",
    definition=_definition,
    notation=_notation,
    source="Shannon 1948.",
)
