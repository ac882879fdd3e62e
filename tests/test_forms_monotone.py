"""Forms are monotone where they say so: a proof by the factors of the derivative, over the real numbers.

The definition of a form is differentiated by SymPy. In E = exp(x), or L = log(x), and x the derivative is a
quotient of products of polynomials in one of these each; Sturm's theorem counts their roots on a piece.
Where there is none the derivative keeps its sign there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy

from verify.contexts.ball import BallContext
from verify.contexts.family import Family
from verify.contexts.vocabulary import ItemByItem
from verify.elements import element
from verify.form import Curve, Form
from verify.forms import FORMS
from verify.sweeps.subject import Subject

CURVES = [(form, aspect) for form in FORMS if form.arity == 1 for aspect in ("value", "gradient")]
IDS = [f"{form.id}-{aspect}" for form, aspect in CURVES]
X = sympy.Symbol("x", real=True)
E, L = sympy.symbols("E L")


class Unrolled(ItemByItem):
    """Definitions as SymPy expressions, with their sums written out."""

    exp, log = staticmethod(sympy.exp), staticmethod(sympy.log)

    def number(self, value: Any) -> Any:
        """A rational constant."""
        value = Fraction(value)
        return sympy.Rational(value.numerator, value.denominator)

    def xlogy(self, a: Any, b: Any) -> Any:
        """The product a log b, 0 for the constant 0."""
        return a * sympy.log(b) if a != 0 else a

    def sum(self, body: Callable[[int], Any], *, over: Family) -> Any:
        """The sum over a family."""
        return sum(body(i) for i in range(1, len(over) + 1))

    def call(self, operation: Any, *arguments: Any) -> Any:
        """The definition of an operation."""
        return operation.definition(self, *arguments)


def expression(form: Form, aspect: str) -> Any:
    """The value or the gradient of a form, by its definition, in the symbol x."""
    subject = Subject(lambda *tensors: None, form, aspect, "float32")
    c = Unrolled()
    given = (c.lift(value) for value in subject.given(X))
    return element(subject.formulas()[0](c, subject.options, *given), subject.position)


def open_pieces(curve: Curve) -> list[tuple[float, float]]:
    """Between neighbouring ends, 0 and turns, in order."""
    cuts = sorted({(curve.low, curve.low), (curve.high, curve.high), (0.0, 0.0), *curve.turns})
    cuts = [cut for cut in cuts if curve.low <= cut[0] <= curve.high]
    return [(low, high) for (_, low), (high, _) in itertools.pairwise(cuts)]


def range_of(symbol: Any, low: float, high: float) -> tuple[Any, Any]:
    """Where x, exp(x) or log(x) lies for low < x < high, rounded outwards to rational numbers."""

    def at(x: float, *, up: bool) -> Any:
        if math.isinf(x):
            return sympy.oo if x > 0 else sympy.Integer(0) if symbol is E else -sympy.oo
        if symbol is X:
            return sympy.Rational(x)
        if symbol is L and x == 0:
            return -sympy.oo
        name = "exp" if symbol is E else "log"
        context = BallContext(128)
        found = context.enclosure(context.evaluate(lambda c, y: getattr(c, name)(y), Fraction(x)))
        return sympy.Rational(*Fraction(found.upper if up else found.lower).as_integer_ratio())

    if symbol is E and low == 0:
        return sympy.Integer(1), at(high, up=True)
    return at(low, up=False), sympy.Integer(1) if symbol is E and high == 0 else at(high, up=True)


def changes_sign(factor: Any, low: float, high: float) -> bool:
    """Whether a polynomial in one of the symbols has a root for low < x < high."""
    (symbol,) = factor.free_symbols
    ends = range_of(symbol, low, high)
    roots = sympy.Poly(factor, symbol).count_roots(*(None if end.is_infinite else end for end in ends))
    return bool(roots - sum(end.is_finite and factor.subs(symbol, end) == 0 for end in set(ends)))


def factors(derivative: Any) -> list[Any]:
    """The polynomials that a derivative is a quotient of products of, without the constants."""
    parts = sympy.fraction(sympy.together(derivative.subs(sympy.log(X), L).subs(sympy.exp(X), E)))
    found = [factor for part in parts for factor, _ in sympy.factor_list(part, X, E, L)[1]]
    assert all(len(factor.free_symbols) == 1 for factor in found)
    return found


@pytest.mark.parametrize(("form", "aspect"), CURVES, ids=IDS)
def test_a_form_is_strictly_monotone_between_its_turns(form: Form, aspect: str) -> None:
    """Or constant, where it is rational everywhere."""
    curve = form.curve(aspect)
    derivative = sympy.diff(expression(form, aspect), X)
    if derivative == 0:
        assert curve.rational is None
        return
    for low, high in open_pieces(curve):
        assert not any(changes_sign(factor, low, high) for factor in factors(derivative))


@pytest.mark.parametrize(
    ("expected", "low", "high"), [(True, -2.0, 0.0), (False, -1.0, 0.0), (True, -math.inf, 1.0)]
)
def test_a_turn_is_noticed(low: float, high: float, expected: bool) -> None:
    """That of x exp(x) at -1, inside a piece and at the end of one."""
    found = factors(sympy.diff(X * sympy.exp(X), X))
    assert any(changes_sign(factor, low, high) for factor in found) is expected


@pytest.mark.parametrize(("form", "aspect"), CURVES, ids=IDS)
def test_a_form_has_the_limits_that_it_says(form: Form, aspect: str) -> None:
    """By SymPy, where they are numbers."""
    for limit, end in zip(form.curve(aspect).limits, (-sympy.oo, sympy.oo), strict=True):
        if limit is not None:
            assert float(sympy.limit(expression(form, aspect), X, end)) == limit
