"""Negative log-likelihood of a Laplace distribution."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import positive, real
from verify.entries import (
    above_zero,
    called_with,
    edge,
    given_entries,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
    together,
)
from verify.operation import Operation, Peer
from verify.tables import AXES, REDUCTION, rows_apart


def _definition(c: Any, x: Any, t: Any, b: Any) -> Any:
    """With the magnitude as exp(log(a^2) / 2), which is 0 at a = 0."""
    return c.log(2 * b) + c.exp(c.log((x - t) ** 2) / 2) / b


def _notation(x: str, t: str, b: str) -> str:
    return rf"\log 2 {b} + \frac{{|{x} - {t}|}}{{{b}}}"


def _algorithm(c: Any, x: Any, t: Any, b: Any) -> Any:
    return c.log(2 * b) + c.abs(x - t) / b


def laplace_log_prob(torch: Any, x: Any, t: Any, b: Any) -> Any:
    """Minus the log_prob of a Laplace distribution."""
    return -torch.distributions.Laplace(x, b).log_prob(t)


def _entry(c: Any, options: Options, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """The definition, with the magnitude of x - t as sign (x - t)."""
    return c.log(2 * b) + sign * (x - t) / b


def _entry_algorithm(c: Any, options: Options, x: Any, t: Any, b: Any, sign: Any) -> Any:
    return c.standard(laplace_nll, x, t, b)


def _entry_of_two_logarithms(c: Any, options: Options, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """With log 2 as a constant of its own, added last."""
    return (c.log(b) + c.abs(x - t) / b) + c.log(c.number(2))


def _entry_by_reciprocal(c: Any, options: Options, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """By the inverse scale, which is rounded first."""
    return c.log(2 * b) + c.abs(x - t) * (1 / b)


def _gradient(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    return g * sign / b


def _gradient_by_reciprocal(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    return g * sign * (1 / b)


def _scale_gradient(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    return g * ((1 - sign * (x - t) / b) / b)


def _scale_gradient_by_terms(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """That of the logarithm and that of the quotient, as autograd has it."""
    return g / b - g * (sign * (x - t) / b / b)


def _scale_gradient_by_reciprocal(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """What autograd makes of `_entry_by_reciprocal`: the reciprocal squared."""
    inverse = 1 / b
    return g / b - g * (sign * (x - t)) * inverse * inverse


def _scale_gradient_over_square(c: Any, options: Options, g: Any, x: Any, t: Any, b: Any, sign: Any) -> Any:
    """(b - |x - t|) / b^2: three roundings of the whole, where the terms have one each at x = t."""
    return g * ((b - sign * (x - t)) / (b * b))


def _apart(x: Any, t: Any) -> Any:
    """A number other than t: x, or where they are the same 2 x, or 1 for 0."""
    same = 1 - above_zero(abs(x - t))
    return x + same * (x + 1 - above_zero(abs(x)))


def _sign(x: Any, t: Any) -> Any:
    return above_zero(x - t) - above_zero(t - x)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fourth variable becomes the sign of x - t; without ties it is not 0."""
    x, t, b, _ = values
    x = x if options["ties"] else together(_apart, x, t)
    return x, t, b, together(_sign, x, t)


laplace_nll = Operation(
    id="laplace_nll",
    summary="negative log-likelihood of t under a Laplace distribution of median x and scale b, in nats",
    definition=_definition,
    notation=_notation,
    source="Laplace 1774; torch.distributions.Laplace. Algorithm: the same with the magnitude as it is.",
    algorithm=_algorithm,
    peers=(Peer("-Laplace(x, b).log_prob(t)", laplace_log_prob),),
    contract=Contract(
        name="laplace_nll",
        namesake="-torch.distributions.Laplace(input, scale).log_prob(target), reduced",
        given=given_entries({"input": real, "target": real, "scale": positive, "sign": real}),
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry_algorithm),
        alternatives=(
            losses_in_any_order(_entry_of_two_logarithms),
            losses_in_any_order(_entry_by_reciprocal),
        ),
        gradients=(
            Gradient(
                "input",
                loss_gradient(_gradient),
                loss_gradient(_gradient),
                alternatives=(loss_gradient(_gradient_by_reciprocal),),
                where={"ties": (False,)},
            ),
            Gradient(
                "scale",
                loss_gradient(_scale_gradient),
                loss_gradient(_scale_gradient_by_terms),
                alternatives=(
                    loss_gradient(_scale_gradient),
                    loss_gradient(_scale_gradient_by_reciprocal),
                    loss_gradient(_scale_gradient_over_square),
                ),
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target", "scale"),
        tensors=3,
        options=(AXES, REDUCTION, edge("ties")),
        prepare=_prepare,
    ),
)
