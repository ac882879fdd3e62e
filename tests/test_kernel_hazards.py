"""Hazards of computer algebra: what SymPy does there, and what the kernel does instead."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from verify.domain import index, nonnegative, positive, real
from verify.errors import KernelError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.terms import free, replace
from verify.kernel.text import text
from verify.kernel.theorem import Theorem, equation

_G, _I = real("x", "n"), index("i", "n")


def _equal(given: Any, left: Any, right: Any, *rules: str) -> Theorem:
    return equation(assume(given, ()), build(left, given), build(right, given), rules)


def test_substitution_does_not_capture_a_bound_index() -> None:
    """SymPy turns Sum(i*k, (i, 1, n)) with k := i into Sum(i**2); the kernel keeps the two apart."""
    i, k, n = sympy.symbols("i k n", integer=True)
    assert sympy.Sum(i * k, (i, 1, n)).subs(k, i) == sympy.Sum(i**2, (i, 1, n))
    given = (_G, index("k", "n"))
    term = build(lambda c, x, k: c.sum(lambda j: x[j] * x[k], over=x), given)
    body = replace(term, free("k"), free("i")).args[0]
    assert [a.args[0].head for a in body.args] == ["bound", "free"]


def test_a_bound_index_does_not_escape() -> None:
    """SymPy simplifies minus a sum of cases to something with the index left over; the kernel cannot."""
    i = sympy.Symbol("i", integer=True)
    cases = sympy.Sum(sympy.Piecewise((i**2, i >= sympy.Rational(174, 25)), (0, True)), (i, 0, 12))
    assert (-cases).simplify().free_symbols == {i}
    theorem = _equal(
        (_G, _I),
        lambda c, x, i: -c.sum(lambda j: c.equal(j, i) * x[j], over=x),
        lambda c, x, i: -x[i],
        "delta",
    )
    assert text(theorem.right) == "-x[i]"


def test_a_label_named_like_a_bound_index_is_not_that_index() -> None:
    """SymPy differentiates Sum(x[i]**2) by x[i] to Sum(2*x[i]), as if the two i were one."""
    i, n = sympy.symbols("i n", integer=True)
    x = sympy.IndexedBase("x")
    squares = sympy.Sum(x[i] ** 2, (i, 1, n))
    assert squares.diff(x[i]) == sympy.Sum(2 * x[i], (i, 1, n))

    def derivative(c: Any, x: Any, i: Any) -> Any:
        return c.sum(lambda j: 2 * c.equal(j, i) * x[j], over=x)

    assert _equal((_G, _I), derivative, lambda c, x, i: 2 * x[i], "delta").relation == "="
    with pytest.raises(KernelError, match="not seen to be equal"):
        _equal((_G, _I), derivative, lambda c, x, i: c.sum(lambda j: 2 * x[j], over=x), "delta")


def test_a_quotient_keeps_its_form_until_cancel_is_named() -> None:
    """In SymPy p/p is 1 when it is built, and its side condition with it is gone."""
    p = sympy.Symbol("p", real=True)
    given = (positive("p"),)
    assert (p / p, text(build(lambda c, p: p / p, given))) == (1, "p/p")


def test_log_exp_keeps_its_form_until_the_rule_is_named() -> None:
    """In SymPy log(exp x) is x when it is built."""
    x = sympy.Symbol("x", real=True)
    assert (sympy.log(sympy.exp(x)), text(build(lambda c, x: c.log(c.exp(x)), (real("x"),)))) == (
        x,
        "log(exp(x))",
    )


def test_a_logarithm_is_not_forced_apart() -> None:
    """SymPy's force=True splits the logarithm of a product of any reals; the kernel has no force."""
    a, b = sympy.symbols("a b", real=True)
    assert sympy.expand_log(sympy.log(a * b), force=True) == sympy.log(a) + sympy.log(b)
    with pytest.raises(KernelError, match="does not follow"):
        _equal(
            (real("a"), real("b")),
            lambda c, a, b: c.log(a * b),
            lambda c, a, b: c.log(a) + c.log(b),
            "log_mul",
        )


def test_an_index_carries_its_range() -> None:
    """SymPy leaves the sum of an indicator as two cases, for want of 1 <= y <= n; the kernel knows."""
    i, y, n = sympy.symbols("i y n", integer=True, positive=True)
    x = sympy.IndexedBase("x")
    summed = sympy.Sum(sympy.KroneckerDelta(i, y) * x[i], (i, 1, n)).doit()
    assert summed.has(sympy.Piecewise)
    theorem = _equal(
        (_G, _I), lambda c, x, i: c.sum(lambda j: c.equal(j, i) * x[j], over=x), lambda c, x, i: x[i], "delta"
    )
    assert theorem.conditions == {"delta": ("i is in 1..n",)}


def test_zero_times_log_zero_is_zero_by_a_named_convention() -> None:
    """SymPy makes 0*log(0) nan; xlogy is the node that carries the convention, and its rule is named."""
    assert sympy.Integer(0) * sympy.log(0) is sympy.nan
    given = (nonnegative("p", "n"),)
    term = build(lambda c, p: c.xlogy(c.number(0), p[1]), given)
    assert text(
        equation(assume(given, ()), term, build(lambda c, p: c.number(0), given), ("xlog0",)).left
    ) == ("xlogy(0, p[1])")
