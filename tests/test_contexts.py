"""The context protocol: the same laws and conventions in balls and in mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext
from verify.elements import element
from verify.errors import DomainError, UsageError
from verify.floats import Bound, Enclosure
from verify.operation import Operation

Context = BallContext | ExactContext


@pytest.fixture(params=[BallContext(160), ExactContext(50)], ids=["ball", "exact"])
def c(request: pytest.FixtureRequest) -> Context:
    """A context of either kind, good for 40 digits."""
    context: Context = request.param
    return context


def agrees(context: Context, number: Any, expected: Bound) -> bool:
    """Whether a number of the context is the expected one, to 40 digits."""
    if isinstance(context, ExactContext):
        return context.lies_in(number, Enclosure(expected, expected), slack_digits=40)
    enclosure = context.enclosure(number)
    return enclosure.contains(expected) and enclosure.width <= abs(expected) / 10**40


CONVENTIONS: dict[str, tuple[Callable[[Any], Any], Bound]] = {
    "exp(0) = 1": (lambda c: c.exp(0), Fraction(1)),
    "exp(-inf) = 0": (lambda c: c.exp(-math.inf), Fraction(0)),
    "exp(inf) = inf": (lambda c: c.exp(math.inf), math.inf),
    "log(1) = 0": (lambda c: c.log(1), Fraction(0)),
    "log(0) = -inf": (lambda c: c.log(0), -math.inf),
    "log(inf) = inf": (lambda c: c.log(math.inf), math.inf),
    "log(exp(3)) = 3": (lambda c: c.log(c.exp(3)), Fraction(3)),
    "exp(log(3/7)) = 3/7": (lambda c: c.exp(c.log(Fraction(3, 7))), Fraction(3, 7)),
    "xlogy(0, 0) = 0": (lambda c: c.xlogy(0, 0), Fraction(0)),
    "xlogy(0, 5) = 0": (lambda c: c.xlogy(0, 5), Fraction(0)),
    "xlogy(0, inf) = 0": (lambda c: c.xlogy(0, math.inf), Fraction(0)),
    "xlogy(2, 0) = -inf": (lambda c: c.xlogy(2, 0), -math.inf),
    "xlogy(-2, 0) = inf": (lambda c: c.xlogy(-2, 0), math.inf),
    "xlogy(2, exp(3)) = 6": (lambda c: c.xlogy(2, c.exp(3)), Fraction(6)),
    "ceil(7/3) = 3": (lambda c: c.ceil(Fraction(7, 3)), Fraction(3)),
    "ceil(-7/3) = -2": (lambda c: c.ceil(Fraction(-7, 3)), Fraction(-2)),
    "ceil(4) = 4": (lambda c: c.ceil(4), Fraction(4)),
    "ceil(exp(1)) = 3": (lambda c: c.ceil(c.exp(1)), Fraction(3)),
    "ceil(inf) = inf": (lambda c: c.ceil(math.inf), math.inf),
    "1 / inf = 0": (lambda c: 1 / c.value(math.inf), Fraction(0)),
    "-inf + 1 = -inf": (lambda c: c.log(0) + 1, -math.inf),
    "1 - (-inf) = inf": (lambda c: 1 - c.log(0), math.inf),
    "-2 * inf = -inf": (lambda c: -2 * c.value(math.inf), -math.inf),
    "-inf / 2 = -inf": (lambda c: c.log(0) / 2, -math.inf),
    "exp(1) + inf = inf": (lambda c: c.exp(1) + c.value(math.inf), math.inf),
    "-(-inf) = inf": (lambda c: -c.log(0), math.inf),
    "(-inf)**3 = -inf": (lambda c: c.log(0) ** 3, -math.inf),
    "(-inf)**0 = 1": (lambda c: c.log(0) ** 0, Fraction(1)),
    "(2/3)**-2 = 9/4": (lambda c: c.number(Fraction(2, 3)) ** -2, Fraction(9, 4)),
    "exp(2)**3 / exp(6) = 1": (lambda c: c.exp(2) ** 3 / c.exp(6), Fraction(1)),
    "5 - 2 * 3 / 4 = 7/2": (lambda c: 5 - 2 * c.number(3) / 4, Fraction(7, 2)),
    "7 / 3": (lambda c: 7 / c.number(3), Fraction(7, 3)),
    "equal(2, 2) = 1": (lambda c: c.equal(2, 2), Fraction(1)),
    "equal(2, 3) = 0": (lambda c: c.equal(2, 3), Fraction(0)),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions(c: Context, convention: str) -> None:
    """Infinities, zero and whole numbers obey the written conventions in both contexts."""
    formula, expected = CONVENTIONS[convention]
    assert agrees(c, formula(c), expected)


@pytest.mark.parametrize(
    "formula",
    [
        lambda c: c.log(-1),
        lambda c: c.log(-c.exp(1)),
        lambda c: c.xlogy(1, -1),
        lambda c: c.xlogy(0, -1),
        lambda c: c.log(0) - c.log(0),
        lambda c: c.value(0) * c.log(0),
        lambda c: c.value(math.inf) / c.log(0),
        lambda c: 1 / c.number(0),
        lambda c: c.log(0) / c.number(0),
        lambda c: c.number(0) ** -1,
        lambda c: c.value(math.nan),
    ],
    ids=[
        "log(-1)",
        "log(-e)",
        "xlogy(1, -1)",
        "xlogy(0, -1)",
        "inf - inf",
        "0 * inf",
        "inf / inf",
        "1 / 0",
        "inf / 0",
        "0**-1",
        "nan",
    ],
)
def test_what_has_no_value_is_a_domain_error(c: Context, formula: Callable[[Any], Any]) -> None:
    """Outside the domain of definition a formula raises instead of giving nan."""
    with pytest.raises(DomainError):
        formula(c)


@pytest.mark.parametrize("value", [True, "1", None, 1j])
def test_what_is_no_number_is_a_usage_error(c: Context, value: Any) -> None:
    """Only ints, Fractions and floats are numbers; a truth value or text is not."""
    with pytest.raises(UsageError):
        c.value(value)


def test_sum_and_product_run_over_the_first_axis(c: Context) -> None:
    """Sum and product take the index 1 for the first item and the length for the last."""
    x = c.lift((Fraction(2), Fraction(3), Fraction(7)))
    assert agrees(c, c.sum(lambda i: x[i], over=x), Fraction(12))
    assert agrees(c, c.prod(lambda i: x[i], over=x), Fraction(42))


def test_empty_sum_is_zero_and_empty_product_one(c: Context) -> None:
    """A family of length 0 gives the neutral elements."""
    empty = c.lift(())
    assert agrees(c, c.sum(lambda i: empty[i], over=empty), Fraction(0))
    assert agrees(c, c.prod(lambda i: empty[i], over=empty), Fraction(1))


def test_count_is_the_length_of_the_first_axis_as_a_number(c: Context) -> None:
    """Dividing by the count makes a mean."""
    x = c.lift(((Fraction(1), Fraction(2)), (Fraction(3), Fraction(4)), (Fraction(5), Fraction(6))))
    assert agrees(c, 1 / c.count(x), Fraction(1, 3))


def test_a_derived_family_is_indexed_like_its_origin(c: Context) -> None:
    """``family`` makes one item per index of the family it runs over."""
    x = c.lift((Fraction(2), Fraction(3)))
    squares = c.family(lambda i: x[i] ** 2, over=x)
    assert len(squares) == 2
    assert agrees(c, squares[2], Fraction(9))


def test_two_axes_are_indexed_together_or_by_rows(c: Context) -> None:
    """``f[i, j]`` is ``f[i][j]``, and a row is a family."""
    f = c.lift(((Fraction(1), Fraction(2)), (Fraction(3), Fraction(4))))
    assert agrees(c, f[2, 1], Fraction(3))
    assert agrees(c, c.sum(lambda j: f[2][j], over=f[2]), Fraction(7))


@pytest.mark.parametrize("index", [0, -1])
def test_an_index_below_1_is_a_mistake(c: Context, index: int) -> None:
    """Indices run from 1; nobody means 0, so it is no input outside the domain."""
    x = c.lift((Fraction(1), Fraction(2)))
    with pytest.raises(UsageError, match="start at 1"):
        x[index]


@pytest.mark.parametrize("index", [3, True, 1.0])
def test_an_index_outside_the_family_is_a_domain_error(c: Context, index: Any) -> None:
    """Indices run to the length, are ints, and never wrap round."""
    x = c.lift((Fraction(1), Fraction(2)))
    with pytest.raises(DomainError):
        x[index]


def test_labels_stay_whole_numbers(c: Context) -> None:
    """An int given as an argument is an index, also inside a family of labels."""
    labels = c.lift((2, 1))
    q = c.lift((Fraction(1, 4), Fraction(3, 4)))
    assert agrees(c, c.prod(lambda i: q[labels[i]], over=labels), Fraction(3, 16))


def test_evaluate_lifts_floats_exactly(c: Context) -> None:
    """The float 0.1 enters as the binary fraction that it is, not as one tenth."""
    assert agrees(c, c.evaluate(lambda _, x: x, 0.1), Fraction(0.1))


def test_an_element_is_computed_beside_one_without_a_value() -> None:
    """Given how many there are, the first is not looked at, which may be 1 / 0."""
    c = ExactContext(lazy=True)
    quotients = c.family(lambda i: 1 / c.number(i - 1), over=c.lift((Fraction(0), Fraction(0))))
    assert element(quotients, 1, 2).value == 1


def test_a_lazy_context_lifts_what_is_used() -> None:
    """Of a long table of which one row matters the others are left alone, here one that is no number."""
    c = ExactContext(lazy=True)
    assert agrees(c, c.evaluate(lambda _, x: x[1], (Fraction(1), math.nan)), Fraction(1))


def test_call_applies_the_definition_in_the_same_context(c: Context) -> None:
    """A formula may use another operation, whose definition then sees this context."""
    seen = []

    def definition(context: Any, a: Any) -> Any:
        seen.append(context)
        return 2 * a

    operation = Operation("twice", "twice a number", definition, lambda a: f"2{a}", "arithmetic")
    assert agrees(c, c.call(operation, c.number(3)), Fraction(6))
    assert seen == [c]
