"""Edges of the kernel: what is malformed is rejected, what does not follow is not concluded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from verify.claim import Hypothesis, Part, Step
from verify.contexts.code import code
from verify.domain import Declaration, Domain, distribution, index, nonnegative, positive, probability, real
from verify.errors import KernelError, UsageError
from verify.kernel import poly
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.defined import require_defined
from verify.kernel.derivation import derive
from verify.kernel.derivative import differentiate
from verify.kernel.gaps import without_gaps
from verify.kernel.interpret import Interpreter
from verify.kernel.signs import sign_of
from verify.kernel.terms import Term, close_binder, free, num, replace, shift
from verify.kernel.text import text
from verify.kernel.theorem import agree, as_fact, equation, inequality

_G, _H, _Y, _M = real("g", "n"), real("h", "n"), index("y", "n"), index("m", "d")
_A, _B, _X, _Z, _V = positive("a"), positive("b"), real("x"), real("z"), nonnegative("v")
_P, _Q = distribution("p", "n"), distribution("q", "n", positive=True)
_W = real("w", "n", "d")


def _same(given: Any, left: Any, right: Any, *rules: str, hypotheses: tuple[Hypothesis, ...] = ()) -> bool:
    """Whether the rules make the two sides equal; that both have a value is not asked."""
    sides = build(left, given), build(right, given)
    return agree(assume(given, hypotheses), *sides, rules) is not None


def _step(given: Any, left: Any, relation: Any, right: Any, *rules: str, gap: Any = None) -> None:
    derive(Part("edge", "", given, left, relation, right, (), (Step(right, rules, "", relation, gap),)))


def _sum(c: Any, x: Any) -> Any:
    return c.sum(lambda i: x[i], over=x)


_H1 = Hypothesis("h", lambda c, x: x, "=", lambda c, x: x + 1)
_EVERY = Hypothesis("every", lambda c, g, m, i: c.number(0), "<", lambda c, g, m, i: g[i], over="n")


def _every_at(where: Callable[..., tuple[Any, ...]]) -> None:
    given = (_G, _M)
    term = build(lambda c, g, m: c.gap("hyp:every", *where(m)), given)
    require_defined(assume(given, (_EVERY,)), term)


# name -> (what is done, what the kernel says)
REJECTED: dict[str, tuple[Callable[[], object], str]] = {
    "a hypothesis that is not there": (
        lambda: _same((_X,), lambda c, x: x, lambda c, x: -x, "hyp:no"),
        "no hypothesis is named 'no'",
    ),
    "two variables of one name": (lambda: assume((_X, positive("x")), ()), "declared twice"),
    "a label without a range": (
        lambda: assume((Declaration("y", Domain(kind="index")),), ()),
        "the label y has no range",
    ),
    "two hypotheses of one name": (lambda: assume((_X,), (_H1, _H1)), "two hypotheses have one name"),
    "distributions along three axes": (
        lambda: assume((distribution("p", "k", "m", "n"),), ()),
        "at most two axes",
    ),
    "a power that is not whole": (lambda: build(lambda c, a: a**0.5, (_A,)), "is not a whole number"),
    "an index that is a number": (lambda: build(lambda c, g, x: g[x], (_G, _X)), "is not an index"),
    "a sum over a number": (
        lambda: build(lambda c, x: c.sum(lambda i: x, over=x), (_X,)),
        "an index needs a range",
    ),
    "a variable that is not declared": (
        lambda: require_defined(assume((), ()), Term("var", data="x")),
        "x is not declared as a number",
    ),
    "a length that is not declared": (
        lambda: require_defined(assume((), ()), Term("size", data="n")),
        "no declaration has the length n",
    ),
    "a reciprocal of what may be zero": (
        lambda: require_defined(assume((_X,), ()), Term("inv", (Term("var", data="x"),))),
        "division: x is not 0 does not follow",
    ),
    "a family for a number": (
        lambda: require_defined(assume((_G,), ()), Term("family", data="g")),
        "is not a number",
    ),
    "a sum over nothing": (
        lambda: require_defined(assume((), ()), Term("sum", (num(1),), 0)),
        "a sum over 1..0 is empty",
    ),
    "x log y for an x that need not vanish with y": (
        lambda: require_defined(assume((_V, _A), ()), build(lambda c, v, a: c.xlogy(a, v), (_V, _A))),
        "xlogy: v > 0 wherever a is not 0 does not follow",
    ),
    "an equation with a gap": (
        lambda: _step((_X,), lambda c, x: x, "=", lambda c, x: x, gap=lambda c, x: c.number(0)),
        "an equation has no gap",
    ),
    "an inequality without a gap": (
        lambda: _step((_X,), lambda c, x: x, "<=", lambda c, x: x + 1),
        "an inequality needs a gap",
    ),
    "an inequality of another kind": (
        lambda: inequality(assume((), ()), num(0), "=", num(0), num(0)),  # type: ignore[arg-type]
        "an inequality is <= or <, not '='",
    ),
    "a hypothesis about every index without one": (lambda: _every_at(lambda m: ()), "give an index exactly"),
    "a hypothesis at an index of another range": (lambda: _every_at(lambda m: (m,)), "the index m is not in"),
    "an inequality that is not known": (
        lambda: require_defined(assume((_A,), ()), build(lambda c, a: c.gap("log_le", a, a), (_A,))),
        "no inequality 'log_le' with 2 terms",
    ),
    "the sign of an inequality that is not known": (
        lambda: sign_of(assume((_A,), ()), build(lambda c, a: c.gap("no_such", a), (_A,))),
        "no inequality 'no_such' with 1 terms",
    ),
    "a family evaluated": (
        lambda: Interpreter(None, {}, {})(Term("entries", data="n")),
        "a term with the head 'entries' has no value",
    ),
    "an index for a number": (
        lambda: agree(assume((_Y,), ()), free("y"), num(1), ()),
        "a term with the head 'free' has no value",
    ),
    "a division by zero": (
        lambda: _same((_X,), lambda c, x: 1 / (x - x), lambda c, x: x),
        "division by zero",
    ),
    "a hypothesis that rewrites for ever": (
        lambda: _same((_X,), lambda c, x: x, lambda c, x: 2 * x, "hyp:h", hypotheses=(_H1,)),
        "the rules do not come to an end",
    ),
    "two case distinctions at once": (
        lambda: _same((_P, _V), lambda c, p, v: v, lambda c, p, v: v, "cases:p", "cases:v"),
        "one case distinction a step",
    ),
    "cases of what is not there": (
        lambda: _same((_V,), lambda c, v: v, lambda c, v: v, "cases:u"),
        "cases:u: no variable has that name",
    ),
    "cases of a label of any length": (
        lambda: _same((_G, _Y), lambda c, g, y: g[y], lambda c, g, y: g[y], "cases:y"),
        "only a label with a fixed number of values",
    ),
    "cases of a number of either sign": (
        lambda: _same((_X,), lambda c, x: x, lambda c, x: x, "cases:x"),
        "needs a variable >= 0 with at most one axis",
    ),
    "cases over a derivative": (
        lambda: _same(
            (_X, _V),
            lambda c, x, v: c.derivative(lambda c, x: x * v, x),
            lambda c, x, v: v,
            "derivative",
            "cases:v",
        ),
        "not over a derivative",
    ),
    "cases of sides that differ by more than a sum": (
        lambda: _same((_P,), lambda c, p: _sum(c, p), lambda c, p: c.number(1), "cases:p"),
        "do not differ by one sum",
    ),
    "a derivative of an operation that is none": (
        lambda: differentiate(Term("ceil", (Term("var", data="x"),)), Term("var", data="x")),
        "no derivative of a term with the head 'ceil'",
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_makes_no_sense_is_rejected(name: str) -> None:
    """With the reason."""
    act, reason = REJECTED[name]
    with pytest.raises((KernelError, UsageError), match=reason.replace("(", r"\(")):
        act()


# name -> (declarations, left, right, rules), which do not suffice: a side condition is missing
NOT_EQUAL: dict[str, tuple[Any, ...]] = {
    "an indicator of two ranges picks nothing": (
        (_G, _M),
        lambda c, g, m: c.sum(lambda i: c.equal(i, m) * g[i], over=g),
        lambda c, g, m: c.sum(lambda i: g[i], over=g),
        "delta",
    ),
    "an indicator of two ranges swaps nothing": (
        (_G, _Y, _M),
        lambda c, g, y, m: c.equal(y, m) * g[y],
        lambda c, g, y, m: c.equal(y, m) * g[m],
        "delta_swap",
    ),
    "a quotient of what may be zero": ((_X,), lambda c, x: x / x, lambda c, x: c.number(1), "cancel"),
    "the logarithm of a product of any reals": (
        (_G,),
        lambda c, g: c.log(c.prod(lambda i: g[i], over=g)),
        lambda c, g: c.sum(lambda i: c.log(g[i]), over=g),
        "log_prod",
    ),
    "x log y beside an indicator, for a y that may be zero there": (
        (_P, _Y, index("k", "n")),
        lambda c, p, y, k: c.xlogy(c.equal(y, k), p[k]),
        lambda c, p, y, k: c.equal(y, k) * c.log(p[k]),
        "xlogy_delta",
    ),
    "x log y beside what is no indicator": (
        (_P, _Y),
        lambda c, p, y: c.xlogy(p[y], p[y]),
        lambda c, p, y: p[y] * c.log(p[y]),
        "xlogy_delta",
    ),
    "the exponential of half a sum": (
        (_G,),
        lambda c, g: c.exp(_sum(c, g) / 2),
        lambda c, g: c.prod(lambda i: c.exp(g[i]), over=g),
        "exp_sum",
    ),
    "a hypothesis at an index of another range": (
        (real("w", "n", "d"), _M, _Y),
        lambda c, w, m, y: w[y, m],
        lambda c, w, m, y: c.number(0),
    ),
}


@pytest.mark.parametrize("name", NOT_EQUAL)
def test_what_does_not_follow_is_not_concluded(name: str) -> None:
    """The rule is named, and its side condition is not met."""
    assert not _same(*NOT_EQUAL[name])


# name -> (declarations, left, right, rules), which make the two sides equal
EQUAL: dict[str, tuple[Any, ...]] = {
    "the logarithm of a large prime": (
        (),
        lambda c: c.log(2018),
        lambda c: c.log(2) + c.log(1009),
        "log_mul",
    ),
    "a quotient of exponentials alone": (
        (_X, _Z),
        lambda c, x, z: c.exp(x) / (c.exp(x + x) + c.exp(x + z)),
        lambda c, x, z: 1 / (c.exp(x) + c.exp(z)),
        "exp_add",
    ),
    "a quotient of sums without exponentials, with exp_add": (
        (_A, _B, _X),
        lambda c, a, b, x: c.exp(x) * c.exp(-x) / (a + b),
        lambda c, a, b, x: 1 / (a + b),
        "exp_add",
    ),
    "nothing times a logarithm": (
        (_V,),
        lambda c, v: c.xlogy(c.number(0), v),
        lambda c, v: c.number(0),
        "xlog0",
    ),
    "a case distinction of a number": (
        (_V,),
        lambda c, v: c.xlogy(v, 2 * v),
        lambda c, v: c.xlogy(v, v) + v * c.log(2),
        "cases:v",
        "xlogy",
        "log_mul",
    ),
    "a product over few positions": (
        (real("g", 2),),
        lambda c, g: c.prod(lambda i: g[i], over=g),
        lambda c, g: g[1] * g[2],
        "expand",
    ),
    "the length of a table that is made": (
        (_W,),
        lambda c, w: c.count(c.family(lambda i: c.family(lambda j: 2 * w[i, j], over=w[i]), over=w)),
        lambda c, w: c.count(w),
    ),
    "labels in a family": (
        (_G, index("t", "n", "d"), _M),
        lambda c, g, t, m: c.sum(lambda i: c.equal(i, t[m]) * g[i], over=g),
        lambda c, g, t, m: g[t[m]],
        "delta",
    ),
    "a reciprocal, in a normal form": ((_A,), lambda c, a: a / a**2, lambda c, a: 1 / a, "cancel"),
}


@pytest.mark.parametrize("name", EQUAL)
def test_what_follows_is_a_theorem(name: str) -> None:
    """Both sides have a value, the rules suffice and none is needless."""
    given, left, right, *rules = EQUAL[name]
    theorem = equation(assume(given, ()), build(left, given), build(right, given), tuple(rules))
    assert theorem.relation == "="


def test_a_rule_whose_absence_makes_no_sense_is_needed() -> None:
    """Without log_exp the sides differ by more than the sum that the cases are about: no agreement."""
    given = (_P, _Q, _X)

    def left(c: Any, p: Any, q: Any, x: Any) -> Any:
        return c.sum(lambda i: c.xlogy(p[i], p[i] / q[i]), over=p) + c.log(c.exp(x))

    def right(c: Any, p: Any, q: Any, x: Any) -> Any:
        return c.sum(lambda i: c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i]), over=p) + x

    sides = build(left, given), build(right, given)
    theorem = equation(assume(given, ()), *sides, ("cases:p", "xlogy", "log_mul", "log_exp"))
    assert theorem.conditions["cases:p"] == ("p[i] = 0 and p[i] > 0",)


def test_beside_an_indicator_x_log_y_needs_its_value_at_the_label_only() -> None:
    """Off the label the product is 0, whatever q_i is there."""
    given = (distribution("q", "n"), _Y)
    possible = Hypothesis("possible", lambda c, q, y: c.number(0), "<", lambda c, q, y: q[y])
    term = build(lambda c, q, y: c.sum(lambda i: c.xlogy(c.equal(i, y), q[i]), over=q), given)
    assert equation(assume(given, (possible,)), term, term).relation == "="


def test_a_hypothesis_holds_at_the_indices_of_its_range_only() -> None:
    """What is assumed of every row is used at a row, beside an index of a column."""
    given = (_W, _Y, _M)
    rows = Hypothesis("rows", lambda c, w, y, m, i: w[i, 1], "=", lambda c, w, y, m, i: c.number(1), over="n")
    left, right = (lambda c, w, y, m: w[y, 1] + w[y, m]), (lambda c, w, y, m: 1 + w[y, m])
    assert _same(given, left, right, "hyp:rows", hypotheses=(rows,))


def test_x_log_y_has_a_value_where_y_is_assumed_to_be_positive_beside_x() -> None:
    """Where p_i > 0 so is q_i, and where p_i = 0 the product is 0."""
    given = (_P, distribution("q", "n"))
    support = Hypothesis(
        "support", lambda c, p, q, i: c.number(0), "<", lambda c, p, q, i: q[i], "n", lambda c, p, q, i: p[i]
    )
    term = build(lambda c, p, q: c.sum(lambda i: c.xlogy(p[i], q[i]), over=p), given)
    assert equation(assume(given, (support,)), term, term).relation == "="


# name -> (declarations, hypotheses, formula, its sign)
SIGNS: dict[str, tuple[Any, Any, Any, str | None]] = {
    "ceiling of a positive number": ((_A,), (), lambda c, a: c.ceil(a), "+"),
    "ceiling of any number": ((_X,), (), lambda c, x: c.ceil(x), None),
    "sum of zeros": ((), (), lambda c: c.number(0) + c.number(0), "0"),
    "power 0 of any number": ((_X,), (), lambda c, x: x**0, "+"),
    "reciprocal of any number": ((_X,), (), lambda c, x: x**-1, None),
    "product of zero with what has a sign": ((_A,), (), lambda c, a: c.number(0) * a, "0"),
    "product of zero with what has none": ((_X,), (), lambda c, x: x * c.number(0), "0"),
    "logarithms of what may be negative": ((_X, _A), (), lambda c, x, a: c.gap("log_mono", x, a), None),
    "exponentials in no order": ((_X, _Z), (), lambda c, x, z: c.gap("exp_mono", x, z), None),
    "a quotient that is seen to make no sense": ((_X, _A), (), lambda c, x, a: 1 / (x - x * a / a), None),
    "what a hypothesis says at another index": (
        (_G, _M, _W),
        (Hypothesis("h", lambda c, g, m, w, i: c.number(0), "<", lambda c, g, m, w, i: g[i], over="n"),),
        lambda c, g, m, w: w[1, m],
        None,
    ),
    "a probability that enters otherwise": ((probability("t"),), (), lambda c, t: t**2 - c.exp(t), None),
    "a weak hypothesis before a strong one": (
        (_X,),
        (
            Hypothesis("weak", lambda c, x: c.number(0), "<=", lambda c, x: x),
            Hypothesis("again", lambda c, x: c.number(0), "<=", lambda c, x: x),
        ),
        lambda c, x: x,
        "0+",
    ),
}


@pytest.mark.parametrize("name", SIGNS)
def test_the_sign_that_follows(name: str) -> None:
    """And none where nothing follows."""
    given, hypotheses, formula, expected = SIGNS[name]
    assert sign_of(assume(given, hypotheses), build(formula, given)) == expected


_ABOVE = Hypothesis(
    "above", lambda c, x, a, v: c.number(0), "<", lambda c, x, a, v: x, when=lambda c, x, a, v: a - v
)
_SURE = Hypothesis(
    "sure", lambda c, x, a, v: c.number(0), "<", lambda c, x, a, v: x, when=lambda c, x, a, v: a + v
)


@pytest.mark.parametrize(("hypothesis", "expected"), [(_ABOVE, None), (_SURE, "+")])
def test_a_condition_that_is_a_sum_is_decided(hypothesis: Hypothesis, expected: str | None) -> None:
    """By the signs of its terms, and not by asking the hypothesis itself, which would have no end."""
    given = (_X, _A, _V)
    assert sign_of(assume(given, (hypothesis,)), build(lambda c, x, a, v: x, given)) == expected


def test_an_index_of_a_binder_is_in_no_range() -> None:
    """Outside its sum it means nothing."""
    assert not assume((_G,), ()).in_range(Term("bound", data=0), "n")


def test_a_term_that_is_put_under_a_binder_keeps_its_indices() -> None:
    """An index of a binder further out is counted past the binder; a closed one is left alone."""
    outward = Term("app", (Term("bound", data=0),), "g")
    inside = Term(
        "sum", (Term("mul", (Term("var", data="x"), Term("app", (Term("bound", data=0),), "h"))),), "n"
    )
    moved = replace(inside, Term("var", data="x"), outward)
    assert moved.args[0].args[0] == shift(outward, 1) == Term("app", (Term("bound", data=1),), "g")


def test_closing_a_binder_moves_the_indices_of_those_around() -> None:
    """What pointed one binder out points two out."""
    body = Term("add", (Term("app", (free("@1"),), "g"), Term("app", (Term("bound", data=0),), "g")))
    closed = close_binder(body, "@1")
    assert [a.args[0].data for a in closed.args] == [0, 1]


def test_an_index_without_its_binder_is_shown_as_such() -> None:
    """In messages about parts of a formula."""
    assert text(Term("app", (Term("bound", data=0),), "g")) == "g[<0>]"


def test_a_negative_number_is_shown_with_its_sign() -> None:
    """Also alone in a sum."""
    assert text(build(lambda c, x: x + c.number(-2), (_X,))) == "x - 2"


def test_a_reciprocal_in_a_normal_form_has_its_value_and_its_derivative() -> None:
    """A head that only normal forms have."""
    x = Term("var", data="x")
    inverse = Term("inv", (x,))
    given = assume((_A,), ())
    slope = replace(differentiate(inverse, x), x, Term("var", data="a"))
    squared = build(lambda c, a: -(a**-2), (_A,))
    assert agree(given, slope, squared, ()) is not None
    assert code(Term("inv", (Term("var", data="a"),)), (_A,)) == "lambda c, a: 1 / a"


def test_a_label_of_a_family_is_evaluated_at_its_index() -> None:
    """As an index, and not as a number."""
    given = (_G, index("t", "n", "d"), _M)
    formula = build(lambda c, g, t, m: g[t[m]] + g[1], given)
    assert code(formula, given) == "lambda c, g, t, m: g[t[m]] + g[1]"


def test_a_quotient_is_shown_with_what_its_terms_share_in_front() -> None:
    """In the words of a side condition."""
    x, y = (poly.atom(Term("var", data=name)) for name in "xy")
    assert text(poly.factored(poly.add(poly.mul(x, y), x))) == "x (1 + y)"


def test_a_lemma_about_a_fresh_index_is_no_fact() -> None:
    """An index that the statement does not have could be any."""
    given = assume((_G,), ())
    inner = given.with_index("#0", "n")
    entry = Term("app", (free("#0"),), "g")
    with pytest.raises(KernelError, match="another range here"):
        as_fact(equation(inner, entry, entry), "lemma", given)


def test_a_gap_inside_a_gap_under_a_sum_is_shown() -> None:
    """Each stands for its difference, also at the index of the sum around both."""
    given = (_G, _M)
    term = build(
        lambda c, g, m: c.sum(lambda i: c.gap("exp_mono", c.number(0), c.gap("hyp:every", i)), over=g), given
    )
    shown = text(without_gaps(term, assume(given, (_EVERY,))))
    assert shown == "sum_{i=1..n} (exp(g[i] - 0) - exp(0))"
