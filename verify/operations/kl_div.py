"""Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options, mapped, one_of
from verify.domain import distribution, real
from verify.operation import Operation, Peer
from verify.tables import (
    by_entries,
    inputs_only,
    reduced,
    reduced_in_any_order,
    reduced_table_shape,
    upstream_at,
)


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


def _divisor(c: Any, options: Options, x: Any) -> Any:
    return c.count(x) if options["reduction"] == "batchmean" else c.number(len(x) * len(x[1]))


def _term(c: Any, p: Any, a: Any) -> Any:
    """The term of the definition for a = log q."""
    return c.xlogy(p, p) - p * a


def _losses(c: Any, options: Options, x: Any, target: Any) -> Any:
    terms = by_entries(c, lambda a, p: _term(c, p, a), x, target)
    return reduced(c, options, terms, lambda: _divisor(c, options, x))


def _losses_algorithm(c: Any, options: Options, x: Any, target: Any) -> Any:
    terms = by_entries(c, lambda a, p: _term(c, p, a), x, target)
    return reduced_in_any_order(c, options, terms, lambda: _divisor(c, options, x))


def _gradient(c: Any, options: Options, g: Any, x: Any, target: Any) -> Any:
    upstream = upstream_at(c, options, g, lambda: _divisor(c, options, x))
    return c.family(
        lambda i: c.family(lambda j: -(target[i, j] * upstream(i, j)), over=target[i]), over=target
    )


def _log_probabilities(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    x, target = values
    return mapped(lambda a: -abs(a), x), target


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
    contract=Contract(
        name="kl_div",
        namesake="torch.nn.functional.kl_div",
        given=(real("input", "N", "C"), distribution("target", "N", "C")),
        shape=reduced_table_shape,
        definition=_losses,
        algorithm=_losses_algorithm,
        gradients=(Gradient("input", _gradient, _gradient),),
        arguments=inputs_only("input", "target"),
        tensors=2,
        options=(one_of("reduction", "batchmean", "sum", "none", "mean", default="mean"),),
        prepare=_log_probabilities,
    ),
)
