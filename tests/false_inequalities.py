"""Inequalities that are false, with a gap that would show each, for the tests of kernel and prover."""

from __future__ import annotations

from typing import Any

from verify.claim import Hypothesis
from verify.domain import distribution, index, nonnegative, positive, probability, real
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.logsumexp import logsumexp
from verify.operations.sigmoid import sigmoid

_g = real("g", "n")
_p, _q, _q1 = (
    distribution("p", "n"),
    distribution("q", "n", positive=True),
    distribution("p", "n", positive=True),
)
_y, _k = index("y", "n"), index("k", "n")
_x, _z = real("x"), real("z")
_a, _b = positive("a"), positive("b")

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
    "logarithm-decreasing": (
        (_a, _b),
        lambda c, a, b: c.log(a + b),
        "<=",
        lambda c, a, b: c.log(a),
        lambda c, a, b: c.gap("log_mono", a + b, a),
    ),
    "exponential-of-unordered-terms": (
        (_x, _z),
        lambda c, x, z: c.exp(x),
        "<=",
        lambda c, x, z: c.exp(z),
        lambda c, x, z: c.gap("exp_mono", x, z),
    ),
    "x-log-t-of-a-number-of-any-sign": (
        (_x, _b),
        lambda c, x, b: c.xlogy(x, b),
        "<=",
        lambda c, x, b: x * (b - 1),
        lambda c, x, b: c.gap("xlogy_le", x, b),
    ),
    "x-log-x-strictly-above": (
        (_a,),
        lambda c, a: a - 1,
        "<",
        lambda c, a: c.xlogy(a, a),
        lambda c, a: c.gap("xlogx_ge", a),
    ),
    "relative-entropy-strictly-positive": (
        (_a, _b),
        lambda c, a, b: a - b,
        "<",
        lambda c, a, b: c.xlogy(a, a) - c.xlogy(a, b),
        lambda c, a, b: c.gap("rel_entr_ge", a, b),
    ),
    "ceiling-below": (
        (_x,),
        lambda c, x: c.ceil(x),
        "<=",
        lambda c, x: x,
        lambda c, x: -c.gap("ceil_above", x),
    ),
    "ceiling-a-whole-unit-above": (
        (_x,),
        lambda c, x: x + 1,
        "<=",
        lambda c, x: c.ceil(x),
        lambda c, x: -c.gap("ceil_below", x),
    ),
    "product-of-any-reals": (
        (_x, _z),
        lambda c, x, z: c.number(0),
        "<=",
        lambda c, x, z: x * z,
        lambda c, x, z: x * z,
    ),
    "cube-not-negative": (
        (_x,),
        lambda c, x: c.number(0),
        "<=",
        lambda c, x: x**3,
        lambda c, x: x**3,
    ),
    "indicator-strictly-positive": (
        (_g, _y, _k),
        lambda c, g, y, k: c.number(0),
        "<",
        lambda c, g, y, k: c.equal(y, k),
        lambda c, g, y, k: c.equal(y, k),
    ),
    "twice-an-indicator-below-one": (
        (_g, _y, _k),
        lambda c, g, y, k: 2 * c.equal(y, k),
        "<=",
        lambda c, g, y, k: c.number(1),
        lambda c, g, y, k: 1 - 2 * c.equal(y, k),
    ),
    "sum-of-any-reals": (
        (_g,),
        lambda c, g: c.number(0),
        "<=",
        lambda c, g: c.sum(lambda i: g[i], over=g),
        lambda c, g: c.sum(lambda i: g[i], over=g),
    ),
    "product-over-an-index-of-any-reals": (
        (_g,),
        lambda c, g: c.number(0),
        "<=",
        lambda c, g: c.prod(lambda i: g[i], over=g),
        lambda c, g: c.prod(lambda i: g[i], over=g),
    ),
    "logarithm-of-a-probability-positive": (
        (probability("t"),),
        lambda c, t: c.number(0),
        "<=",
        lambda c, t: c.log(t),
        lambda c, t: c.log(t),
    ),
    "mixture-with-a-weight-of-either-sign": (
        (probability("t"), _a),
        lambda c, t, a: c.number(0),
        "<=",
        lambda c, t, a: t * a - (1 - t) * a,
        lambda c, t, a: t * a - (1 - t) * a,
    ),
    "quadratic-in-a-probability": (
        (probability("t"),),
        lambda c, t: c.number(0),
        "<=",
        lambda c, t: t**2 - t,
        lambda c, t: t**2 - t,
    ),
    "entries-in-order": (
        (_p, _y, _k),
        lambda c, p, y, k: p[y],
        "<=",
        lambda c, p, y, k: p[k],
        lambda c, p, y, k: p[k] - p[y],
    ),
    "possible-zero-of-a-distribution-positive": (
        (_p, _y),
        lambda c, p, y: c.number(0),
        "<",
        lambda c, p, y: p[y],
        lambda c, p, y: p[y],
    ),
}

