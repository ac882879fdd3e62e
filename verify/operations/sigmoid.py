"""The logistic sigmoid."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation


def _definition(c: Any, z: Any) -> Any:
    return 1 / (1 + c.exp(-z))


def _notation(z: str) -> str:
    return rf"\sigma({z})"


sigmoid = Operation(
    id="sigmoid",
    summary="logistic function: the probability whose log-odds are z",
    definition=_definition,
    notation=_notation,
    source="Definition.",
)
