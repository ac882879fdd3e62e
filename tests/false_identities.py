"""Identities that are false, or have no value somewhere, for the tests of the kernel and of the prover."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from verify.domain import distribution, index, nonnegative, positive, probability, real
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
Case = tuple[tuple[Any, ...], Formula, Formula]
# id -> (declarations, left, right); all are claimed to be equal
FALSE: dict[str, Case] = {
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
UNDEFINED: dict[str, Case] = {
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
    "reciprocal-by-a-power": ((_x,), lambda c, x: x**-1 * x, lambda c, x: c.number(1)),
    "xlogy-of-any-reals": ((_x, _z), lambda c, x, z: c.xlogy(x, z), lambda c, x, z: x * c.log(z)),
    "entry-of-a-family-of-reciprocals": (
        (_p, _y),
        lambda c, p, y: c.family(lambda i: 1 / p[i], over=p)[y] * p[y],
        lambda c, p, y: c.number(1),
    ),
    "derivative-at-the-edge-of-the-domain": (
        (nonnegative("v"),),
        lambda c, v: c.derivative(lambda c, v: c.log(v), v),
        lambda c, v: 1 / v,
    ),
    "derivative-of-a-logarithm-of-any-real": (
        (_x,),
        lambda c, x: c.derivative(lambda c, x: c.log(x), x),
        lambda c, x: 1 / x,
    ),
    "logarithm-of-a-product-of-any-reals": (
        (_g,),
        lambda c, g: c.log(c.prod(lambda i: g[i], over=g)),
        lambda c, g: c.sum(lambda i: c.log(g[i]), over=g),
    ),
}
