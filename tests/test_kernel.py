"""The kernel: theorems cannot be forged, steps name exactly their rules, nothing is captured."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from verify.claim import Hypothesis, Part, Step
from verify.domain import distribution, index, nonnegative, positive, probability, real, whole
from verify.errors import KernelError, UsageError
from verify.kernel.assumptions import assume
from verify.kernel.build import Index, build
from verify.kernel.defined import require_defined
from verify.kernel.derivation import derive
from verify.kernel.signs import sign_of
from verify.kernel.terms import Term, close_binder, free, open_binder, position
from verify.kernel.theorem import Theorem, as_fact, chain, equation, inequality

_G, _Y, _K = real("g", "n"), index("y", "n"), index("k", "n")
_P, _Q = distribution("p", "n"), distribution("q", "n", positive=True)
_A, _B, _X = positive("a"), positive("b"), real("x")


def _equal(
    given: Any, left: Any, right: Any, *rules: str, hypotheses: tuple[Hypothesis, ...] = ()
) -> Theorem:
    return equation(assume(given, hypotheses), build(left, given), build(right, given), rules)


def test_a_theorem_cannot_be_made_by_hand() -> None:
    """Only the inferences of the kernel make theorems."""
    term = build(lambda c: c.number(1), ())
    with pytest.raises(KernelError, match="inferences only"):
        Theorem(object(), assume((), ()), term, "=", build(lambda c: c.number(2), ()))


def test_a_theorem_cannot_be_altered_by_replacing_a_field() -> None:
    """A copy with another right side would be a forgery."""
    theorem = _equal((_X,), lambda c, x: x + x, lambda c, x: 2 * x)
    with pytest.raises((ValueError, TypeError)):
        dataclasses.replace(theorem, right=theorem.left)


# rule -> (declarations, left, right): equal by that rule, and not without it
RULES: dict[str, tuple[Any, ...]] = {
    "sum_linear": (
        (_G, _X),
        lambda c, g, x: c.sum(lambda i: x * g[i], over=g),
        lambda c, g, x: x * c.sum(lambda i: g[i], over=g),
    ),
    "sum_const": ((_G, _X), lambda c, g, x: c.sum(lambda i: x, over=g), lambda c, g, x: c.count(g) * x),
    "fubini": (
        (real("w", "n", "d"),),
        lambda c, w: c.sum(lambda i: c.sum(lambda j: w[i, j], over=w[i]), over=w),
        lambda c, w: c.sum(lambda j: c.sum(lambda i: w[i, j], over=w), over=w[1]),
    ),
    "expand": (
        (real("g", 3),),
        lambda c, g: c.sum(lambda i: g[i], over=g),
        lambda c, g: g[1] + g[2] + g[3],
    ),
    "delta": ((_G, _Y), lambda c, g, y: c.sum(lambda i: c.equal(i, y) * g[i], over=g), lambda c, g, y: g[y]),
    "delta_swap": (
        (_G, _Y, _K),
        lambda c, g, y, k: c.equal(y, k) * c.exp(g[y]),
        lambda c, g, y, k: c.equal(y, k) * c.exp(g[k]),
    ),
    "exp_add": (
        (_X, real("z")),
        lambda c, x, z: c.exp(x) * c.exp(z),
        lambda c, x, z: c.exp(x + z),
    ),
    "exp_sum": (
        (_G,),
        lambda c, g: c.exp(c.sum(lambda i: g[i], over=g)),
        lambda c, g: c.prod(lambda i: c.exp(g[i]), over=g),
    ),
    "exp_log": ((_A,), lambda c, a: c.exp(c.log(a)), lambda c, a: a),
    "log_exp": ((_X,), lambda c, x: c.log(c.exp(x)), lambda c, x: x),
    "log_one": ((), lambda c: c.log(c.number(1)), lambda c: c.number(0)),
    "log_mul": ((_A, _B), lambda c, a, b: c.log(a * b), lambda c, a, b: c.log(a) + c.log(b)),
    "log_prod": (
        (probability("r", "n"),),
        lambda c, r: c.log(c.prod(lambda i: r[i], over=r)),
        lambda c, r: c.sum(lambda i: c.log(r[i]), over=r),
    ),
    "cancel": ((_A,), lambda c, a: a / a, lambda c, a: c.number(1)),
    "xlogy": ((_A, _X), lambda c, a, x: c.xlogy(x, a), lambda c, a, x: x * c.log(a)),
    "xlog0": ((nonnegative("a"),), lambda c, a: c.xlogy(c.number(0), a), lambda c, a: c.number(0)),
    "xlogy_delta": (
        (_Q, _Y, _K),
        lambda c, q, y, k: c.xlogy(c.equal(y, k), q[y]),
        lambda c, q, y, k: c.equal(y, k) * c.log(q[y]),
    ),
    "hyp:sum_p": ((_P,), lambda c, p: c.sum(lambda i: p[i], over=p), lambda c, p: c.number(1)),
    "cases:t": (
        (index("t", 2), _X),
        lambda c, t, x: (c.equal(t, 1) + c.equal(t, 2)) * x - x,
        lambda c, t, x: c.number(0),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_proves_its_own_instance(rule: str) -> None:
    """Each rule, named, makes a step that ring arithmetic alone does not."""
    extra = ("delta",) if rule.startswith("cases") else ()
    theorem = _equal(*RULES[rule], rule, *extra)
    assert theorem.relation == "="


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_not_named_is_not_used(rule: str) -> None:
    """The same step without the rule is rejected."""
    extra = ("delta",) if rule.startswith("cases") else ()
    with pytest.raises(KernelError, match="not seen to be equal"):
        _equal(*RULES[rule], *extra)


def test_a_needless_rule_is_rejected() -> None:
    """A step names what it uses, and nothing else."""
    with pytest.raises(KernelError, match="log_mul is not needed"):
        _equal((_A,), lambda c, a: a + a, lambda c, a: 2 * a, "log_mul")


def test_an_unknown_rule_is_rejected_with_a_suggestion() -> None:
    """A misspelt rule is no rule."""
    with pytest.raises(UsageError, match="log_mul"):
        _equal((_A,), lambda c, a: a, lambda c, a: a, "log_mull")


def test_an_inequality_named_as_a_rule_says_how_to_use_it() -> None:
    """The known inequalities are gaps; the message says so."""
    with pytest.raises(UsageError, match=r"gap=lambda c, \.\.\.: c\.gap\('log_le'"):
        _equal((_A,), lambda c, a: a, lambda c, a: a, "log_le")


def test_a_rule_named_twice_is_rejected() -> None:
    """Naming a rule twice would hide that it is needless."""
    with pytest.raises(KernelError, match="named twice"):
        _equal((_A,), lambda c, a: a / a, lambda c, a: c.number(1), "cancel", "cancel")


def test_a_side_condition_is_reported() -> None:
    """A theorem says what was needed and shown."""
    theorem = _equal((_A, _B), lambda c, a, b: c.log(a * b), lambda c, a, b: c.log(a) + c.log(b), "log_mul")
    assert theorem.conditions == {"log_mul": ("a > 0", "b > 0")}


def test_opening_and_closing_a_binder_are_inverse() -> None:
    """A body opened at a fresh index and closed again is the same body, nested sums included."""
    term = build(
        lambda c, w: c.sum(lambda i: c.sum(lambda j: w[i, j], over=w[i]), over=w), (real("w", "n", "d"),)
    )
    body = term.args[0]
    assert close_binder(open_binder(body, free("#9")), "#9") == body


def test_terms_that_differ_in_bound_names_are_the_same() -> None:
    """Renaming of bound indices needs no rule."""
    one = build(lambda c, g: c.sum(lambda i: g[i], over=g), (_G,))
    other = build(lambda c, g: c.sum(lambda some_other_name: g[some_other_name], over=g), (_G,))
    assert one == other


def test_an_index_without_a_range_is_rejected() -> None:
    """An indicator of an index that nothing bounds has no meaning."""
    stray = Index(free("j"))
    with pytest.raises(KernelError, match="has no range"):
        _equal((_G, _Y), lambda c, g, y: c.equal(stray, y), lambda c, g, y: c.equal(stray, y))


def test_an_index_that_escapes_its_sum_is_rejected() -> None:
    """The index of a sum means nothing outside it."""
    kept: list[Any] = []

    def leak(c: Any, g: Any) -> Any:
        total = c.sum(lambda i: kept.append(i) or g[i], over=g)
        return total + g[kept[0]]

    with pytest.raises(KernelError, match="has no range"):
        _equal((_G,), leak, leak)


@pytest.mark.parametrize("k", [0, -1])
def test_a_position_below_1_is_a_mistake(k: int) -> None:
    """Indices start at 1, and nobody means anything else."""
    with pytest.raises(UsageError, match="indices start at 1"):
        _equal((_G,), lambda c, g: g[k], lambda c, g: g[k])


@pytest.mark.parametrize("k", [2, 7])
def test_a_position_outside_the_range_is_rejected(k: int) -> None:
    """Of 1..n only 1 is certainly a position."""
    with pytest.raises(KernelError, match="outside the range"):
        _equal((_G,), lambda c, g: g[k], lambda c, g: g[k])


def test_an_index_of_another_range_is_rejected() -> None:
    """A label of d classes is no index of n entries."""
    with pytest.raises(KernelError, match="outside the range"):
        _equal((_G, index("m", "d")), lambda c, g, m: g[m], lambda c, g, m: g[m])


def test_indices_of_two_ranges_have_no_indicator() -> None:
    """[i = j] needs a common range."""
    with pytest.raises(KernelError, match="no common range"):
        _equal(
            (_G, _Y, index("m", "d"), real("h", "d")),
            lambda c, g, y, m, h: c.equal(y, m),
            lambda c, g, y, m, h: c.equal(y, m),
        )


def test_a_sum_over_an_undeclared_length_is_rejected() -> None:
    """A length that no declaration mentions could be anything."""
    stray = Term("sum", (build(lambda c: c.number(1), ()),), "m")
    with pytest.raises(KernelError, match="no declaration has that length"):
        require_defined(assume((_G,), ()), stray)


def test_the_fresh_index_of_a_sum_must_be_fresh() -> None:
    """The eigenvariable condition: an index already spoken of cannot be generalised over."""
    with pytest.raises(KernelError, match="not fresh"):
        assume((_G, _Y), ()).with_index("y", "n")


def test_a_hypothesis_about_one_label_does_not_hold_for_all() -> None:
    """From q_y > 0 it does not follow that every q_i is."""
    hypothesis = Hypothesis("possible", lambda c, q, y: c.number(0), "<", lambda c, q, y: q[y])
    formula = lambda c, q, y: c.sum(lambda i: c.log(q[i]), over=q)  # noqa: E731 - both sides are the same
    with pytest.raises(KernelError, match="does not follow"):
        _equal((distribution("q", "n"), _Y), formula, formula, hypotheses=(hypothesis,))


def test_theorems_under_different_assumptions_do_not_join() -> None:
    """Contexts of merged theorems must agree."""
    first = _equal((_A,), lambda c, a: a, lambda c, a: a)
    second = _equal((real("a"),), lambda c, a: a, lambda c, a: a)
    with pytest.raises(KernelError, match="different assumptions"):
        chain(first, second)


def test_theorems_with_different_middles_do_not_join() -> None:
    """Transitivity needs the same middle term."""
    first = _equal((_A, _B), lambda c, a, b: a, lambda c, a, b: a)
    second = _equal((_A, _B), lambda c, a, b: b, lambda c, a, b: b)
    with pytest.raises(KernelError, match="not the same term"):
        chain(first, second)


def test_a_lemma_under_stronger_assumptions_is_rejected() -> None:
    """What was shown for positive a is not a fact about every a."""
    lemma = _equal((_A,), lambda c, a: a / a, lambda c, a: c.number(1), "cancel")
    with pytest.raises(KernelError, match="not assumed here"):
        as_fact(lemma, "ratio", assume((real("a"),), ()))


def test_a_lemma_under_the_same_assumptions_is_a_fact() -> None:
    """A proved equation can be used by name."""
    lemma = Part(
        id="odds",
        words="",
        given=(_A,),
        left=lambda c, a: c.log(a * a),
        relation="=",
        right=lambda c, a: 2 * c.log(a),
        steps=(Step(lambda c, a: 2 * c.log(a), ("log_mul",)),),
    )
    part = Part(
        id="uses",
        words="",
        given=(_A,),
        left=lambda c, a: 1 + c.log(a * a),
        relation="=",
        right=lambda c, a: 2 * c.log(a) + 1,
        lemmas=(lemma,),
        steps=(Step(lambda c, a: 2 * c.log(a) + 1, ("lemma:odds",)),),
    )
    assert derive(part).theorem.relation == "="


def test_an_inequality_cannot_be_used_as_an_equation() -> None:
    """A hypothesis <= rewrites nothing."""
    hypothesis = Hypothesis("less", lambda c, a, b: a, "<=", lambda c, a, b: b)
    with pytest.raises(KernelError, match="not an equation"):
        _equal((_A, _B), lambda c, a, b: a, lambda c, a, b: b, "hyp:less", hypotheses=(hypothesis,))


def test_a_wrong_gap_is_rejected() -> None:
    """The gap must be what lies between the two sides, not merely something positive."""
    given = (_A, _B)
    with pytest.raises(KernelError, match="not seen to be equal"):
        inequality(
            assume(given, ()),
            build(lambda c, a, b: a, given),
            "<=",
            build(lambda c, a, b: b, given),
            build(lambda c, a, b: a * b, given),
        )


def test_a_crash_in_a_step_is_a_rejection() -> None:
    """The kernel fails closed: an exception inside a formula is no acceptance."""
    part = Part(
        id="crash",
        words="",
        given=(_A,),
        left=lambda c, a: a,
        relation="=",
        right=lambda c, a: a,
        steps=(Step(lambda c, a: a.no_such_thing),),
    )
    with pytest.raises(KernelError, match="step 1"):
        derive(part)


def test_steps_that_end_elsewhere_are_rejected() -> None:
    """A derivation must arrive at the right side of the statement."""
    part = Part(
        id="elsewhere",
        words="",
        given=(_A, _B),
        left=lambda c, a, b: a,
        relation="=",
        right=lambda c, a, b: b,
        steps=(Step(lambda c, a, b: a),),
    )
    with pytest.raises(KernelError, match="not seen to be equal"):
        derive(part)


def test_steps_that_show_less_than_the_statement_are_rejected() -> None:
    """A <= b does not show a < b."""
    part = Part(
        id="weaker",
        words="",
        given=(_A,),
        left=lambda c, a: c.log(a),
        relation="<",
        right=lambda c, a: a - 1,
        steps=(Step(lambda c, a: a - 1, (), "", "<=", lambda c, a: c.gap("log_le", a)),),
    )
    with pytest.raises(KernelError, match="the steps show <="):
        derive(part)


def test_a_float_in_a_formula_is_rejected() -> None:
    """0.1 is not a tenth: formulas are exact."""
    with pytest.raises(UsageError, match="not exact"):
        build(lambda c, a: 0.1 * a, (_A,))


def test_a_division_by_a_possible_zero_is_rejected() -> None:
    """p_i/p_i has no value where p_i = 0."""
    formula = lambda c, p: c.sum(lambda i: p[i] / p[i], over=p)  # noqa: E731 - both sides are the same
    with pytest.raises(KernelError, match="is not 0 does not follow"):
        _equal((_P,), formula, lambda c, p: c.count(p), "cancel", "sum_const")


SIGNS: dict[str, tuple[Any, Any, str | None]] = {
    "exponential": ((_X,), lambda c, x: c.exp(x), "+"),
    "square": ((_X,), lambda c, x: x**2, "0+"),
    "difference": ((_A, _B), lambda c, a, b: a - b, None),
    "complement of a probability": ((probability("t"),), lambda c, t: 1 - t, "+"),
    "affine in a probability": ((probability("t"), _A), lambda c, t, a: t * a / 32 + (1 - t) * a, "+"),
    "affine that changes sign": ((probability("t"),), lambda c, t: 1 - 2 * t, None),
    "log of two": ((), lambda c: c.log(2), "+"),
    "affine in a probability, with a rest": (
        (probability("t"), nonnegative("a")),
        lambda c, t, a: 1 - t - a * t * c.log(t),
        "+",
    ),
    "affine in a probability, with a rest of another sign": (
        (probability("t"),),
        lambda c, t: 1 - t + c.log(t),
        None,
    ),
    "x (t - 1) - x log t": ((_A, _B), lambda c, a, b: c.gap("xlogy_le", a, b), "0+"),
    "x (t - 1) - x log t, for x of either sign": ((_X, _B), lambda c, x, b: c.gap("xlogy_le", x, b), None),
    "x log x - x log t - x + t": ((_A, _B), lambda c, a, b: c.gap("rel_entr_ge", a, b), "0+"),
    "x log x - x log t - x + t, for t of either sign": (
        (_A, _X),
        lambda c, a, x: c.gap("rel_entr_ge", a, x),
        None,
    ),
    "the circle's constant": ((), lambda c: c.pi(), "+"),
    "log of a probability": ((probability("t"),), lambda c, t: c.log(t), "-"),
    "complement of an indicator": ((_G, _Y, _K), lambda c, g, y, k: 1 - c.equal(y, k), "0+"),
    "indicator twice": ((_G, _Y, _K), lambda c, g, y, k: 1 - 2 * c.equal(y, k), None),
    "sum of positives": ((_G,), lambda c, g: c.sum(lambda i: c.exp(g[i]), over=g), "+"),
    "product of reals": ((_G,), lambda c, g: c.prod(lambda i: g[i], over=g), None),
    "whole number": ((whole("m"),), lambda c, m: m, "+"),
    "odd power of a negative": ((_A,), lambda c, a: (-a) ** 3, "-"),
    "zero": ((), lambda c: c.number(0), "0"),
    "product with an unknown": ((_X, _A), lambda c, x, a: x * a, None),
}


@pytest.mark.parametrize("name", SIGNS)
def test_sign(name: str) -> None:
    """The sign that follows from form and assumptions, and none where it does not."""
    given, formula, expected = SIGNS[name]
    assert sign_of(assume(given, ()), build(formula, given)) == expected


def test_rational_constants_are_exact() -> None:
    """One third three times is one."""
    third = Fraction(1, 3)
    assert _equal((), lambda c: c.number(third) * 3, lambda c: c.number(1)).relation == "="


def test_a_position_of_a_fixed_length_is_in_range() -> None:
    """Of 1..3, 3 is a position."""
    assert assume((real("g", 3),), ()).in_range(position(3), 3)
