"""One-hot vectors."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, y: Any, over: Any) -> Any:
    return c.family(lambda i: c.equal(i, y), over=over)


def _notation(y: str, over: str) -> str:
    return rf"e_{{{y}}}"


one_hot = Operation(
    id="one_hot",
    summary="the probability vector with all its mass on label y",
    definition=_definition,
    notation=_notation,
    source="Indicator of the label; no rounding.",
)
