"""Distributions along an axis of a family: drawn so that they sum to 1 there, each reduced to a number."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from verify.contract import Options, Values
from verify.domain import Declaration, distribution
from verify.entries import without_zeros
from verify.tables import along, input_shape, with_axis


def given_distributions(*names: str) -> Callable[[Options], tuple[Declaration, ...]]:
    """Families of ``axes`` axes that sum to 1 along the last; without zeros where ``zeros`` is off."""

    def given(options: Options) -> tuple[Declaration, ...]:
        declare = partial(distribution, positive=not options["zeros"])
        return tuple(declare(name, *input_shape(options)) for name in names)

    return given


def along_dim(options: Options, values: Values) -> Values | None:
    """The drawn families with their last axis moved to ``dim``; None where there is no such axis."""
    if with_axis(options, values) is None:
        return None
    if not options["zeros"]:
        values = tuple(without_zeros(value) for value in values)
    axes, dim = options["axes"], options["dim"] % options["axes"]
    return tuple(_moved(value, axes, dim) for value in values)


def _moved(value: Any, axes: int, dim: int) -> Any:
    """A drawn value whose last axis has become the axis ``dim``."""
    if dim == axes - 1:
        return value
    if hasattr(value, "map"):
        return value.map(lambda tensor: tensor.movedim(-1, dim))
    if dim:
        return tuple(_moved(part, axes - 1, dim - 1) for part in value)
    return tuple(zip(*(_moved(part, axes - 1, 0) for part in value), strict=True))


def rows_shape(options: Options) -> tuple[str, ...]:
    """The shape of a result with one number for each distribution."""
    return input_shape(options)[:-1]


def by_distribution(action: Callable[..., Any]) -> Callable[..., Any]:
    """``action(c, *rows)``, a number, of the distributions of families of one shape."""

    def applied(c: Any, options: Options, *families: Any) -> Any:
        return along(c, options, action, families, to_rows=False)

    return applied


def distribution_gradient(action: Callable[..., Any]) -> Callable[..., Any]:
    """``action(upstream, *numbers)`` at every place, with one upstream number for each distribution."""

    def gradient(c: Any, options: Options, g: Any, *families: Any) -> Any:
        def row(c: Any, *given: Any) -> Any:
            *rows, upstream = given
            return c.family(lambda j: action(c, upstream, *(r[j] for r in rows)), over=rows[0])

        return along(c, options, row, families, (g,))

    return gradient
