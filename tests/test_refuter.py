"""The refuter: the plainest false statements are refuted, each at a point where it is plainly false."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify.claim import Hypothesis, Part, Relation
from verify.domain import distribution, index, nonnegative, positive, probability, real
from verify.operations.logsumexp import logsumexp
from verify.operations.softmax import softmax
from verify.refuter import attack

Formula = Callable[..., Any]
X, Z, LABEL = real("x"), real("z", "n"), index("i", "n")


def _part(
    given: Any,
    left: Formula,
    right: Formula,
    relation: Relation = "<",
    hypotheses: tuple[Hypothesis, ...] = (),
) -> Part:
    return Part("statement", "", given, left, relation, right, hypotheses)


FALSE_WHERE_SIDES_TOUCH: dict[str, tuple[Part, str]] = {
    "a square is positive": (_part((X,), lambda c, x: x, lambda c, x: x + x**2), "x = 0: left 0, right 0"),
    "the tangent of exp": (_part((X,), lambda c, x: 1 + x, lambda c, x: c.exp(x)), "x = 0: left 1, right 1"),
    "exp of a square": (_part((X,), lambda c, x: 1, lambda c, x: c.exp(x**2)), "x = 0: left 1, right 1"),
    "a sum of squares": (
        _part((Z,), lambda c, z: 0, lambda c, z: c.sum(lambda i: z[i] ** 2, over=z)),
        "n = 1, z = (0): left 0, right 0",
    ),
    "a share of one": (
        _part((Z, LABEL), lambda c, z, i: c.call(softmax, z)[i], lambda c, z, i: 1),
        "n = 1, z = (0), i = 1: left 1, right 1",
    ),
    "an entry and logsumexp": (
        _part((Z, LABEL), lambda c, z, i: z[i], lambda c, z, i: c.call(logsumexp, z)),
        "n = 1, z = (0), i = 1: left 0, right 0",
    ),
    "log at one": (
        _part((positive("x"),), lambda c, x: c.log(x), lambda c, x: x - 1),
        "x = 1: left 0, right 0",
    ),
    "a third of softmax": (
        _part(
            (real("z", 3),),
            lambda c, z: c.number(Fraction(1, 3)),
            lambda c, z: c.sum(lambda i: c.call(softmax, z)[i] ** 2, over=z),
        ),
        "z = (0, 0, 0): left 0.333333333333, right 0.333333333333",
    ),
    "the tangent of softplus": (
        _part((X,), lambda c, x: c.log(2) + x / 2, lambda c, x: c.log(1 + c.exp(x))),
        "x = 0: left 0.69314718056, right 0.69314718056",
    ),
    "zero beside one": (
        _part(
            (X, real("y")), lambda c, x, y: y * (1 + x) + (y - 1), lambda c, x, y: y * c.exp(x) + (y - 1) ** 2
        ),
        "x = 0, y = 1: left 1, right 1",
    ),
    "equal entries of two": (
        _part(
            (Z,),
            lambda c, z: c.sum(lambda i: z[i], over=z) ** 2,
            lambda c, z: c.count(z) * c.sum(lambda i: z[i] ** 2, over=z),
            hypotheses=(Hypothesis("two", lambda c, z: 2, "<=", lambda c, z: c.count(z)),),
        ),
        "n = 2, z = (0, 0): left 0, right 0",
    ),
}


@pytest.mark.parametrize("name", FALSE_WHERE_SIDES_TOUCH)
def test_a_strict_inequality_is_refuted_where_its_sides_touch(name: str) -> None:
    """At 0 and 1, the shortest families first, where both sides are exact."""
    part, witness = FALSE_WHERE_SIDES_TOUCH[name]
    found = attack(part)
    assert (found.outcome, found.witness) == ("refuted", witness)


def test_a_formula_is_not_below_itself() -> None:
    """Where no exact value shows it: the sides are the same formula, one of them written out."""
    two = Hypothesis("two", lambda c, z: 2, "<=", lambda c, z: c.count(z))
    log_of_sum = _part(
        (Z,),
        lambda c, z: c.call(logsumexp, z),
        lambda c, z: c.log(c.sum(lambda i: c.exp(z[i]), over=z)),
        hypotheses=(two,),
    )
    found = attack(log_of_sum)
    assert (found.outcome, found.points) == ("refuted", 1)


def test_a_formula_without_a_value_is_not_called_equal_to_itself() -> None:
    """It has no value at 0, and that is what is said."""
    found = attack(_part((X,), lambda c, x: 1 / x, lambda c, x: 1 / x))
    assert (found.outcome, found.witness) == ("undefined", "x = 0: a side has no value there")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (positive("x"), lambda c, x: x),
        (probability("x"), lambda c, x: 1 - x),
        (nonnegative("x"), lambda c, x: 1 + x),
        (distribution("x", "n", positive=True), lambda c, x: x[1]),
    ],
)
def test_plain_points_are_in_the_domain(given: Any, right: Formula) -> None:
    """What holds strictly inside a domain, and fails at 0 or 1 outside it, is not refuted."""
    assert attack(_part((given,), lambda c, x: 0, right)).outcome == "supported"


def _tiny(c: Any, x: Any) -> Any:
    return c.exp(c.number(-100)) * (1 + x**2)


LOOK_ALIKE: dict[str, tuple[Part, str]] = {
    "rationals": (
        _part((X,), lambda c, x: x + 60, lambda c, x: x + 60 - c.number(Fraction(1, 10**40)), "<="),
        "x = 0: left 60, right 60, left - right = 1.0e-40",
    ),
    "exponentials": (
        _part((X,), lambda c, x: 1 + x, lambda c, x: 1 + x + _tiny(c, x), "="),
        "x = 0: left 1, right 1, left - right = -3.72e-44",
    ),
}


@pytest.mark.parametrize("name", LOOK_ALIKE)
def test_sides_that_look_alike_are_shown_with_their_difference(name: str) -> None:
    """Twelve digits are the same; what refutes the statement is the rest."""
    part, witness = LOOK_ALIKE[name]
    assert attack(part).witness == witness
