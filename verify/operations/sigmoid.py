"""The logistic sigmoid."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, z: Any) -> Any:
    return 1 / (1 + c.exp(-z))


def _notation(z: str) -> str:
    return rf"\sigma({z})"


def torch_sigmoid(torch: Any, z: Any) -> Any:
    """torch.sigmoid."""
    return torch.sigmoid(z)


def special_expit(torch: Any, z: Any) -> Any:
    """torch.special.expit."""
    return torch.special.expit(z)


sigmoid = Operation(
    id="sigmoid",
    summary="logistic function: the probability whose log-odds are z",
    definition=_definition,
    notation=_notation,
    source="Definition, which is also the algorithm: its relative error is small for every z.",
    algorithm=_definition,
    peers=(Peer("torch.sigmoid", torch_sigmoid), Peer("torch.special.expit", special_expit)),
)
