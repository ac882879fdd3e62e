"""False statements: the kernel rejects each, and where it has a value the refuter shows a witness."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from verify.claim import Hypothesis, Part
from verify.domain import distribution, index, nonnegative, positive, probability, real
from verify.errors import KernelError
from verify.kernel.assumptions import assume
from verify.kernel.build import build
from verify.kernel.defined import require_defined
from verify.kernel.rules import RULES
from verify.kernel.theorem import agree, inequality
from verify.operations.binary_cross_entropy import binary_cross_entropy
from verify.operations.bits import bits
from verify.operations.cross_entropy import cross_entropy
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.nll import nll
from verify.operations.one_hot import one_hot
from verify.operations.perplexity import perplexity
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax
from verify.refuter import attack

_g, _h = real("g", "n"), real("h", "n")
_p, _q, _q1 = (
    distribution("p", "n"),
    distribution("q", "n", positive=True),
    distribution("p", "n", positive=True),
)
_y, _k = index("y", "n"), index("k", "n")
_x, _z, _c = real("x"), real("z"), real("c")
_a, _b = positive("a"), positive("b")
_r = probability("r", "n")
_w = real("w", "n", "n")


def _sum(c: Any, f: Any) -> Any:
    return c.sum(lambda i: f[i], over=f)


def _scaled(c: Any, g: Any, factor: int) -> Any:
    return c.family(lambda i: factor * g[i], over=g)


def _shifted(c: Any, g: Any, by: Any) -> Any:
    return c.family(lambda i: g[i] + by, over=g)


def _root(c: Any, x: Any) -> Any:
    return c.exp(c.log(x) / 2)


Formula = Callable[..., Any]
# id -> (declarations, left, right); all are claimed to be equal
FALSE: dict[str, tuple[tuple[Any, ...], Formula, Formula]] = {
    "kl-sign-flipped": (
        (_q, _y),
        lambda c, q, y: c.call(kl_div, c.call(one_hot, y, q), q),
        lambda c, q, y: c.log(q[y]),
    ),
    "kl-symmetric": (
        (_q1, _q),
        lambda c, p, q: c.call(kl_div, p, q),
        lambda c, p, q: c.call(kl_div, q, p),
    ),
    "decomposition-with-the-other-entropy": (
        (_q1, _q),
        lambda c, p, q: c.call(cross_entropy, p, q),
        lambda c, p, q: c.call(entropy, q) + c.call(kl_div, p, q),
    ),
    "decomposition-with-a-minus": (
        (_p, _q),
        lambda c, p, q: c.call(cross_entropy, p, q),
        lambda c, p, q: c.call(entropy, p) - c.call(kl_div, p, q),
    ),
    "log-of-sum": (
        (_r,),
        lambda c, r: c.log(_sum(c, r)),
        lambda c, r: c.sum(lambda i: c.log(r[i]), over=r),
    ),
    "softmax-scale-invariant": (
        (_g, _y),
        lambda c, g, y: c.call(softmax, _scaled(c, g, 2))[y],
        lambda c, g, y: c.call(softmax, g)[y],
    ),
    "softmax-additive": (
        (_g, _y, _c),
        lambda c, g, y, s: c.call(softmax, _shifted(c, g, s))[y],
        lambda c, g, y, s: c.call(softmax, g)[y] + s,
    ),
    "softmax-squared-by-temperature": (
        (_g, _y),
        lambda c, g, y: c.call(softmax, _scaled(c, g, 2))[y],
        lambda c, g, y: c.call(softmax, g)[y] ** 2,
    ),
    "gradient-with-a-plus": (
        (_g, _y),
        lambda c, g, y: c.sum(lambda j: c.call(softmax, g)[j] + c.equal(j, y), over=g),
        lambda c, g, y: c.number(0),
    ),
    "softplus-first-order": ((_z,), lambda c, z: c.log(1 + c.exp(z)), lambda c, z: z + c.exp(-z)),
    "softmax-sum-off-by-a-hair": (
        (_g,),
        lambda c, g: c.sum(lambda j: c.call(softmax, g)[j], over=g),
        lambda c, g: c.number(1 + Fraction(1, 2**150)),
    ),
    "product-of-sums": (
        (_g, _h),
        lambda c, g, h: _sum(c, g) * _sum(c, h),
        lambda c, g, h: c.sum(lambda i: g[i] * h[i], over=g),
    ),
    "diagonal-of-a-double-sum": (
        (_g, _h),
        lambda c, g, h: c.sum(lambda i: c.sum(lambda j: g[i] * h[j], over=h), over=g),
        lambda c, g, h: c.sum(lambda i: g[i] * h[i], over=g),
    ),
    "captured-index": (
        (_g, _h, _y),
        lambda c, g, h, y: c.sum(lambda i: g[i] * h[y], over=g),
        lambda c, g, h, y: c.sum(lambda i: g[i] * h[i], over=g),
    ),
    "rows-for-columns": (
        (_w, _y),
        lambda c, w, y: c.sum(lambda j: w[y, j], over=w),
        lambda c, w, y: c.sum(lambda j: w[j, y], over=w),
    ),
    "exp-of-sum": ((_x, _z), lambda c, x, z: c.exp(x + z), lambda c, x, z: c.exp(x) + c.exp(z)),
    "log-of-two-terms": ((_a, _b), lambda c, a, b: c.log(a + b), lambda c, a, b: c.log(a) + c.log(b)),
    "entropy-of-one-hot-is-one": (
        (_q, _y),
        lambda c, q, y: c.call(entropy, c.call(one_hot, y, q)),
        lambda c, q, y: c.number(1),
    ),
    "entropy-of-uniform-is-n": (
        (_g,),
        lambda c, g: c.call(entropy, c.family(lambda i: 1 / c.count(g), over=g)),
        lambda c, g: c.count(g),
    ),
    "logsumexp-is-sum": ((_g,), lambda c, g: c.call(logsumexp, g), lambda c, g: _sum(c, g)),
    "logsumexp-shift-invariant": (
        (_g, _c),
        lambda c, g, s: c.call(logsumexp, _shifted(c, g, s)),
        lambda c, g, s: c.call(logsumexp, g),
    ),
    "log-softmax-without-normaliser": (
        (_g, _y),
        lambda c, g, y: c.call(log_softmax, g)[y],
        lambda c, g, y: g[y],
    ),
    "sigmoid-even": ((_z,), lambda c, z: c.call(sigmoid, -z), lambda c, z: c.call(sigmoid, z)),
    "sigmoid-complement-is-two": (
        (_z,),
        lambda c, z: c.call(sigmoid, z) + c.call(sigmoid, -z),
        lambda c, z: c.number(2),
    ),
    "log-sigmoid-is-identity": ((_z,), lambda c, z: c.log(c.call(sigmoid, z)), lambda c, z: z),
    "bce-label-symmetric": (
        (probability("f"), probability("t")),
        lambda c, f, t: c.call(binary_cross_entropy, f, t),
        lambda c, f, t: c.call(binary_cross_entropy, f, 1 - t),
    ),
    "loss-of-another-label": (
        (_g, _y, _k),
        lambda c, g, y, k: c.call(cross_entropy_with_logits, g, y),
        lambda c, g, y, k: c.call(logsumexp, g) - g[k],
    ),
    "one-hot-loss-of-the-complement": (
        (_q, _y, _k),
        lambda c, q, y, k: c.call(cross_entropy, c.call(one_hot, y, q), q),
        lambda c, q, y, k: c.call(nll, q, k),
    ),
    "perplexity-inverted": (
        (_r,),
        lambda c, r: c.call(perplexity, r),
        lambda c, r: c.exp(c.sum(lambda i: c.log(r[i]), over=r) / c.count(r)),
    ),
    "perplexity-is-arithmetic": (
        (_r,),
        lambda c, r: c.call(perplexity, r),
        lambda c, r: c.sum(lambda i: 1 / r[i], over=r) / c.count(r),
    ),
    "bits-are-nats": ((_a,), lambda c, a: c.call(bits, a), lambda c, a: -c.log(a)),
    "geometric-mean-is-arithmetic": (
        (_r,),
        lambda c, r: c.exp(c.sum(lambda i: c.log(r[i]), over=r) / c.count(r)),
        lambda c, r: _sum(c, r) / c.count(r),
    ),
    "evidence-the-wrong-way": (
        (probability("t"),),
        lambda c, t: (t / 32) / (t / 32 + (1 - t)),
        lambda c, t: 32 * t,
    ),
    "indicator-sums-to-n": (
        (_g, _y),
        lambda c, g, y: c.sum(lambda i: c.equal(i, y), over=g),
        lambda c, g, y: c.count(g),
    ),
    "sum-of-ones-is-one": (
        (_g,),
        lambda c, g: c.sum(lambda i: c.number(1), over=g),
        lambda c, g: c.number(1),
    ),
    "distribution-sums-to-n": ((_p,), lambda c, p: _sum(c, p), lambda c, p: c.count(p)),
    "distribution-is-certain": ((_p, _y), lambda c, p, y: p[y], lambda c, p, y: c.number(1)),
    "labels-equal": ((_g, _y, _k), lambda c, g, y, k: g[y], lambda c, g, y, k: g[k]),
    "product-of-exponentials": (
        (_g,),
        lambda c, g: c.prod(lambda i: c.exp(g[i]), over=g),
        lambda c, g: c.exp(c.prod(lambda i: g[i], over=g)),
    ),
    "log-of-product-is-product": (
        (_r,),
        lambda c, r: c.log(c.prod(lambda i: r[i], over=r)),
        lambda c, r: c.prod(lambda i: c.log(r[i]), over=r),
    ),
    "product-is-sum": ((_r,), lambda c, r: c.prod(lambda i: r[i], over=r), lambda c, r: _sum(c, r)),
    "square-is-itself": ((_x,), lambda c, x: x**2, lambda c, x: x),
    "reciprocal-of-sum": ((_a, _b), lambda c, a, b: 1 / (a + b), lambda c, a, b: 1 / a + 1 / b),
    "quotient-by-product": ((_a, _b), lambda c, a, b: (a / b) * b, lambda c, a, b: a / (b * b)),
    "xlogy-is-product": ((_p, _q), lambda c, p, q: c.xlogy(p[1], q[1]), lambda c, p, q: p[1] * q[1]),
    "log-one-is-one": ((), lambda c: c.log(c.number(1)), lambda c: c.number(1)),
    "exp-zero-is-zero": ((), lambda c: c.exp(c.number(0)), lambda c: c.number(0)),
    "ceiling-is-identity": ((_x,), lambda c, x: c.ceil(x), lambda c, x: x),
    "root-of-square": ((_a,), lambda c, a: _root(c, a), lambda c, a: a),
    "uniform-loss": (
        (_g,),
        lambda c, g: -c.sum(lambda j: c.call(log_softmax, g)[j], over=g) / c.count(g),
        lambda c, g: c.log(c.count(g)),
    ),
}

# id -> (declarations, left, right); one side has no value somewhere in the domain
UNDEFINED: dict[str, tuple[tuple[Any, ...], Formula, Formula]] = {
    "ratio-of-possible-zeros": (
        (_p,),
        lambda c, p: c.sum(lambda i: p[i] / p[i], over=p),
        lambda c, p: c.count(p),
    ),
    "log-mul-over-the-reals": (
        (_x, _z),
        lambda c, x, z: c.log(x * z),
        lambda c, x, z: c.log(x) + c.log(z),
    ),
    "log-of-square-over-the-reals": ((_x,), lambda c, x: c.log(x**2), lambda c, x: 2 * c.log(x)),
    "exp-log-over-the-reals": ((_x,), lambda c, x: c.exp(c.log(x)), lambda c, x: x),
    "index-zero": ((_g,), lambda c, g: c.call(softmax, g)[0], lambda c, g: c.call(softmax, g)[0]),
    "index-beyond-n": ((_g,), lambda c, g: g[2] - g[2], lambda c, g: c.number(0)),
    "true-only-for-two-classes": (
        (_p,),
        lambda c, p: 1 - c.sum(lambda i: p[i] ** 2, over=p),
        lambda c, p: 2 * p[1] * p[2],
    ),
    "divergence-without-support": (
        (_p, distribution("q", "n")),
        lambda c, p, q: c.call(cross_entropy, p, q),
        lambda c, p, q: c.call(entropy, p) + c.call(kl_div, p, q),
    ),
    "log-of-possible-zero": (
        (_p, _y),
        lambda c, p, y: c.log(p[y]) - c.log(p[y]),
        lambda c, p, y: c.number(0),
    ),
    "reciprocal-of-a-difference": (
        (_a, _b),
        lambda c, a, b: (a - b) / (a - b),
        lambda c, a, b: c.number(1),
    ),
}

# id -> (declarations, left, relation, right, gap)
FALSE_INEQUALITIES: dict[str, tuple[Any, ...]] = {
    "kl-not-positive": (
        (_q1, _q),
        lambda c, p, q: c.call(kl_div, p, q),
        "<=",
        lambda c, p, q: c.number(0),
        lambda c, p, q: -c.call(kl_div, p, q),
    ),
    "logsumexp-below-an-entry": (
        (_g, _y),
        lambda c, g, y: c.call(logsumexp, g),
        "<=",
        lambda c, g, y: g[y],
        lambda c, g, y: g[y] - c.call(logsumexp, g),
    ),
    "entropy-below-one": (
        (_p,),
        lambda c, p: c.call(entropy, p),
        "<=",
        lambda c, p: c.number(1),
        lambda c, p: 1 - c.call(entropy, p),
    ),
    "log-above-its-tangent": (
        (_a,),
        lambda c, a: a - 1,
        "<=",
        lambda c, a: c.log(a),
        lambda c, a: -c.gap("log_le", a),
    ),
    "strictly-below-its-tangent": (
        (_a,),
        lambda c, a: c.log(a),
        "<",
        lambda c, a: a - 1,
        lambda c, a: c.gap("log_le", a),
    ),
    "square-strictly-positive": (
        (_x, _z),
        lambda c, x, z: c.number(0),
        "<",
        lambda c, x, z: (x - z) ** 2,
        lambda c, x, z: (x - z) ** 2,
    ),
    "times-a-number-of-any-sign": (
        (_a, _x),
        lambda c, a, x: x * c.log(a),
        "<=",
        lambda c, a, x: x * (a - 1),
        lambda c, a, x: x * c.gap("log_le", a),
    ),
    "sigmoid-above-one": (
        (_z,),
        lambda c, z: c.number(1),
        "<",
        lambda c, z: c.call(sigmoid, z),
        lambda c, z: c.call(sigmoid, z) - 1,
    ),
    "whole-part-strictly-above": (
        (_x,),
        lambda c, x: x,
        "<",
        lambda c, x: c.ceil(x),
        lambda c, x: c.gap("ceil_above", x),
    ),
    "exp-decreasing": (
        (_a, _x),
        lambda c, a, x: c.exp(x + a),
        "<=",
        lambda c, a, x: c.exp(x),
        lambda c, a, x: c.gap("exp_mono", x + a, x),
    ),
    "nonnegative-is-positive": (
        (nonnegative("v"),),
        lambda c, v: c.number(0),
        "<",
        lambda c, v: v,
        lambda c, v: v,
    ),
}

_CASES = [(), ("cases:p",)]


def _part(name: str, given: Any, left: Formula, relation: Any, right: Formula) -> Part:
    return Part(id=name, words="", given=given, left=left, relation=relation, right=right)


def _accepts(given: Any, left: Formula, right: Formula, hypotheses: tuple[Hypothesis, ...] = ()) -> bool:
    """Whether any of all the rules together, with and without cases, makes the two sides equal."""
    assumed = assume(given, hypotheses)
    known = tuple(f"hyp:{f.name}" for f in assumed.facts if f.relation == "=")
    try:
        a, b = build(left, given), build(right, given)
        require_defined(assumed, a)
        require_defined(assumed, b)
    except KernelError:
        return False
    for cases in _CASES if any(d.name == "p" and d.domain.sign == "nonnegative" for d in given) else [()]:
        try:
            if agree(assumed, a, b, (*RULES, *known, *cases)) is not None:
                return True
        except KernelError:
            continue
    return False


@pytest.mark.parametrize("name", FALSE)
def test_false_identity_is_rejected_under_all_rules_at_once(name: str) -> None:
    """No combination of the rules may take a false identity for a true one."""
    given, left, right = FALSE[name]
    assert not _accepts(given, left, right)


@pytest.mark.parametrize("name", FALSE)
def test_false_identity_has_a_witness(name: str) -> None:
    """The refuter finds an exact point at which the two sides differ."""
    given, left, right = FALSE[name]
    found = attack(_part(name, given, left, "=", right))
    assert (found.outcome, bool(found.witness)) == ("refuted", True)


@pytest.mark.parametrize("name", UNDEFINED)
def test_identity_without_a_value_is_rejected(name: str) -> None:
    """A statement that has no value somewhere in its domain is not proved, however plausible."""
    given, left, right = UNDEFINED[name]
    assert not _accepts(given, left, right)


@pytest.mark.parametrize("name", UNDEFINED)
def test_identity_without_a_value_is_found_undefined(name: str) -> None:
    """The refuter names a point of the domain at which a side has no value."""
    given, left, right = UNDEFINED[name]
    assert attack(_part(name, given, left, "=", right)).outcome == "undefined"


@pytest.mark.parametrize("name", FALSE_INEQUALITIES)
def test_false_inequality_is_rejected(name: str) -> None:
    """The sign of the gap of a false inequality does not follow, although the gap is the difference."""
    given, left, relation, right, gap = FALSE_INEQUALITIES[name]
    with pytest.raises(KernelError, match="does not follow"):
        inequality(
            assume(given, ()), build(left, given), relation, build(right, given), build(gap, given), ()
        )


@pytest.mark.parametrize("name", FALSE_INEQUALITIES)
def test_false_inequality_has_a_witness(name: str) -> None:
    """The refuter finds a point at which the inequality fails."""
    given, left, relation, right, _ = FALSE_INEQUALITIES[name]
    assert attack(_part(name, given, left, relation, right)).outcome == "refuted"


def test_there_are_enough_false_statements() -> None:
    """At least forty false statements stand here, and no two are the same."""
    statements = {
        (build(left, given).key, build(right, given).key)
        for given, left, right in (*FALSE.values(), *UNDEFINED.values())
    }
    assert len(statements) == len(FALSE) + len(UNDEFINED) >= 40
