"""Derivatives beside those of the claims: of tables and products, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify.claim import Hypothesis, Part, Step
from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext, to_decimal
from verify.domain import distribution, index, nonnegative, positive, real
from verify.errors import KernelError, UsageError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.derivation import derive
from verify.kernel.theorem import equation
from verify.operations.cross_entropy import cross_entropy
from verify.operations.kl_div import kl_div
from verify.refuter import attack

_G, _Y, _J = real("g", "n"), index("y", "n"), index("j", "n")

# name -> (declarations, derivative, what it is, rules)
GRADIENTS: dict[str, tuple[Any, Callable[..., Any], Callable[..., Any], tuple[str, ...]]] = {
    "an entry of a table": (
        (real("w", "n", "d"), _J, index("k", "d")),
        lambda c, w, j, k: c.derivative(
            lambda c, w: c.sum(lambda a: c.sum(lambda b: w[a, b] ** 2, over=w[a]), over=w), w, (j, k)
        ),
        lambda c, w, j, k: 2 * w[j, k],
        ("derivative", "delta"),
    ),
    "product": (
        (positive("r", "n"), _J),
        lambda c, r, j: c.derivative(lambda c, r: c.prod(lambda i: r[i], over=r), r, j),
        lambda c, r, j: c.prod(lambda i: r[i], over=r) / r[j],
        ("derivative", "delta"),
    ),
    "cross-entropy by the prediction": (
        (distribution("p", "n"), positive("q", "n"), _J),
        lambda c, p, q, j: c.derivative(lambda c, q: c.call(cross_entropy, p, q), q, j),
        lambda c, p, q, j: -p[j] / q[j],
        ("derivative", "delta"),
    ),
}


def _part(name: str, right: Callable[..., Any] | None = None) -> Part:
    given, left, correct, rules = GRADIENTS[name]
    right = right or correct
    return Part(
        id=name,
        words="",
        given=given,
        left=left,
        relation="=",
        right=right,
        steps=(Step(right, rules, "Differentiate."),),
    )


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_gradient_is_proved(name: str) -> None:
    """The gradient follows from the definition by the rules of calculus, for every n."""
    assert derive(_part(name)).theorem.relation == "="


@pytest.mark.parametrize("name", GRADIENTS)
def test_dual_numbers_agree(name: str) -> None:
    """At exact points, the derivative by dual numbers in balls is the one that was proved."""
    found = attack(_part(name))
    assert (found.outcome, found.points > 5) == ("supported", True)


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_wrong_gradient_is_rejected(name: str) -> None:
    """Minus the gradient is not the gradient."""
    wrong = _part(name, lambda c, *v: -GRADIENTS[name][2](c, *v))
    with pytest.raises(KernelError):
        derive(wrong)


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_wrong_gradient_is_refuted(name: str) -> None:
    """Dual numbers show an exact point at which minus the gradient is wrong."""
    assert attack(_part(name, lambda c, *v: -GRADIENTS[name][2](c, *v))).outcome == "refuted"


REJECTED: dict[str, tuple[Any, Callable[..., Any]]] = {
    "by an entry that must keep a sum of 1": (
        (distribution("p", "n", positive=True), _J),
        lambda c, p, j: c.derivative(lambda c, p: c.sum(lambda i: p[i], over=p), p, j),
    ),
    "by a number that may be at the edge of its domain": (
        (nonnegative("x"),),
        lambda c, x: c.derivative(lambda c, x: x * x, x),
    ),
    "of a jump": ((real("x"),), lambda c, x: c.derivative(lambda c, x: c.ceil(x), x)),
    "of xlogy at a possible zero": (
        (positive("x"), nonnegative("b")),
        lambda c, x, b: c.derivative(lambda c, x: c.xlogy(x, b), x),
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_derivative_that_need_not_exist_is_rejected(name: str) -> None:
    """The derivative must exist all around every point of the domain."""
    given, formula = REJECTED[name]
    with pytest.raises(KernelError):
        equation(assume(given, ()), build(formula, given), build(formula, given))


def test_a_hypothesis_about_the_variable_is_not_used_inside() -> None:
    """From x = 1 it does not follow that x squared has the derivative of 1."""
    given = (real("x"),)
    hypothesis = Hypothesis("at_one", lambda c, x: x, "=", lambda c, x: c.number(1))
    left = build(lambda c, x: c.derivative(lambda c, x: x**2, x), given)
    assumed = assume(given, (hypothesis,))
    with pytest.raises(KernelError):
        equation(assumed, left, build(lambda c, x: c.number(0), given), ("derivative", "hyp:at_one"))
    assert equation(
        assumed, left, build(lambda c, x: c.number(2), given), ("derivative", "hyp:at_one")
    ).relation == ("=")


_SCALED = (real("x"), real("z"))


def _scaled(c: Any, x: Any, z: Any) -> Any:
    return c.derivative(lambda c, x: x / z, x)


def test_a_hypothesis_about_another_variable_holds_around_the_point() -> None:
    """With z > 0 assumed, x / z has a derivative by x: z does not move."""
    positive_z = Hypothesis("positive", lambda c, x, z: c.number(0), "<", lambda c, x, z: z)
    left, right = build(_scaled, _SCALED), build(lambda c, x, z: 1 / z, _SCALED)
    theorem = equation(assume(_SCALED, (positive_z,)), left, right, ("derivative", "cancel"))
    assert theorem.relation == "="


def test_without_the_hypothesis_the_derivative_is_rejected() -> None:
    """For z = 0 there is nothing to differentiate."""
    left = build(_scaled, _SCALED)
    with pytest.raises(KernelError, match="division"):
        equation(assume(_SCALED, ()), left, left)


def test_a_hypothesis_that_mentions_the_variable_is_not_used_around_the_point() -> None:
    """That x z > 0 is assumed of the point, and says nothing about the points around it."""
    mixed = Hypothesis("mixed", lambda c, x, z: c.number(0), "<", lambda c, x, z: x * z)
    left = build(lambda c, x, z: c.derivative(lambda c, x: c.log(x * z), x), _SCALED)
    with pytest.raises(KernelError, match="log"):
        equation(assume(_SCALED, (mixed,)), left, left)


def test_divergence_and_cross_entropy_have_the_same_gradient() -> None:
    """By the prediction, they differ by a constant."""
    given = (distribution("p", "n"), positive("q", "n"), _J)
    theorem = equation(
        assume(given, ()),
        build(lambda c, p, q, j: c.derivative(lambda c, q: c.call(cross_entropy, p, q), q, j), given),
        build(lambda c, p, q, j: c.derivative(lambda c, q: c.call(kl_div, p, q), q, j), given),
        ("derivative", "delta"),
    )
    assert theorem.relation == "="


def _twice(c: Any, x: Any) -> Any:
    return c.derivative(lambda c, x: c.derivative(lambda c, x: x**3, x), x)


def test_a_derivative_of_a_derivative_is_refused_with_a_way_out() -> None:
    """By the kernel, and by the refuter where it would be computed."""
    given = (real("x"),)
    term = build(_twice, given)
    with pytest.raises(KernelError, match="no derivative of a term with the head 'diff'"):
        equation(assume(given, ()), term, term)
    with pytest.raises(UsageError, match="state the inner one in closed form"):
        attack(Part("twice", "", given, _twice, "=", lambda c, x: 6 * x))


_X = Fraction(3, 2)
_EXPECTED = Fraction(-8, 9) + Fraction(-16, 27) + Fraction(-27, 4) + 1


def _rational(c: Any, x: Any) -> Any:
    """A function with every operator in it, and the derivative -2/x^2 - 2/x^3 - 3 x^2 + 1."""
    return (2 - x) / x + 1 / (x * x) - x**3 + x**0 - (-x)


def test_dual_numbers_on_every_operator_are_exact_in_balls() -> None:
    """At a rational point the derivative of a rational function is an exact rational."""
    context = BallContext()
    found = context.derivative(_rational, context.value(_X))
    assert context.compare(found, context.value(_EXPECTED)) == "equal"


def test_dual_numbers_on_every_operator_in_mpmath() -> None:
    """The same derivative to 50 digits."""
    context = ExactContext(60)
    found = context.derivative(_rational, context.value(_X))
    assert to_decimal(found, 50) == to_decimal(context.value(_EXPECTED), 50)
