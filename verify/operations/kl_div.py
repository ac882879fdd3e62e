"""Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

from verify.operation import Operation, Peer


def _definition(c: Any, p: Any, q: Any) -> Any:
    return c.sum(lambda i: c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i]), over=p)


def _notation(p: str, q: str) -> str:
    return rf"D_{{\mathrm{{KL}}}}({p} \,\|\, {q})"


def _from_logarithms(c: Any, p: Any, q: Any) -> Any:
    first = c.family(lambda i: c.log(p[i]), over=p)
    second = c.family(lambda i: c.log(q[i]), over=q)
    return c.sum(lambda i: c.exp(first[i]) * (first[i] - second[i]), over=p)


def functional_kl_div(torch: Any, p: Any, q: Any) -> Any:
    """The kl_div of torch.nn.functional on log q."""
    return torch.nn.functional.kl_div(torch.log(q), p, reduction="sum")


def functional_kl_div_of_logs(torch: Any, p: Any, q: Any) -> Any:
    """The kl_div of torch.nn.functional on log q and log p, for p without zeros."""
    if (p == 0).any():
        raise ValueError("log p is infinite at an entry of p that is 0")
    return torch.nn.functional.kl_div(torch.log(q), torch.log(p), reduction="sum", log_target=True)


def categorical_kl(torch: Any, p: Any, q: Any) -> Any:
    """The divergence of two Categorical distributions."""
    categorical = torch.distributions.Categorical
    return torch.distributions.kl_divergence(categorical(probs=p), categorical(probs=q))


def one_hot_categorical_kl(torch: Any, p: Any, q: Any) -> Any:
    """The divergence of two OneHotCategorical distributions."""
    one_hot = torch.distributions.OneHotCategorical
    return torch.distributions.kl_divergence(one_hot(probs=p), one_hot(probs=q))


kl_div = Operation(
    id="kl_div",
    summary="Kullback-Leibler divergence of q from p, in nats, with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Kullback and Leibler 1951. The definition is also the algorithm, as torch's kl_div has it.",
    algorithm=_definition,
    peers=(
        Peer("F.kl_div(log q, p)", functional_kl_div),
        Peer("F.kl_div(log q, log p, log_target)", functional_kl_div_of_logs, _from_logarithms),
        Peer("kl_divergence(Categorical)", categorical_kl),
        Peer("kl_divergence(OneHotCategorical)", one_hot_categorical_kl),
    ),
)