_AT_MOST = Hypothesis("h", lambda c, x, z: x, "<=", lambda c, x, z: z)
_CONDITIONAL = Hypothesis("h", lambda c, x, z: x, "<=", lambda c, x, z: c.number(1), when=lambda c, x, z: z)
_AT_LABEL = Hypothesis("h", lambda c, p, y, k: c.number(0), "<", lambda c, p, y, k: p[y])
_SUPPORT = Hypothesis(
    "h",
    lambda c, p, q, y, i: c.number(0),
    "<",
    lambda c, p, q, y, i: q[i],
    over="n",
    when=lambda c, p, q, y, i: p[i],
)

# id -> (declarations, hypothesis, left, relation, right, gap); what is assumed does not suffice
FALSE_UNDER_HYPOTHESES: dict[str, tuple[Any, ...]] = {
    "from-at-most-to-less": (
        (_x, _z),
        _AT_MOST,
        lambda c, x, z: x,
        "<",
        lambda c, x, z: z,
        lambda c, x, z: c.gap("hyp:h"),
    ),
    "the-other-way-round": (
        (_x, _z),
        _AT_MOST,
        lambda c, x, z: z,
        "<=",
        lambda c, x, z: x,
        lambda c, x, z: -c.gap("hyp:h"),
    ),
    "times-a-number-of-any-sign": (
        (_x, _z),
        _AT_MOST,
        lambda c, x, z: x * x,
        "<=",
        lambda c, x, z: x * z,
        lambda c, x, z: x * c.gap("hyp:h"),
    ),
    "squares-in-the-same-order": (
        (_x, _z),
        _AT_MOST,
        lambda c, x, z: x**2,
        "<=",
        lambda c, x, z: z**2,
        lambda c, x, z: (x + z) * c.gap("hyp:h"),
    ),
    "exponentials-in-the-other-order": (
        (_x, _z),
        _AT_MOST,
        lambda c, x, z: c.exp(z),
        "<=",
        lambda c, x, z: c.exp(x),
        lambda c, x, z: c.gap("exp_mono", z, x),
    ),
    "without-the-condition": (
        (_x, _z),
        _CONDITIONAL,
        lambda c, x, z: x,
        "<=",
        lambda c, x, z: c.number(1),
        lambda c, x, z: c.gap("hyp:h"),
    ),
    "from-one-label-to-another": (
        (_p, _y, _k),
        _AT_LABEL,
        lambda c, p, y, k: c.number(0),
        "<",
        lambda c, p, y, k: p[k],
        lambda c, p, y, k: p[k],
    ),
    "support-where-there-may-be-none": (
        (_p, distribution("q", "n"), _y),
        _SUPPORT,
        lambda c, p, q, y: c.number(0),
        "<",
        lambda c, p, q, y: q[y],
        lambda c, p, q, y: c.gap("hyp:h", y),
    ),
    "support-at-every-entry": (
        (_p, distribution("q", "n"), _y),
        _SUPPORT,
        lambda c, p, q, y: c.number(0),
        "<",
        lambda c, p, q, y: q[y] * c.sum(lambda i: q[i], over=q),
        lambda c, p, q, y: q[y] * c.sum(lambda i: c.gap("hyp:h", i), over=q),
    ),
}
