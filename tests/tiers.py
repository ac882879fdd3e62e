"""The tiers of the oracle against each other: float64 tables, balls, and mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.calls import Call
from verify.contexts.bulk import Bulk, evaluate
from verify.contexts.exact import ExactContext
from verify.contexts.models import model_for
from verify.elements import Property, actions_of, element, flat, formula_of, values_of
from verify.errors import DomainError
from verify.floats import Enclosure, format_named
from verify.oracle import AGREED_DIGITS, Undecided, enclose_family

DIGITS = 60
MOST_DIGITS = 2000
"""A value that mpmath finds in no ball up to here counts as one outside."""


@dataclass(slots=True)
class Count:
    """Elements that were compared, and those that lie outside."""

    known: int = 0
    outside: int = 0

    def add(self, inside: bool) -> None:
        """Count one element."""
        self.known += 1
        self.outside += not inside


def whole(call: Call, dtype: str, aspect: Property) -> Bulk:
    """Values and bounds of a table by the standard algorithm in float64."""
    _, algorithm, *_ = actions_of(call.contract, aspect)
    values = values_of(call, aspect)
    return evaluate(lambda c, *x: algorithm(c, call.options, *x), values, model_for(dtype))


def enclosed(formula: Callable[..., Any], values: tuple[Any, ...]) -> tuple[Enclosure | Undecided, ...]:
    """Every element in a ball, narrow for float64."""
    return enclose_family(lambda c, *x: flat(formula(c, *x)), values, format=format_named("float64"))


def tables_in_balls(call: Call, dtype: str, aspect: Property) -> Count:
    """How many float64 values of a table enclose what their balls enclose."""
    count, bulk = Count(), whole(call, dtype, aspect)
    try:
        truths = enclosed(*formula_of(call, aspect))
    except DomainError:
        return count
    for value, bound, truth in zip(bulk.value.tolist(), bulk.bound.tolist(), truths, strict=True):
        if isinstance(truth, Undecided) or not bound < math.inf or value != value:
            continue
        if math.isinf(value) or isinstance(truth.lower, float) or isinstance(truth.upper, float):
            count.add(truth.lower <= value <= truth.upper)
            continue
        half = Fraction(bound) * Fraction(bulk.ratio or 0)
        count.add(truth.lower - half <= Fraction(value) <= truth.upper + half)
    return count


def balls_in_mpmath(call: Call, aspect: Property) -> Count:
    """How many balls hold what mpmath computes; what seems to lie outside is looked at with more digits."""
    formula, values = formula_of(call, aspect)
    try:
        truths = enclosed(formula, values)
    except DomainError:
        return Count()
    balls = {position: truth for position, truth in enumerate(truths) if not isinstance(truth, Undecided)}
    known, digits = len(balls), DIGITS
    while balls and digits <= MOST_DIGITS:
        balls, digits = _outside(formula, values, balls, digits), 2 * digits
    return Count(known, len(balls))


def _outside(
    formula: Callable[..., Any], values: tuple[Any, ...], balls: dict[int, Enclosure], digits: int
) -> dict[int, Enclosure]:
    """The balls that do not hold what mpmath computes with so many digits, by the position of the element."""
    context = ExactContext(digits, lazy=True)
    try:
        nested = context.evaluate(formula, *values)
    except DomainError:
        return balls
    return {position: ball for position, ball in balls.items() if not _holds(context, nested, position, ball)}


def _holds(context: ExactContext, nested: Any, position: int, ball: Enclosure) -> bool:
    try:
        return context.lies_in(element(nested, position), ball, slack_digits=AGREED_DIGITS)
    except DomainError:
        return False
