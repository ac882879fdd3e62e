"""Tables: families of rows over any context, taken along an axis, mapped and reduced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.contract import Options, one_of

DIM = one_of("dim", 1, -1, 0, default=None)
"""The axis of a table of two axes along which a function works."""

REDUCTION = one_of("reduction", "mean", "sum", "none", default="mean")
"""How the losses of a batch become the result."""


def transposed(c: Any, x: Any) -> Any:
    """The table whose rows are the columns of ``x``."""
    return c.family(lambda j: c.family(lambda i: x[i, j], over=x), over=x[1])


def by_rows(action: Callable[..., Any]) -> Callable[..., Any]:
    """``action(c, *rows)``, which gives a row, applied along ``dim`` of tables of one shape."""

    def applied(c: Any, options: Options, *tables: Any) -> Any:
        if options["dim"] == 0:
            turned = [transposed(c, table) for table in tables]
            return transposed(c, c.family(lambda i: action(c, *(t[i] for t in turned)), over=turned[0]))
        return c.family(lambda i: action(c, *(t[i] for t in tables)), over=tables[0])

    return applied


def by_entries(c: Any, action: Callable[..., Any], *tables: Any) -> Any:
    """``action(*entries)`` at every place of tables of one shape."""
    return c.family(
        lambda i: c.family(lambda j: action(*(t[i, j] for t in tables)), over=tables[0][i]), over=tables[0]
    )


def table_shape(options: Options) -> tuple[str, ...]:
    """The shape of a result that has the shape of its input."""
    return ("N", "C")


def reduced_table_shape(options: Options) -> tuple[str, ...]:
    """The shape of a loss with one value per entry."""
    return ("N", "C") if options["reduction"] == "none" else ()


def reduced(c: Any, options: Options, losses: Any, divisor: Callable[[], Any]) -> Any:
    """A table of losses, summed or divided by ``divisor()`` as the reduction says."""
    if options["reduction"] == "none":
        return losses
    total = c.sum(lambda i: c.sum(lambda j: losses[i, j], over=losses[i]), over=losses)
    return total if options["reduction"] == "sum" else total / divisor()


def reduced_in_any_order(c: Any, options: Options, losses: Any, divisor: Callable[[], Any]) -> Any:
    """As `reduced`, for algorithms: one sum over all entries, in any order."""
    if options["reduction"] == "none":
        return losses
    total = c.total(losses)
    return total if options["reduction"] == "sum" else total / divisor()


def upstream_at(c: Any, options: Options, upstream: Any, divisor: Callable[[], Any]) -> Any:
    """The upstream gradient of the loss at (i, j), through the reduction."""
    if options["reduction"] == "none":
        return lambda i, j: upstream[i, j]
    share = upstream if options["reduction"] == "sum" else upstream / divisor()
    return lambda i, j: share


def inputs_only(*names: str) -> Callable[..., Any]:
    """The arguments of a function that takes its variables in order, and options."""

    def arguments(options: Options, values: tuple[Any, ...]) -> Any:
        return tuple(zip(names, values, strict=True)), ()

    return arguments
