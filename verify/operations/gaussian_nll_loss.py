"""Negative log-likelihood of a normal distribution."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Option, Options, clamped, mapped
from verify.domain import positive, real
from verify.entries import (
    called_with,
    flag,
    given_entries,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
)
from verify.operation import Operation, Peer
from verify.tables import AXES, REDUCTION, rows_apart


def _definition(c: Any, x: Any, t: Any, v: Any) -> Any:
    return (c.log(v) + (x - t) ** 2 / v) / 2


def _notation(x: str, t: str, v: str) -> str:
    return rf"\frac12\left(\log {v} + \frac{{({x} - {t})^2}}{{{v}}}\right)"


def functional_gaussian_nll_loss(torch: Any, x: Any, t: Any, v: Any) -> Any:
    """The gaussian_nll_loss of torch.nn.functional."""
    return torch.nn.functional.gaussian_nll_loss(x, t, v)


def _entry(c: Any, options: Options, x: Any, t: Any, v: Any) -> Any:
    loss = c.call(gaussian_nll_loss, x, t, v)
    return loss + c.log(2 * c.pi()) / 2 if options["full"] else loss


def _entry_by_scale(c: Any, options: Options, x: Any, t: Any, v: Any) -> Any:
    """By the standard deviation s, as torch.distributions has it: ((x - t) / s)^2 / 2 + log s."""
    s = c.sqrt(v)
    z = (x - t) / s
    loss = z * z / 2 + c.log(s)
    return loss + c.log(2 * c.pi()) / 2 if options["full"] else loss


def _gradient_by_scale(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    s = c.sqrt(v)
    return g * ((x - t) / s / s)


def _variance_gradient_by_scale(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    """That in the standard deviation, then through the square root."""
    s = c.sqrt(v)
    z = (x - t) / s
    return (g / s - g * (z * z / s)) / (2 * s)


def _gradient(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    return g * ((x - t) / v)


def _gradient_by_steps(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    """Through the square, as autograd has it: g / v is rounded first."""
    return g / v * (x - t)


def _variance_gradient(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    return g * ((1 - (x - t) ** 2 / v) / (2 * v))


def _variance_gradient_by_terms(c: Any, options: Options, g: Any, x: Any, t: Any, v: Any) -> Any:
    """That of the logarithm and that of the quotient, as autograd has it."""
    half = g / 2
    return half / v - half * ((x - t) ** 2 / v / v)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Variances from 2^-19 to 2^40: above every eps, so that torch's clamp at eps changes nothing."""
    x, t, v = values
    return x, t, mapped(lambda number: clamped(number * 2**19, 1, 2**59) / 2**19, v)


def _below_the_variances(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1e-6


gaussian_nll_loss = Operation(
    id="gaussian_nll_loss",
    summary="negative log-likelihood of t under a normal distribution of mean x and variance v, without "
    "the constant, in nats",
    definition=_definition,
    notation=_notation,
    source="Nix and Weigend 1994; torch.nn.functional.gaussian_nll_loss. "
    "The definition is also the algorithm.",
    algorithm=_definition,
    peers=(Peer("F.gaussian_nll_loss", functional_gaussian_nll_loss),),
    contract=Contract(
        name="gaussian_nll_loss",
        namesake="torch.nn.functional.gaussian_nll_loss",
        given=given_entries({"input": real, "target": real, "var": positive}),
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry),
        alternatives=(losses_in_any_order(_entry_by_scale),),
        gradients=(
            Gradient(
                "input",
                loss_gradient(_gradient),
                loss_gradient(_gradient_by_steps),
                alternatives=(loss_gradient(_gradient), loss_gradient(_gradient_by_scale)),
            ),
            Gradient(
                "var",
                loss_gradient(_variance_gradient),
                loss_gradient(_variance_gradient_by_terms),
                alternatives=(
                    loss_gradient(_variance_gradient),
                    loss_gradient(_variance_gradient_by_scale),
                ),
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target", "var"),
        tensors=3,
        options=(
            AXES,
            REDUCTION,
            flag("full"),
            Option("eps", (1e-6, 1e-8), 1e-6, _below_the_variances, rule="a number from 0 to 1e-6"),
        ),
        prepare=_prepare,
    ),
)
