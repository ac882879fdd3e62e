"""Negative log-likelihood of a Poisson distribution."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Option, Options, clamped, mapped, one_of, parameter
from verify.domain import Declaration, nonnegative, real, whole
from verify.entries import (
    called_with,
    flag,
    given_entries,
    is_zero,
    loss_gradient,
    losses,
    losses_in_any_order,
    losses_shape,
)
from verify.operation import Operation, Peer
from verify.tables import AXES, REDUCTION, rows_apart


def _definition(c: Any, x: Any, t: Any) -> Any:
    return c.exp(x) - t * x


def _notation(x: str, t: str) -> str:
    return rf"e^{{{x}}} - {t} {x}"


def functional_poisson_nll_loss(torch: Any, x: Any, t: Any) -> Any:
    """The poisson_nll_loss of torch.nn.functional."""
    return torch.nn.functional.poisson_nll_loss(x, t, reduction="sum")


def _plain(c: Any, options: Options, x: Any, t: Any) -> Any:
    if options["log_input"]:
        return c.call(poisson_nll_loss, x, t)
    return x - t * c.log(x + parameter(c, options, "eps"))


def _stirling(c: Any, t: Any) -> Any:
    return t * c.log(t) - t + c.log(2 * c.pi() * t) / 2


def _entry(c: Any, options: Options, x: Any, t: Any) -> Any:
    """With ``full``, Stirling's approximation of log t! for t > 1, as torch documents it."""
    if not options["full"]:
        return _plain(c, options, x, t)
    none, one = is_zero(c, t), is_zero(c, t - 1)
    return loss_with_constant(c, options, x, t, 1 - none - one, t + none)


def loss_with_constant(c: Any, options: Options, x: Any, t: Any, share: Any, count: Any) -> Any:
    """The loss plus ``share`` times Stirling's approximation for ``count``."""
    return _plain(c, options, x, t) + share * _stirling(c, count)


def _entry_algorithm(c: Any, options: Options, x: Any, t: Any) -> Any:
    if not options["full"]:
        return _plain(c, options, x, t)
    return _plain(c, options, x, t) + c.clamp(t - 1, 0, 1) * _stirling(c, c.maximum(t, 1))


def gradient_of_entry(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """The derivative by x, times g: with or without the constant."""
    if options["log_input"]:
        return g * (c.exp(x) - t)
    return g * (1 - t / (x + parameter(c, options, "eps")))


def _gradient_by_terms(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """That of each term, as autograd has it."""
    if options["log_input"]:
        return g * c.exp(x) - g * t
    return g - g * t / (x + parameter(c, options, "eps"))


def _gradient_of_the_quotient(c: Any, options: Options, g: Any, x: Any, t: Any) -> Any:
    """As (x - t) / x, a quotient also at t = 0: by a rounded reciprocal it is not exactly 1 there."""
    if options["log_input"]:
        return gradient_of_entry(c, options, g, x, t)
    rate = x + parameter(c, options, "eps")
    return g * ((rate - t) / rate)


def _given(options: Options) -> tuple[Declaration, ...]:
    return given_entries({"input": real if options["log_input"] else nonnegative, "target": whole})(options)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Counts from 0; logarithms of rates from -100 to 10, so that no rate overflows in float16."""
    x, t = values
    if options["log_input"]:
        x = mapped(lambda number: clamped(number, -100, 10), x)
    return x, mapped(lambda number: number - 1, t)


def _is_small(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value <= 1


poisson_nll_loss = Operation(
    id="poisson_nll_loss",
    summary="negative log-likelihood of the count t under a Poisson distribution of rate exp(x), without "
    "log t!, in nats",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.poisson_nll_loss. The definition is also the algorithm.",
    algorithm=_definition,
    peers=(Peer("F.poisson_nll_loss", functional_poisson_nll_loss),),
    contract=Contract(
        name="poisson_nll_loss",
        namesake="torch.nn.functional.poisson_nll_loss",
        given=_given,
        shape=losses_shape,
        definition=losses(_entry),
        algorithm=losses_in_any_order(_entry_algorithm),
        gradients=(
            Gradient(
                "input",
                loss_gradient(gradient_of_entry),
                loss_gradient(_gradient_by_terms),
                alternatives=(
                    loss_gradient(gradient_of_entry),
                    loss_gradient(_gradient_of_the_quotient),
                ),
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target"),
        tensors=2,
        options=(
            AXES,
            REDUCTION,
            one_of("log_input", True, False, default=True),
            flag("full"),
            Option("eps", (1e-8, 1e-3), 1e-8, _is_small, rule="a number above 0, at most 1"),
        ),
        prepare=_prepare,
    ),
)
