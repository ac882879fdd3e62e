"""Faults in the rules of equations, each with a false statement that it lets pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from seeded import A, B, Fault, G, H, K, Q, X, Y, Z, part, yes

from verify.claim import Hypothesis, Part, Step
from verify.domain import nonnegative, probability, real
from verify.kernel import (
    derivation,
    derivative,
    functions,
    indicators,
    normal,
    poly,
    theorem,
)
from verify.kernel.assumptions import Assumptions, Fact
from verify.kernel.poly import Poly
from verify.kernel.terms import Term, open_binder, position
from verify.kernel.theorem import Theorem


def _diagonal(self: Any, t: Term) -> Term:
    """A double sum in either order, but for the second index, which is the first."""
    if t.args[0].head != "sum":
        return t
    return Term("sum", (open_binder(t.args[0].args[0], Term("bound", data=0)),), t.data)


_EXP, _LOG, _XLOGY, _ATOM = functions.exp_form, functions.log_form, functions.xlogy_form, functions._log_atom


def _first_exponent(n: Any, p: Poly, given: Assumptions) -> Poly:
    """The exponential of a sum without all terms but one."""
    return _EXP(n, dict([min(p.items())]) if p else p, given)


def _sum_of_exponentials(n: Any, p: Poly, given: Assumptions) -> Poly:
    """The exponential of a sum as the sum of the exponentials."""
    atoms = [m[0][0] for m in p if "exp_sum" in n.rules and m[0][0].head == "sum"]
    if not atoms:
        return _EXP(n, p, given)
    return n.norm(Term("sum", (Term("exp", atoms[0].args),), atoms[0].data), given)  # type: ignore[no-any-return]


def _root_is_itself(n: Any, p: Poly, given: Assumptions) -> Poly:
    """e^(k log t) = t, for every k."""
    logs = [m[0][0] for m in p if "exp_log" in n.rules and m[0][0].head == "log"]
    return n.norm(logs[0].args[0], given) if logs else _EXP(n, p, given)  # type: ignore[no-any-return]


def _log_of_exponential_is_one(n: Any, t: Term, given: Assumptions) -> Poly:
    """Log e^t = 1."""
    return poly.constant(1) if t.head == "exp" and "log_exp" in n.rules else _ATOM(n, t, given)


def _product_of_logs(n: Any, t: Term, given: Assumptions) -> Poly:
    """The logarithm of a product as the product of the logarithms."""
    if t.head != "prod" or "log_prod" not in n.rules:
        return _ATOM(n, t, given)
    return n.norm(Term("prod", (Term("log", t.args),), t.data), given)  # type: ignore[no-any-return]


def _log_of_numbers_is_zero(n: Any, p: Poly, given: Assumptions) -> Poly:
    """Log 1 = 0, and so is log 2."""
    return {} if "log_one" in n.rules and set(p) == {()} else _LOG(n, p, given)


def _log_without_factor(rule: str) -> Callable[..., Poly]:
    """X log y = log y."""

    def fault(n: Any, a: Poly, b: Poly, given: Assumptions) -> Poly:
        return _LOG(n, b, given) if rule in n.rules else _XLOGY(n, a, b, given)

    return fault


def _all_zero(n: Any, a: Poly, b: Poly, given: Assumptions) -> Poly:
    """X log y = 0."""
    return {} if "xlog0" in n.rules else _XLOGY(n, a, b, given)


def _product_of_derivatives(factors: tuple[Term, ...], inner: list[Term]) -> Term:
    """The derivative of a product as the product of the derivatives."""
    return Term("mul", tuple(inner))


_CASES = theorem._cases


def _first_case(*arguments: Any) -> Iterator[Any]:
    """A case distinction that forgets all cases but one."""
    return itertools.islice(_CASES(*arguments), 1)


def _any_lemma(proved: Theorem, name: str, given: Assumptions) -> Fact:
    """A lemma as a fact, whatever it assumed."""
    return Fact(name, proved.left, proved.relation, proved.right, lemma=True)


def _total(c: Any, x: Any) -> Any:
    return c.sum(lambda i: x[i], over=x)


def _products(c: Any, g: Any, h: Any) -> Any:
    return c.sum(lambda i: g[i] * h[i], over=g)


_CONDITIONAL = Hypothesis("h", lambda c, x, z: x, "=", lambda c, x, z: c.number(1), when=lambda c, x, z: z)
_ONE = Hypothesis("one", lambda c, a: a, "=", lambda c, a: c.number(1))
_LEMMA = Part(
    "is_one",
    "",
    (A,),
    lambda c, a: a,
    "=",
    lambda c, a: c.number(1),
    (_ONE,),
    (Step(lambda c, a: c.number(1), ("hyp:one",)),),
)

RULE_FAULTS: dict[str, Fault] = {
    "a factor with the index comes out": Fault(
        normal,
        "sum_linear",
        normal,
        "free_indices",
        lambda t: frozenset(),
        part(
            (G, H),
            lambda c, g, h: c.sum(lambda i: c.number(1), over=g) * _products(c, g, h),
            "=",
            lambda c, g, h: _total(c, g) * _total(c, h),
            "sum_linear",
        ),
    ),
    "terms with the index are equal": Fault(
        normal,
        "sum_const",
        normal,
        "free_indices",
        lambda t: frozenset(),
        part(
            (G, H),
            lambda c, g, h: c.count(g) * _products(c, g, h),
            "=",
            lambda c, g, h: _total(c, g) * _total(c, h),
            "sum_const",
        ),
    ),
    "double sum on the diagonal": Fault(
        normal,
        "fubini",
        normal.Normalizer,
        "_ordered",
        _diagonal,
        part(
            (G, H),
            lambda c, g, h: c.sum(lambda i: c.sum(lambda j: g[i] * h[j], over=h), over=g),
            "=",
            lambda c, g, h: c.sum(lambda i: c.sum(lambda j: g[i] * h[i], over=h), over=g),
            "fubini",
        ),
    ),
    "every position is the first": Fault(
        normal,
        "expand",
        normal,
        "position",
        lambda k: position(1),
        part((real("g", 3),), _total, "=", lambda c, g: 3 * g[1], "expand"),
    ),
    "indicator keeps the running entry": Fault(
        normal,
        "delta",
        normal,
        "replace",
        lambda term, old, new: Term("num", data=Fraction(1)),
        part(
            (G, Y),
            lambda c, g, y: c.sum(lambda i: c.equal(i, y) * g[i], over=g),
            "=",
            lambda c, g, y: c.number(1),
            "delta",
        ),
    ),
    "indicator forgets what stands beside it": Fault(
        indicators,
        "delta_swap",
        indicators,
        "_aligned",
        lambda n, m, c, given: {tuple(x for x in m if x[0].head == "delta") or m: c},
        part(
            (G, Y, K),
            lambda c, g, y, k: c.equal(y, k) * g[y],
            "=",
            lambda c, g, y, k: c.equal(y, k),
            "delta_swap",
        ),
    ),
    "exponents are lost": Fault(
        functions,
        "exp_add",
        normal,
        "exp_form",
        _first_exponent,
        part((X, Z), lambda c, x, z: c.exp(x) * c.exp(z), "=", lambda c, x, z: c.exp(x), "exp_add"),
    ),
    "exponential of a sum is a sum": Fault(
        functions,
        "exp_sum",
        normal,
        "exp_form",
        _sum_of_exponentials,
        part(
            (G,),
            lambda c, g: c.exp(_total(c, g)),
            "=",
            lambda c, g: c.sum(lambda i: c.exp(g[i]), over=g),
            "exp_sum",
        ),
    ),
    "exponential of half a logarithm": Fault(
        functions,
        "exp_log",
        normal,
        "exp_form",
        _root_is_itself,
        part((A,), lambda c, a: c.exp(c.log(a) / 2), "=", lambda c, a: a, "exp_log"),
    ),
    "logarithm of an exponential is one": Fault(
        functions,
        "log_exp",
        functions,
        "_log_atom",
        _log_of_exponential_is_one,
        part((X,), lambda c, x: c.log(c.exp(x)), "=", lambda c, x: c.number(1), "log_exp"),
    ),
    "logarithm of every number is zero": Fault(
        functions,
        "log_one",
        normal,
        "log_form",
        _log_of_numbers_is_zero,
        part((), lambda c: c.log(2), "=", lambda c: c.number(0), "log_one"),
    ),
    "logarithm of a number with the wrong sign": Fault(
        functions,
        "log_mul",
        functions,
        "_log_number",
        lambda c: poly.scale(poly.atom(Term("log", (Term("num", data=Fraction(2)),))), Fraction(-1)),
        part((A,), lambda c, a: c.log(2 * a), "=", lambda c, a: c.log(a / 2), "log_mul"),
    ),
    "logarithm of a product is a product": Fault(
        functions,
        "log_prod",
        functions,
        "_log_atom",
        _product_of_logs,
        part(
            (probability("r", "n"),),
            lambda c, r: c.log(c.prod(lambda i: r[i], over=r)),
            "=",
            lambda c, r: c.prod(lambda i: c.log(r[i]), over=r),
            "log_prod",
        ),
    ),
    "division without remainder": Fault(
        poly,
        "cancel",
        poly,
        "divide",
        lambda n, d: poly.constant(1),
        part((A, B), lambda c, a, b: (2 * a + b) / (a + b), "=", lambda c, a, b: c.number(1), "cancel"),
    ),
    "derivative of a product is a product": Fault(
        derivative,
        "derivative",
        derivative,
        "_of_product",
        _product_of_derivatives,
        part(
            (X,),
            lambda c, x: c.derivative(lambda c, x: x * c.exp(x), x),
            "=",
            lambda c, x: c.exp(x),
            "derivative",
        ),
    ),
    "x log y without x": Fault(
        functions,
        "xlogy",
        normal,
        "xlogy_form",
        _log_without_factor("xlogy"),
        part((A, X), lambda c, a, x: c.xlogy(x, a), "=", lambda c, a, x: c.log(a), "xlogy"),
    ),
    "x log y is zero": Fault(
        functions,
        "xlog0",
        normal,
        "xlogy_form",
        _all_zero,
        part((A, X), lambda c, a, x: c.xlogy(x, a), "=", lambda c, a, x: c.number(0), "xlog0"),
    ),
    "x log y without the indicator": Fault(
        functions,
        "xlogy_delta",
        normal,
        "xlogy_form",
        _log_without_factor("xlogy_delta"),
        part(
            (Q, Y, K),
            lambda c, q, y, k: c.xlogy(c.equal(y, k), q[y]),
            "=",
            lambda c, q, y, k: c.log(q[y]),
            "xlogy_delta",
        ),
    ),
    "hypothesis without its condition": Fault(
        normal,
        "hyp",
        normal.Normalizer,
        "positive",
        yes,
        part((X, Z), lambda c, x, z: x, "=", lambda c, x, z: c.number(1), "hyp:h", assumed=(_CONDITIONAL,)),
    ),
    "lemma without its hypotheses": Fault(
        derivation,
        "lemma",
        derivation,
        "as_fact",
        _any_lemma,
        part((A,), lambda c, a: a, "=", lambda c, a: c.number(1), "lemma:is_one", lemmas=(_LEMMA,)),
    ),
    "one case of two": Fault(
        theorem,
        "cases",
        theorem,
        "_cases",
        _first_case,
        part((nonnegative("v", "n"),), _total, "=", lambda c, v: c.number(0), "cases:v"),
    ),
}
