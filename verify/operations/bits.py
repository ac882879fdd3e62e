"""Information content in bits."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, p: Any) -> Any:
    return -c.log(p) / c.log(2)


def _notation(p: str) -> str:
    return rf"I({p})"


def _algorithm(c: Any, p: Any) -> Any:
    return -c.log2(p)


def minus_log2(torch: Any, p: Any) -> Any:
    """Minus the logarithm to base 2."""
    return -torch.log2(p)


def log_over_log_two(torch: Any, p: Any) -> Any:
    """Minus the natural logarithm over that of 2."""
    return -torch.log(p) / torch.log(torch.tensor(2.0, dtype=p.dtype, device=p.device))


bits = Operation(
    id="bits",
    summary="information content of an event of probability p, in bits",
    definition=_definition,
    notation=_notation,
    source="Shannon 1948. Algorithm: the logarithm to base 2.",
    algorithm=_algorithm,
    peers=(
        Peer("-torch.log2(p)", minus_log2),
        Peer("-torch.log(p) / torch.log(2)", log_over_log_two, _definition),
    ),
)
