"""Identities that are false by the rules about products, derivatives, tables, indicators and logarithms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.domain import distribution, index, positive, probability, real
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.logsumexp import logsumexp
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax

_g, _h = real("g", "n"), real("h", "n")
_p, _q = distribution("p", "n"), distribution("q", "n", positive=True)
_y, _k = index("y", "n"), index("k", "n")
_x, _z = real("x"), real("z")
_a, _b = positive("a"), positive("b")
_r = probability("r", "n")
_w = real("w", "n", "n")


def _sum(c: Any, f: Any) -> Any:
    return c.sum(lambda i: f[i], over=f)


def _table(c: Any, w: Any, entry: Any) -> Any:
    return c.family(lambda i: c.family(lambda j: entry(i, j), over=w[i]), over=w)


Formula = Callable[..., Any]
Case = tuple[tuple[Any, ...], Formula, Formula]

# id -> (declarations, left, right); all are claimed to be equal
FALSE_BY_NEWER_RULES: dict[str, Case] = {
    "product-of-equal-factors-is-one-factor": (
        (_g, _x),
        lambda c, g, x: c.prod(lambda i: x, over=g),
        lambda c, g, x: x,
    ),
    "factor-comes-out-of-a-product": (
        (_r, _a),
        lambda c, r, a: c.prod(lambda i: a * r[i], over=r),
        lambda c, r, a: a * c.prod(lambda i: r[i], over=r),
    ),
    "product-of-sums-is-sum-of-products": (
        (_g, _h),
        lambda c, g, h: c.prod(lambda i: g[i] + h[i], over=g),
        lambda c, g, h: c.prod(lambda i: g[i], over=g) + c.prod(lambda i: h[i], over=h),
    ),
    "product-of-indicators-is-one": (
        (_g, _y),
        lambda c, g, y: c.prod(lambda i: c.equal(i, y), over=g),
        lambda c, g, y: c.number(1),
    ),
    "product-of-squares": (
        (_g,),
        lambda c, g: c.prod(lambda i: g[i] ** 2, over=g),
        lambda c, g: c.prod(lambda i: g[i], over=g),
    ),
    "exponential-of-a-sum-is-a-sum": (
        (_g,),
        lambda c, g: c.exp(_sum(c, g)),
        lambda c, g: c.sum(lambda i: c.exp(g[i]), over=g),
    ),
    "product-of-fixed-length-misses-one": (
        (real("g", 3),),
        lambda c, g: c.prod(lambda i: g[i], over=g),
        lambda c, g: g[1] * g[2],
    ),
    "sum-of-fixed-length-misses-one": (
        (real("g", 3),),
        lambda c, g: _sum(c, g),
        lambda c, g: g[1] + g[3],
    ),
    "transposed-weights": (
        (_w, _g),
        lambda c, w, g: c.sum(lambda i: c.sum(lambda j: w[i, j] * g[i], over=g), over=g),
        lambda c, w, g: c.sum(lambda i: c.sum(lambda j: w[i, j] * g[j], over=g), over=g),
    ),
    "double-sum-of-ones-is-n": (
        (_g,),
        lambda c, g: c.sum(lambda i: c.sum(lambda j: c.number(1), over=g), over=g),
        lambda c, g: c.count(g),
    ),
    "derivative-of-an-exponential": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: c.exp(x), x),
        lambda c, x: x * c.exp(x),
    ),
    "derivative-of-a-logarithm": (
        (_a,),
        lambda c, a: c.derivative(lambda c, a: c.log(a), a),
        lambda c, a: 1 / a**2,
    ),
    "derivative-of-a-product-is-the-product-of-derivatives": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: x * c.exp(x), x),
        lambda c, x: c.exp(x),
    ),
    "derivative-of-a-quotient-is-the-quotient-of-derivatives": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: x / (1 + c.exp(x)), x),
        lambda c, x: c.exp(-x),
    ),
    "derivative-of-a-reciprocal-without-its-sign": (
        (_a,),
        lambda c, a: c.derivative(lambda c, a: 1 / a, a),
        lambda c, a: 1 / a**2,
    ),
    "chain-rule-without-the-inner-derivative": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: c.exp(2 * x), x),
        lambda c, x: c.exp(2 * x),
    ),
    "derivative-of-a-cube-is-a-square": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: x**3, x),
        lambda c, x: x**2,
    ),
    "derivative-of-a-negative-power": (
        (_a,),
        lambda c, a: c.derivative(lambda c, a: a**-2, a),
        lambda c, a: -2 * a**-1,
    ),
    "derivative-of-a-constant": (
        (_x, _z),
        lambda c, x, z: c.derivative(lambda c, x: z, x),
        lambda c, x, z: c.number(1),
    ),
    "derivative-of-a-sum-keeps-every-term": (
        (_g, _y),
        lambda c, g, y: c.derivative(lambda c, g: c.sum(lambda i: g[i] ** 2, over=g), g, y),
        lambda c, g, y: c.sum(lambda i: 2 * g[i], over=g),
    ),
    "derivative-by-another-entry": (
        (_g, _y, _k),
        lambda c, g, y, k: c.derivative(lambda c, g: g[k] ** 2, g, y),
        lambda c, g, y, k: 2 * g[k],
    ),
    "derivative-by-an-entry-of-a-table-is-a-length": (
        (_w, _y, _k),
        lambda c, w, y, k: c.derivative(
            lambda c, w: c.sum(lambda i: c.sum(lambda j: w[i, j], over=w[i]), over=w), w, (y, k)
        ),
        lambda c, w, y, k: c.count(w),
    ),
    "derivative-of-a-product-over-an-index-is-that-product": (
        (positive("r", "n"), _y),
        lambda c, r, y: c.derivative(lambda c, r: c.prod(lambda i: r[i], over=r), r, y),
        lambda c, r, y: c.prod(lambda i: r[i], over=r),
    ),
    "derivative-of-x-log-x-is-log-x": (
        (_a,),
        lambda c, a: c.derivative(lambda c, a: c.xlogy(a, a), a),
        lambda c, a: c.log(a),
    ),
    "gradient-of-softmax-without-the-product": (
        (_g, _y, _k),
        lambda c, g, y, k: c.derivative(lambda c, g: c.call(softmax, g)[y], g, k),
        lambda c, g, y, k: c.equal(y, k) * c.call(softmax, g)[y],
    ),
    "gradient-of-logsumexp-is-one": (
        (_g, _y),
        lambda c, g, y: c.derivative(lambda c, g: c.call(logsumexp, g), g, y),
        lambda c, g, y: c.number(1),
    ),
    "gradient-of-the-loss-without-softmax": (
        (_g, _y, _k),
        lambda c, g, y, k: c.derivative(lambda c, g: c.call(cross_entropy_with_logits, g, y), g, k),
        lambda c, g, y, k: -c.equal(y, k),
    ),
    "derivative-of-sigmoid-is-sigmoid": (
        (_z,),
        lambda c, z: c.derivative(lambda c, z: c.call(sigmoid, z), z),
        lambda c, z: c.call(sigmoid, z),
    ),
    "entry-of-a-doubled-table": (
        (_w, _y, _k),
        lambda c, w, y, k: _table(c, w, lambda i, j: 2 * w[i, j])[y, k],
        lambda c, w, y, k: w[y, k],
    ),
    "transposed-table": (
        (_w, _y, _k),
        lambda c, w, y, k: _table(c, w, lambda i, j: w[j, i])[y, k],
        lambda c, w, y, k: w[y, k],
    ),
    "diagonal-for-a-row": (
        (_w, _y, _k),
        lambda c, w, y, k: _table(c, w, lambda i, j: w[i, i])[y, k],
        lambda c, w, y, k: w[y, k],
    ),
    "captured-index-of-a-family": (
        (_g, _h, _y),
        lambda c, g, h, y: c.family(lambda i: c.sum(lambda j: g[i] * h[j], over=h), over=g)[y],
        lambda c, g, h, y: c.sum(lambda j: g[j] * h[j], over=h),
    ),
    "length-of-a-row-is-that-of-a-column": (
        (real("w", "n", "d"), _y),
        lambda c, w, y: c.count(w[y]),
        lambda c, w, y: c.count(w),
    ),
    "complement-of-an-indicator-is-the-indicator": (
        (_g, _y, _k),
        lambda c, g, y, k: 1 - c.equal(y, k),
        lambda c, g, y, k: c.equal(y, k),
    ),
    "indicator-of-two-labels-is-one": (
        (_g, _y, _k),
        lambda c, g, y, k: c.equal(y, k),
        lambda c, g, y, k: c.number(1),
    ),
    "swap-without-the-indicator-beside-it": (
        (_g, _y, _k),
        lambda c, g, y, k: c.equal(y, k) + g[y],
        lambda c, g, y, k: c.equal(y, k) + g[k],
    ),
    "indicators-of-two-positions": (
        (real("g", 2), index("t", 2)),
        lambda c, g, t: c.equal(t, 1) * g[1],
        lambda c, g, t: c.equal(t, 2) * g[2],
    ),
    "two-indicators-tie-two-sums": (
        (_g, _h, _y),
        lambda c, g, h, y: (
            c.sum(lambda i: c.equal(i, y) * g[i], over=g) * c.sum(lambda j: c.equal(j, y) * h[j], over=h)
        ),
        lambda c, g, h, y: c.sum(lambda i: g[i] * h[i], over=g),
    ),
    "indicator-picks-another-label": (
        (_g, _y, _k),
        lambda c, g, y, k: c.sum(lambda i: c.equal(i, y) * g[i], over=g),
        lambda c, g, y, k: g[k],
    ),
    "conventional-zero-off-the-label-forgotten": (
        (_q, _y, _k),
        lambda c, q, y, k: c.xlogy(c.equal(y, k), q[y]),
        lambda c, q, y, k: c.log(q[y]),
    ),
    "x-log-x-is-always-zero": ((_p, _y), lambda c, p, y: c.xlogy(p[y], p[y]), lambda c, p, y: c.number(0)),
    "logarithm-of-a-quotient-is-a-quotient": (
        (_a, _b),
        lambda c, a, b: c.log(a / (1 + b)),
        lambda c, a, b: c.log(a) / c.log(1 + b),
    ),
    "logarithm-of-a-square-is-a-square": ((_a,), lambda c, a: c.log(a**2), lambda c, a: c.log(a) ** 2),
    "logarithm-of-three-is-that-of-two": ((), lambda c: c.log(3), lambda c: c.log(2)),
    "the-circle-s-constant-is-a-fraction": ((), lambda c: c.pi(), lambda c: c.number(Fraction(22, 7))),
    "mean-is-the-entry-at-the-label": (
        (_g, _p, _y),
        lambda c, g, p, y: c.sum(lambda i: p[i] * g[i], over=g),
        lambda c, g, p, y: g[y],
    ),
}
