"""Tables: families of rows over any context, taken along an axis, mapped and reduced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.contexts.family import Family
from verify.contract import Option, Options, Values, form, one_of
from verify.domain import Declaration, real

AXES = form("axes", 2, 1, 3)
"""How many axes the input has."""

DIM = Option(
    "dim",
    (1, -1, 0),
    None,
    lambda value: isinstance(value, int) and -3 <= value <= 2,
    rule="a whole number from -3 to 2",
    absent=-1,
)
"""The axis along which a function works, the last if it has none; negative ones count from the end."""

_SHAPES = {1: ("C",), 2: ("N", "C"), 3: ("N", "D", "C")}

REDUCTION = one_of("reduction", "mean", "sum", "none", default="mean")
"""How the losses of a batch become the result."""


def transposed(c: Any, x: Any) -> Any:
    """The table whose rows are the columns of ``x``."""
    row = x.some() if isinstance(x, Family) else x[1]
    return c.family(lambda j: c.family(lambda i: x[i, j], over=x), over=row)


def by_rows(action: Callable[..., Any]) -> Callable[..., Any]:
    """``action(c, *rows)``, which gives a row, applied along ``dim`` of families of one shape."""

    def applied(c: Any, options: Options, *tables: Any) -> Any:
        return along(c, options, action, tables)

    return applied


def along(
    c: Any,
    options: Options,
    action: Callable[..., Any],
    tables: tuple[Any, ...],
    beside: tuple[Any, ...] = (),
    *,
    to_rows: bool = True,
) -> Any:
    """``action(c, *rows, *beside)`` at every row along ``dim`` of families of ``axes`` axes.

    The action gives a row, or with ``to_rows`` off a number, and the result lacks the axis. The
    families ``beside`` lack it too: the action gets their entry for the row.
    """

    def walk(axes: int, dim: int, tables: tuple[Any, ...], beside: tuple[Any, ...]) -> Any:
        if axes == 1:
            return action(c, *tables, *beside)
        turned = tables if dim else tuple(transposed(c, table) for table in tables)
        result = c.family(
            lambda i: walk(
                axes - 1, max(dim - 1, 0), *(tuple(t[i] for t in part) for part in (turned, beside))
            ),
            over=turned[0],
        )
        return result if dim or not to_rows else transposed(c, result)

    return walk(options["axes"], options["dim"] % options["axes"], tables, beside)


def given_input(options: Options) -> tuple[Declaration, ...]:
    """One input of ``axes`` axes."""
    return (real("input", *input_shape(options)),)


def input_shape(options: Options) -> tuple[str, ...]:
    """The shape of an input of ``axes`` axes."""
    return _SHAPES[options["axes"]]


def with_axis(options: Options, values: Values) -> Values | None:
    """The values, where the input has the axis ``dim``."""
    return values if -options["axes"] <= options["dim"] < options["axes"] else None


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


def rows_apart(options: Options) -> bool:
    """Whether each row of the first axis is worked on by itself: of two or three axes, unreduced."""
    axes, dim = options.get("axes", 2), options.get("dim")
    along_rows = dim is not None and dim % axes == 0
    return axes > 1 and not along_rows and options.get("reduction", "none") == "none"
