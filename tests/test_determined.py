"""Determined variables: what the hypotheses define is computed, and the rest is drawn."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

import verify
from verify.claim import Hypothesis, Part
from verify.contexts.ball import BallContext
from verify.determined import without_determined
from verify.domain import Declaration, distribution, positive, probability, real
from verify.evidence import EXACT, gather
from verify.proof import fingerprint
from verify.verdict import Status

X = (Fraction(1, 2), Fraction(1, 4))


def _square(name: str, *, over: str | None = "n") -> Hypothesis:
    """The second variable is the square of the first, entry by entry or as a whole."""
    if over is None:
        return Hypothesis(name, lambda c, x, y: y, "=", lambda c, x, y: x**2)
    return Hypothesis(name, lambda c, x, y, i: y[i], "=", lambda c, x, y, i: x[i] ** 2, over)


def _part(second: Declaration, *hypotheses: Hypothesis) -> Part:
    """The sum of the squares of x is at most the sum of y."""
    return Part(
        "squares",
        "",
        (positive("x", "n"), second),
        lambda c, x, y: c.sum(lambda i: x[i] ** 2, over=x),
        "=",
        lambda c, x, y: c.sum(lambda i: y[i], over=y),
        hypotheses,
    )


SQUARES = _part(positive("y", "n"), _square("square"))


def test_a_defined_variable_is_not_drawn() -> None:
    """The statement is about the others."""
    assert [d.name for d in without_determined(SQUARES).given] == ["x"]


def test_a_defined_variable_has_its_value_in_the_formulas() -> None:
    """Both sides are those of the statement at the value that the equation gives."""
    context, part = BallContext(), without_determined(SQUARES)
    right = context.evaluate(part.right, X)
    assert context.compare(right, Fraction(5, 16)) == "equal"


def test_a_number_is_defined_as_a_family_is() -> None:
    """An equation without an index defines a number."""
    given = real("x"), real("y")
    part = Part("", "", given, lambda c, x, y: y, "=", lambda c, x, y: x * x, (_square("square", over=None),))
    context = BallContext()
    left = context.evaluate(without_determined(part).left, Fraction(3, 2))
    assert context.compare(left, Fraction(9, 4)) == "equal"


def test_definitions_may_come_in_any_order() -> None:
    """A chain is followed from its end, however the hypotheses are ordered."""
    given = real("x"), real("y"), real("z")
    square = Hypothesis("square", lambda c, x, y, z: y, "=", lambda c, x, y, z: x**2)
    double = Hypothesis("double", lambda c, x, y, z: z, "=", lambda c, x, y, z: 2 * y)
    chosen = [
        [
            d.name
            for d in without_determined(
                Part("", "", given, lambda c, *v: v[0], "=", lambda c, *v: v[2], order)
            ).given
        ]
        for order in ((square, double), (double, square))
    ]
    assert chosen == [["x"], ["x"]]


def test_a_length_may_be_taken_from_a_defined_family() -> None:
    """1/n is a number for each of the n entries, also where it is the family itself that is counted."""
    share = Hypothesis("share", lambda c, x, y, i: y[i], "=", lambda c, x, y, i: 1 / c.count(y), "n")
    context, part = BallContext(), without_determined(_part(positive("y", "n"), share))
    assert context.compare(context.evaluate(part.right, X), 1) == "equal"


def test_what_depends_on_itself_is_drawn() -> None:
    """An equation with the variable on both sides defines nothing."""
    again = Hypothesis("again", lambda c, x, y, i: y[i], "=", lambda c, x, y, i: y[i] ** 2, "n")
    part = _part(positive("y", "n"), again)
    assert without_determined(part) is part


def test_distributions_are_drawn() -> None:
    """Their entries are tied together by more than the equation says."""
    part = _part(distribution("y", "n"), _square("square"))
    assert without_determined(part) is part


@pytest.mark.parametrize(
    ("second", "names"),
    [
        (real("y", "n"), []),
        (positive("y", "n"), ["y_above"]),
        (probability("y", "n"), ["y_above", "y_below"]),
    ],
)
def test_the_declaration_of_a_defined_variable_still_holds(second: Declaration, names: list[str]) -> None:
    """Its sign and its range are conditions on what is drawn."""
    assert [h.name for h in without_determined(_part(second, _square("square"))).hypotheses] == names


@pytest.mark.torch
def test_evidence_is_found_where_an_equation_has_to_hold() -> None:
    """No draw would satisfy it by chance."""
    records, _ = gather(SQUARES, "claim", dtypes=("float32",), devices=("cpu",), examples=20)
    assert {record.inputs for record in records} == {20}


@pytest.mark.torch
def test_a_false_statement_about_a_defined_variable_is_refuted() -> None:
    """Exact arithmetic sees that the sides differ at the value that the equation gives."""
    false = replace(SQUARES, right=lambda c, x, y: 2 * c.sum(lambda i: y[i], over=y))
    records, _ = gather(false, "claim", dtypes=("float32",), devices=("cpu",), examples=20)
    status = {record.implementation: record.status for record in records}
    assert status[EXACT] is Status.REFUTED


@pytest.mark.torch
def test_evidence_is_for_the_statement_as_it_stands() -> None:
    """The fingerprint is that of the statement with all its variables."""
    part = verify.find("likelihood-product").parts[0]
    records, _ = gather(part, "claim", dtypes=("float32",), devices=("cpu",), examples=5)
    assert {record.fingerprint for record in records} == {fingerprint(part)}
