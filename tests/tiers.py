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
from verify.contexts.rounding import model_for
from verify.elements import Property, actions_of, element, flat, formula_of, values_of
from verify.errors import DomainError, VerifyError
from verify.floats import Enclosure, format_named
from verify.oracle import AGREED_DIGITS, Undecided, confirm, enclose_family

DIGITS = 60


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


def confirmed(formula: Callable[..., Any], values: tuple[Any, ...], position: int, truth: Enclosure) -> str:
    """One element by mpmath, which lies in its ball; else `VerifyError`."""
    return confirm(lambda c, *x: element(formula(c, *x), position), values, truth, lazy=True)


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
    """How many balls hold what mpmath computes; one that seems not to is looked at with more digits."""
    count = Count()
    formula, values = formula_of(call, aspect)
    try:
        truths = enclosed(formula, values)
        context = ExactContext(DIGITS)
        numbers = context.evaluate(lambda c, *x: flat(formula(c, *x)), *values)
    except DomainError:
        return count
    for position, (truth, number) in enumerate(zip(truths, numbers, strict=True)):
        if not isinstance(truth, Undecided):
            inside = context.lies_in(number, truth, slack_digits=AGREED_DIGITS)
            count.add(inside or _holds(formula, values, position, truth))
    return count


def _holds(formula: Callable[..., Any], values: tuple[Any, ...], position: int, truth: Enclosure) -> bool:
    try:
        confirmed(formula, values, position, truth)
    except VerifyError:
        return False
    return True
