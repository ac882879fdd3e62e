"""Perplexity."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, r: Any) -> Any:
    return c.exp(-c.sum(lambda i: c.log(r[i]), over=r) / c.count(r))


def _notation(r: str) -> str:
    return rf"\operatorname{{ppl}}({r})"


def exp_nll_loss(torch: Any, r: Any) -> Any:
    """The exponential of the mean nll_loss, one row and one class per probability."""
    labels = torch.zeros(len(r), dtype=torch.int64, device=r.device)
    return torch.exp(torch.nn.functional.nll_loss(torch.log(r).unsqueeze(1), labels))


def exp_minus_mean_log(torch: Any, r: Any) -> Any:
    """The exponential of minus the mean logarithm."""
    return torch.exp(-torch.log(r).mean())


perplexity = Operation(
    id="perplexity",
    summary="exponential of the mean negative log-likelihood of the probabilities r",
    definition=_definition,
    notation=_notation,
    source="Jelinek, Mercer, Bahl, Baker 1977. The definition is also the algorithm.",
    algorithm=_definition,
    peers=(
        Peer("torch.exp(F.nll_loss(log r))", exp_nll_loss),
        Peer("torch.exp(-torch.log(r).mean())", exp_minus_mean_log),
    ),
)
