"""Shannon entropy."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, p: Any) -> Any:
    return -c.sum(lambda i: c.xlogy(p[i], p[i]), over=p)


def _notation(p: str) -> str:
    return rf"H({p})"


def categorical_entropy(torch: Any, p: Any) -> Any:
    """The entropy of a Categorical distribution made from probabilities."""
    return torch.distributions.Categorical(probs=p).entropy()


def summed_entr(torch: Any, p: Any) -> Any:
    """The sum of torch.special.entr."""
    return torch.special.entr(p).sum()


entropy = Operation(
    id="entropy",
    summary="entropy of a probability vector, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Shannon 1948. The definition is also the algorithm: its terms have one sign.",
    algorithm=_definition,
    peers=(
        Peer("Categorical(probs).entropy", categorical_entropy),
        Peer("torch.special.entr(p).sum", summed_entr),
    ),
)
