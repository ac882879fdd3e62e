"""Elements: which numbers of a call are judged, by which formulas, and within which bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from verify.calls import Call
from verify.contexts.family import Family
from verify.contexts.models import Model
from verify.contexts.rounding import error_bounds
from verify.contract import Contract
from verify.errors import DomainError
from verify.points import length_of
from verify.reduction import rows_of
from verify.wide import exact

Property = str
"""What is judged: "value", "gradient" (in the first tensor), "gradient of" another, or "side effects"."""


def properties(contract: Contract, *, grad: bool) -> tuple[Property, ...]:
    """What is judged of a candidate for a contract, gradients only where asked for."""
    names = [f"gradient of {gradient.of}" for gradient in contract.gradients[1:]]
    return ("value", *(["gradient", *names] if grad and contract.gradients else []), "side effects")


def variable_of(aspect: Property, contract: Contract) -> str:
    """The variable by which a property differentiates; empty for the others."""
    if aspect == "gradient":
        return contract.gradients[0].of
    return aspect.removeprefix("gradient of ") if aspect.startswith("gradient of ") else ""


def choices_for(
    aspect: Property, contract: Contract, choices: Mapping[str, tuple[Any, ...]]
) -> Mapping[str, tuple[Any, ...]]:
    """The values to draw for each option where a property is judged; none where it cannot be."""
    of = variable_of(aspect, contract)
    return contract.gradient(of).choices(choices) if of else choices


def flat(nested: Any) -> tuple[Any, ...]:
    """The numbers of a family of any number of axes, in row-major order."""
    if not isinstance(nested, Family):
        return (nested,)
    return tuple(entry for item in nested for entry in flat(item))


def element(nested: Any, position: int, count: int | None = None) -> Any:
    """The number at a position of a family of any number of axes, in row-major order.

    ``count`` is how many there are; without it the first is computed, which has to have a value then.
    """
    left = _count(nested) if count is None else count
    while isinstance(nested, Family):
        left //= len(nested)
        at, position = divmod(position, left)
        nested = nested[at + 1]
    return nested


def _count(nested: Any) -> int:
    """How many numbers a family has, all its items being alike."""
    return len(nested) * _count(nested[1]) if isinstance(nested, Family) and len(nested) else 1


def elements_of(call: Call, aspect: Property) -> int:
    """How many numbers a property of a call has."""
    of, shape = variable_of(aspect, call.contract), call.contract.shape(call.options)
    if of:
        (shape,) = (v.shape for v in call.contract.variables(call.options) if v.name == of)
    return math.prod(length_of(size, call.lengths) for size in shape)


def formula_of(call: Call, aspect: Property) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The definition of a value or gradient over a context, all elements, and the exact values it takes."""
    definition, *_ = actions_of(call.contract, aspect)
    return lambda c, *given: definition(c, call.options, *given), tuple(map(exact, values_of(call, aspect)))


def alone(call: Call, aspect: Property, position: int) -> tuple[Call, int]:
    """The row of an element, where rows are worked on one by one, and the position of the element in it.

    Any other call stays whole.
    """
    rows = call.lengths.get("N", 1)
    if rows < 2 or not call.contract.rowwise(call.options):
        return call, position
    row, place = divmod(position, elements_of(call, aspect) // rows)
    return rows_of(call, row, row + 1), place


def actions_of(contract: Contract, aspect: Property) -> tuple[Callable[..., Any], ...]:
    """The definition of a value or gradient, its standard algorithm, and the alternatives of the contract."""
    of = variable_of(aspect, contract)
    part = contract.gradient(of) if of else contract
    return (part.definition, part.algorithm, *part.alternatives)


Algorithm = tuple[Callable[..., Any], Model]
"""An algorithm, of options and values over a context, and the arithmetic in which it is followed."""


def stable(contract: Contract, aspect: Property, model: Model) -> tuple[Algorithm, ...]:
    """All algorithms that count as stable, the standard one first.

    They are the standard one and the alternatives, and all of them in the arithmetic of GPU kernels.
    """
    _, *algorithms = actions_of(contract, aspect)
    return tuple((action, one) for one in (model, replace(model, fast=True)) for action in algorithms)


def values_of(call: Call, aspect: Property) -> tuple[Any, ...]:
    """The exact values that the formulas of a property take."""
    return (call.upstream, *call.values) if variable_of(aspect, call.contract) else call.values


def bounds_of(
    call: Call, algorithms: Iterable[Algorithm], values: tuple[Any, ...]
) -> tuple[Fraction, ...] | None:
    """For each element the largest bound of some stable algorithms; None where one has none."""
    found = []
    for action, model in algorithms:
        try:
            bounds = error_bounds(
                lambda c, *given, act=action: flat(act(c, call.options, *given)), values, model
            )
        except DomainError:
            return None
        if bounds is None:
            return None
        found.append(bounds)
    return tuple(max(element) for element in zip(*found, strict=True))
