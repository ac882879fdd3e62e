"""Entries: functions applied number by number to families of one to three axes, and reduced to a loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from verify.contract import Arguments, Option, Options, Values, clamped, form, mapped
from verify.domain import Declaration
from verify.tables import input_shape

Entry = Callable[..., Any]
"""``entry(c, options, *numbers)``: the function at one place."""

Declare = Callable[..., Declaration]
"""What declares a variable from its name and shape, such as ``domain.real``."""


def losses_shape(options: Options) -> tuple[str, ...]:
    """The shape of a loss with one value for each entry, after its reduction."""
    return input_shape(options) if options["reduction"] == "none" else ()


def given_entries(
    entries: Mapping[str, Declare], columns: Mapping[str, Declare] | None = None
) -> Callable[[Options], tuple[Declaration, ...]]:
    """The variables by name: ``entries`` of the shape of the tensors, ``columns`` of the last axis alone."""

    def given(options: Options) -> tuple[Declaration, ...]:
        shape = input_shape(options)
        whole = [declare(name, *shape) for name, declare in entries.items()]
        return (*whole, *(declare(name, shape[-1]) for name, declare in (columns or {}).items()))

    return given


def flag(name: str) -> Option:
    """An option that is on or off, and off by default."""
    return Option(name, (False, True), False, lambda value: isinstance(value, bool))


def edge(name: str, *asked: str) -> Option:
    """The form of a call whose values may lie on the edge of the domain, where gradients may not exist.

    A gradient that exists inside only has ``where={name: (False,)}``. What is ``asked`` for lies beyond.
    """
    return form(name, True, False, asked=asked)


def unless(option: str, options: Options, value: Any) -> Any:
    """A drawn value where the option is on, and ones of its shape where it is off."""
    return value if options[option] else mapped(lambda number: 0 * number + 1, value)


def by_entry(entry: Entry, columns: int = 0) -> Callable[..., Any]:
    """``entry`` at every place of families of one shape.

    The last ``columns`` families have the last axis alone, and are taken at the place along it.
    """

    def applied(c: Any, options: Options, *families: Any) -> Any:
        def along(axes: int, rows: tuple[Any, ...], ends: tuple[Any, ...]) -> Any:
            if axes > 1:
                return c.family(lambda i: along(axes - 1, tuple(r[i] for r in rows), ends), over=rows[0])
            return c.family(lambda j: entry(c, options, *(r[j] for r in (*rows, *ends))), over=rows[0])

        cut = len(families) - columns
        return along(options["axes"], families[:cut], families[cut:])

    return applied


def conditioned(gradient: Entry) -> Entry:
    """|derivative| |number| in the first number, from ``gradient(c, options, upstream, *numbers)``."""
    return lambda c, options, *x: c.abs(x[0] * gradient(c, options, c.number(1), *x))


def losses(entry: Entry, columns: int = 0) -> Callable[..., Any]:
    """The definition of a loss: ``entry`` at every place, summed or averaged as the reduction says."""
    at_every_place = by_entry(entry, columns)

    def reduced(c: Any, options: Options, *families: Any) -> Any:
        table = at_every_place(c, options, *families)
        if options["reduction"] == "none":
            return table
        total = _total(c, options["axes"], table)
        return total if options["reduction"] == "sum" else total / _divisor(c, options, families[0])

    return reduced


def times_quotient_of_equals(g: Any) -> Any:
    """The term g p / p of autograd, which is g rounded twice; that g p may underflow is not admitted."""
    return g * 3 / 3


def losses_in_any_order(entry: Entry, columns: int = 0) -> Callable[..., Any]:
    """As `losses`, for algorithms: one sum over all entries, in any order."""
    at_every_place = by_entry(entry, columns)

    def reduced(c: Any, options: Options, *families: Any) -> Any:
        table = at_every_place(c, options, *families)
        if options["reduction"] == "none":
            return table
        total = c.total(table)
        return total if options["reduction"] == "sum" else total / _divisor(c, options, families[0])

    return reduced


def loss_gradient(entry: Entry, columns: int = 0) -> Callable[..., Any]:
    """The gradient of a loss: ``entry(c, options, upstream, *numbers)``, through the reduction."""

    def gradient(c: Any, options: Options, g: Any, *families: Any) -> Any:
        if options["reduction"] == "none":
            return by_entry(entry, columns)(c, options, g, *families)
        share = g if options["reduction"] == "sum" else g / _divisor(c, options, families[0])
        return by_entry(lambda c, options, *x: entry(c, options, share, *x), columns)(c, options, *families)

    return gradient


def _total(c: Any, axes: int, table: Any) -> Any:
    if axes == 0:
        return table
    return c.sum(lambda i: _total(c, axes - 1, table[i]), over=table)


def _divisor(c: Any, options: Options, x: Any) -> Any:
    """The number of rows for batchmean, else that of all entries."""
    if options["reduction"] == "batchmean":
        return c.count(x)
    lengths = []
    for _ in range(options["axes"]):
        lengths.append(len(x))
        x = x[1]
    return c.number(math.prod(lengths))


def called_with(*names: str, keywords: tuple[str, ...] = ()) -> Callable[[Options, Values], Arguments]:
    """The arguments of a function: the first variables by position, the others by keyword where asked for.

    A keyword is passed where the option of its name is on. Variables beyond the names are not passed.
    """

    def arguments(options: Options, values: Values) -> Arguments:
        passed = tuple(zip((*names, *keywords), values, strict=False))
        cut = len(names)
        return passed[:cut], tuple((name, value) for name, value in passed[cut:] if options[name])

    return arguments


def is_zero(c: Any, a: Any) -> Any:
    """1 where a number is 0, else 0, in the vocabulary of definitions: the limit a^2 log 0 as exponent."""
    return c.exp(c.xlogy(a * a, 0))


def above_zero(number: Any) -> Any:
    """1 for a drawn number above 0, or each of many, and 0 for any other; for use in ``prepare``."""
    for _ in range(18):
        number = clamped(number * 2**60, 0, 1)
    return number


def without_zeros(value: Any) -> Any:
    """A drawn value >= 0 with 2^-7 for each 0."""
    return mapped(lambda number: number + (1 - above_zero(number)) / 2**7, value)


def together(function: Callable[[Any, Any], Any], first: Any, second: Any) -> Any:
    """``function`` of the numbers of two drawn values of one shape, pair by pair; see `contract.mapped`."""
    if isinstance(first, tuple):
        return tuple(together(function, a, b) for a, b in zip(first, second, strict=True))
    if hasattr(first, "map"):
        return (
            first if not first.tensor.numel() else first.map(lambda numbers: function(numbers, second.tensor))
        )
    return function(first, second)
