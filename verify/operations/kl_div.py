"""Kullback-Leibler divergence."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from typing import Any

from verify.contract import Arguments, Contract, Gradient, Options, mapped, one_of, where_zero, without_tiny
from verify.domain import Declaration, distribution, real
from verify.entries import (
    called_with,
    edge,
    flag,
    given_entries,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
    times_quotient_of_equals,
    together,
    without_zeros,
)
from verify.operation import Operation, Peer
from verify.tables import AXES, rows_apart


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


def _entry(c: Any, options: Options, x: Any, t: Any) -> Any:
    """The term of the definition for x = log q and t = p, or t = log p with ``log_target``."""
    return c.exp(t) * (t - x) if options["log_target"] else c.xlogy(t, t) - t * x


def _entry_by_ratio(c: Any, options: Options, x: Any, t: Any) -> Any:
    """As the documentation of torch writes it: t (log t - x)."""
    return c.exp(t) * (t - x) if options["log_target"] else t * (c.log(t) - x)


def _gradient(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    return -(g * (c.exp(t) if options["log_target"] else t))


def _target_gradient(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    return g * (c.exp(t) * (t - x + 1) if options["log_target"] else c.log(t) + 1 - x)


def _target_gradient_algorithm(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """Factor by factor, as autograd has it."""
    if not options["log_target"]:
        return g * (c.log(t) + 1) - g * x
    p = c.exp(t)
    return g * (t - x) * p + g * p


def _target_gradient_by_ratio(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """From the logarithm of the ratio, which is rounded first."""
    return g * (c.exp(t) * ((t - x) + 1) if options["log_target"] else (c.log(t) - x) + 1)


def _target_gradient_by_products(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """What autograd makes of t log t - t x: each product's derivatives in both factors, the last first."""
    if options["log_target"]:
        return _target_gradient_algorithm(c, options, g, x, t)
    return (g * c.log(t) - g * x) + times_quotient_of_equals(g)


def _entry_conditioning(c: Any, options: Options, x: Any, t: Any) -> Any:
    """|p x| + |p (log p + 1 - x)|, or with ``log_target`` |p x| + |p (t - x + 1) t|."""
    if options["log_target"]:
        p = c.exp(t)
        return c.abs(p * x) + c.abs(p * (t - x + 1) * t)
    return c.abs(t * x) + c.abs(c.xlogy(t, t) + t * (1 - x))


def _logarithms(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    x, target = values
    if options["zeros"] == "masked" and options["log_target"]:
        return None
    if options["log_target"]:
        return _below_zero(x), _below_zero(target)
    if options["zeros"]:
        return _below_zero(x), target
    return _below_zero(x), _above_underflow(target)


def _above_underflow(target: Any) -> Any:
    """None below 2^-100: autograd multiplies a probability by the upstream gradient and divides it again."""
    return without_zeros(mapped(lambda number: without_tiny(number, Fraction(1, 2**100)), target))


def _given(options: Options) -> tuple[Declaration, ...]:
    """A target with zeros only where its gradient is not asked for."""
    positive = not options["zeros"]
    probabilities = partial(distribution, positive=positive)
    return given_entries({"input": real, "target": real if options["log_target"] else probabilities})(options)


def _arguments(options: Options, values: tuple[Any, ...]) -> Arguments:
    """The input and the target; where it is asked for log q is -inf where p is 0, which changes no term."""
    x, target = values
    if options["zeros"] == "masked":
        x = together(lambda number, p: where_zero(number, p, -math.inf), x, target)
    return called_with("input", "target")(options, (x, target))


def _below_zero(value: Any) -> Any:
    """A drawn value with every number made negative or 0: logarithms of probabilities."""
    return mapped(lambda number: -abs(number), value)


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
        given=_given,
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry),
        alternatives=(losses_in_any_order(_entry_by_ratio),),
        conditioning=losses_in_any_order(_entry_conditioning),
        gradients=(
            Gradient("input", loss_gradient(_gradient), loss_gradient(_gradient)),
            Gradient(
                "target",
                loss_gradient(_target_gradient),
                loss_gradient(_target_gradient_algorithm),
                alternatives=(
                    loss_gradient(_target_gradient),
                    loss_gradient(_target_gradient_by_ratio),
                    loss_gradient(_target_gradient_by_products),
                ),
                where={"zeros": (False,)},
                optional=True,
            ),
        ),
        rowwise=rows_apart,
        arguments=_arguments,
        tensors=2,
        options=(
            AXES,
            one_of("reduction", "batchmean", "sum", "none", "mean", default="mean"),
            flag("log_target"),
            edge("zeros", "masked"),
        ),
        prepare=_logarithms,
    ),
)
