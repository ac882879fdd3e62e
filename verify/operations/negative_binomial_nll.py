"""Negative log-likelihood of a negative binomial distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from verify.contract import Contract, Gradient, Options, clamped, mapped
from verify.domain import positive, real, whole
from verify.entries import (
    called_with,
    given_entries,
    is_zero,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
)
from verify.operation import Operation, Peer
from verify.operations.sigmoid import sigmoid
from verify.operations.softplus import softplus, softplus_by_log1p
from verify.tables import AXES, REDUCTION

Softplus = Callable[[Any, Any], Any]
"""``softplus_of(c, z)``, an algorithm."""

MOST = 4
"""The largest count: log Gamma of r + y and of r differ by as many logarithms as the count says."""


def _counted(c: Any, y: Any) -> list[Any]:
    """For k = 0, 1, ... below `MOST`, 1 where k < y, else 0, in the vocabulary of definitions."""
    equal = [is_zero(c, y - j) for j in range(1, MOST + 1)]
    return [sum(equal[k + 1 :], start=equal[k]) for k in range(MOST)]


def loss_of_counted(c: Any, r: Any, z: Any, y: Any, counted: Sequence[Any]) -> Any:
    """With log Gamma(y + r) - log Gamma(r) as the sum of log(r + k) over the k that ``counted`` marks."""
    gammas = sum(
        (n * (c.log(c.number(k + 1)) - c.log(r + k)) for k, n in enumerate(counted)), start=c.number(0)
    )
    return r * c.call(softplus, z) + y * c.call(softplus, -z) + gammas


def _definition(c: Any, r: Any, z: Any, y: Any) -> Any:
    """The sum is over k < y, for y up to `MOST`."""
    return loss_of_counted(c, r, z, y, _counted(c, y))


def _notation(r: str, z: str, y: str) -> str:
    return rf"-\log \operatorname{{NB}}({y} \mid {r}, {z})"


def _standard_softplus(c: Any, z: Any) -> Any:
    return c.standard(softplus, z)


def _algorithm_by(softplus_of: Softplus) -> Callable[..., Any]:
    """The same sum of logarithms, with softplus by an algorithm."""

    def algorithm(c: Any, r: Any, z: Any, y: Any) -> Any:
        gammas = sum(
            (c.clamp(y - k, 0, 1) * (c.log(c.number(k + 1)) - c.log(r + k)) for k in range(MOST)),
            start=c.number(0),
        )
        return r * softplus_of(c, z) + y * softplus_of(c, -z) + gammas

    return algorithm


_algorithm = _algorithm_by(_standard_softplus)
_algorithm_by_log1p = _algorithm_by(softplus_by_log1p)


def negative_binomial_log_prob(torch: Any, r: Any, z: Any, y: Any) -> Any:
    """Minus the log_prob of a NegativeBinomial distribution, whose lgamma cancel for a large r."""
    return -torch.distributions.NegativeBinomial(r, logits=z).log_prob(y)


def _entry(c: Any, options: Options, r: Any, z: Any, y: Any) -> Any:
    return c.call(negative_binomial_nll, r, z, y)


def _entry_algorithm(c: Any, options: Options, r: Any, z: Any, y: Any) -> Any:
    return c.standard(negative_binomial_nll, r, z, y)


def _entry_by_log1p(c: Any, options: Options, r: Any, z: Any, y: Any) -> Any:
    """With softplus as log1p(exp(z)), as torch has it."""
    return _algorithm_by_log1p(c, r, z, y)


def gradient_of_counted(c: Any, g: Any, r: Any, z: Any, counted: Sequence[Any]) -> Any:
    """The derivative of `loss_of_counted` by r, times g."""
    shares = sum((n / (r + k) for k, n in enumerate(counted)), start=c.number(0))
    return g * (c.call(softplus, z) - shares)


def _count_gradient(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
    return gradient_of_counted(c, g, r, z, _counted(c, y))


def _count_gradient_by_terms(softplus_of: Softplus) -> Callable[..., Any]:
    """That of each term, as autograd has it."""

    def gradient(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
        shares = sum((g * c.clamp(y - k, 0, 1) / (r + k) for k in range(MOST)), start=c.number(0))
        return g * softplus_of(c, z) - shares

    return loss_gradient(gradient)


def _count_gradient_at_once(softplus_of: Softplus) -> Callable[..., Any]:
    """The upstream gradient times the difference."""

    def gradient(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
        shares = sum((c.clamp(y - k, 0, 1) / (r + k) for k in range(MOST)), start=c.number(0))
        return g * (softplus_of(c, z) - shares)

    return loss_gradient(gradient)


def logits_gradient(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
    """The derivative by the logit, times g: log Gamma does not depend on it."""
    return g * (r * c.call(sigmoid, z) - y * c.call(sigmoid, -z))


def _logits_gradient_by_terms(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
    """That of each softplus, as autograd has it."""
    return g * r * c.standard(sigmoid, z) - g * y * c.standard(sigmoid, -z)


def _logits_gradient_at_once(c: Any, options: Options, g: Any, r: Any, z: Any, y: Any) -> Any:
    """The upstream gradient times the difference."""
    return g * (r * c.standard(sigmoid, z) - y * c.standard(sigmoid, -z))


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    r, z, y = values
    return r, z, mapped(lambda number: clamped(number - 1, 0, MOST), y)


negative_binomial_nll = Operation(
    id="negative_binomial_nll",
    summary="negative log-likelihood of the count y of successes of log-odds z before r failures, in nats",
    definition=_definition,
    notation=_notation,
    source="Greenwood and Yule 1920; torch.distributions.NegativeBinomial. "
    "Algorithm: a sum of logarithms for the quotient of Gammas, in which nothing large cancels.",
    algorithm=_algorithm,
    peers=(Peer("-NegativeBinomial(r, logits=z).log_prob(y)", negative_binomial_log_prob),),
    contract=Contract(
        name="negative_binomial_nll",
        namesake="-torch.distributions.NegativeBinomial(total_count, logits=logits).log_prob(target)",
        given=given_entries({"total_count": positive, "logits": real, "target": whole}),
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry_algorithm),
        alternatives=(losses_in_any_order(_entry_by_log1p),),
        gradients=(
            Gradient(
                "total_count",
                loss_gradient(_count_gradient),
                _count_gradient_by_terms(_standard_softplus),
                alternatives=tuple(
                    gradient_by(softplus_of)
                    for gradient_by in (_count_gradient_by_terms, _count_gradient_at_once)
                    for softplus_of in (_standard_softplus, softplus_by_log1p)
                ),
            ),
            Gradient(
                "logits",
                loss_gradient(logits_gradient),
                loss_gradient(_logits_gradient_by_terms),
                alternatives=(loss_gradient(_logits_gradient_at_once),),
            ),
        ),
        arguments=called_with("total_count", "logits", "target"),
        tensors=3,
        options=(AXES, REDUCTION),
        prepare=_prepare,
    ),
)
