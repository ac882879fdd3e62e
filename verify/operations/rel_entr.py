"""Relative entropy, entry by entry: the terms of the Kullback-Leibler divergence."""

from __future__ import annotations

from functools import partial
from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import Declaration, distribution
from verify.entries import (
    by_entry,
    called_with,
    edge,
    given_entries,
    times_quotient_of_equals,
    without_zeros,
)
from verify.operation import Operation, Peer
from verify.tables import AXES, input_shape, rows_apart


def _definition(c: Any, p: Any, q: Any) -> Any:
    return c.xlogy(p, p) - c.xlogy(p, q)


def _notation(p: str, q: str) -> str:
    return rf"{p} \log \frac{{{p}}}{{{q}}}"


def _of_the_quotient(c: Any, p: Any, q: Any) -> Any:
    """P log(p / q), as scipy computes it: one rounding before the logarithm."""
    return c.xlogy(p, p / q)


def _of_the_inverse_quotient(c: Any, p: Any, q: Any) -> Any:
    """-p log(q / p): as far off as p log(p / q), unless one of the quotients happens to be exact."""
    return -c.xlogy(p, q / p)


def difference_of_xlogy(torch: Any, p: Any, q: Any) -> Any:
    """The difference of two torch.xlogy."""
    return torch.xlogy(p, p) - torch.xlogy(p, q)


def xlogy_of_quotient(torch: Any, p: Any, q: Any) -> Any:
    """The torch.xlogy of p and p / q."""
    return torch.xlogy(p, p / q)


def _entry(c: Any, options: Options, p: Any, q: Any) -> Any:
    return c.call(rel_entr, p, q)


def _entry_algorithm(c: Any, options: Options, p: Any, q: Any) -> Any:
    return c.standard(rel_entr, p, q)


def _entry_of_the_quotient(c: Any, options: Options, p: Any, q: Any) -> Any:
    return _of_the_quotient(c, p, q)


def _entry_of_the_inverse_quotient(c: Any, options: Options, p: Any, q: Any) -> Any:
    """For a p above 0; else the same as `_entry_of_the_quotient`, as nobody divides by 0."""
    return (_of_the_quotient if options["zeros"] else _of_the_inverse_quotient)(c, p, q)


def _gradient(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    return g * (c.log(p) - c.log(q) + 1)


def _gradient_of_the_quotient(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    return g * (c.log(p / q) + 1)


def _gradient_by_products(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    """What autograd makes of p log p - p log q: the derivatives in both factors of each, the last first."""
    return (g * c.log(p) - g * c.log(q)) + times_quotient_of_equals(g)


def _gradient_of_the_quotient_by_products(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    """What autograd makes of p log(p / q): the second term is g p / (p / q) / q."""
    return g * c.log(p / q) + times_quotient_of_equals(times_quotient_of_equals(g))


def _second_gradient(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    return -(g * (p / q))


def _second_gradient_by_products(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    """What autograd makes of p log q."""
    return -(g * p / q)


def _second_gradient_of_the_quotient(c: Any, options: Options, g: Any, p: Any, q: Any) -> Any:
    """What autograd makes of p log(p / q)."""
    return -(g * p / (p / q) * (p / q / q))


def _given(options: Options) -> tuple[Declaration, ...]:
    """The first argument with zeros only where its gradient is not asked for; the second without."""
    first = partial(distribution, positive=not options["zeros"])
    return given_entries({"input": first, "target": partial(distribution, positive=True)})(options)


def _prepare(options: Options, values: tuple[Any, ...]) -> tuple[Any, ...]:
    p, q = values
    return p if options["zeros"] else without_zeros(p), without_zeros(q)


rel_entr = Operation(
    id="rel_entr",
    summary="term of the Kullback-Leibler divergence, p log(p / q), with 0 log 0 = 0",
    definition=_definition,
    notation=_notation,
    source="Kullback and Leibler 1951; scipy.special.rel_entr. "
    "Algorithm: the difference of two xlogy, as in torch's kl_div.",
    algorithm=_definition,
    peers=(
        Peer("torch.xlogy(p, p) - torch.xlogy(p, q)", difference_of_xlogy),
        Peer("torch.xlogy(p, p / q)", xlogy_of_quotient, _of_the_quotient),
    ),
    contract=Contract(
        name="rel_entr",
        namesake="scipy.special.rel_entr",
        given=_given,
        shape=input_shape,
        definition=by_entry(_entry),
        algorithm=by_entry(_entry_algorithm),
        alternatives=(by_entry(_entry_of_the_quotient), by_entry(_entry_of_the_inverse_quotient)),
        gradients=(
            Gradient(
                "input",
                by_entry(_gradient),
                by_entry(_gradient),
                alternatives=(
                    by_entry(_gradient_of_the_quotient),
                    by_entry(_gradient_by_products),
                    by_entry(_gradient_of_the_quotient_by_products),
                ),
                where={"zeros": (False,)},
            ),
            Gradient(
                "target",
                by_entry(_second_gradient),
                by_entry(_second_gradient),
                alternatives=(
                    by_entry(_second_gradient_by_products),
                    by_entry(_second_gradient_of_the_quotient),
                ),
            ),
        ),
        rowwise=rows_apart,
        arguments=called_with("input", "target"),
        tensors=2,
        options=(AXES, edge("zeros")),
        prepare=_prepare,
    ),
)
