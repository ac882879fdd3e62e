"""The inequalities of information theory on which the losses rest."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import distribution, nonnegative, positive
from verify.operations.entropy import entropy
from verify.operations.js_divergence import js_divergence
from verify.operations.kl_div import kl_div
from verify.operations.rel_entr import rel_entr

SECTION = "Beyond the article: inequalities"

_p = distribution("p", "n")
_q = distribution("q", "n", positive=True)
_q0 = distribution("q", "n")
_a = nonnegative("a", "n")
_b = positive("b", "n")


def _total(c: Any, x: Any) -> Any:
    return c.sum(lambda i: x[i], over=x)


def _pairs(c: Any, p: Any) -> Any:
    """The sum of the products of two different entries."""
    return c.sum(lambda i: c.sum(lambda j: (1 - c.equal(i, j)) * p[i] * p[j], over=p), over=p)


gibbs_inequality = Claim(
    id="gibbs-inequality",
    section=SECTION,
    words="The Kullback-Leibler divergence is never negative, and 0 for equal distributions.",
    assumptions=("q > 0; with a zero of q where p > 0 the divergence is plus infinity", "0 log 0 = 0"),
    parts=(
        Part(
            id="gibbs-inequality",
            words="KL(p, q) >= 0.",
            given=(_p, _q),
            left=lambda c, p, q: c.number(0),
            relation="<=",
            right=lambda c, p, q: c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(kl_div, p, q),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "p_i log(p_i/q_i) >= p_i - q_i, summed; both distributions sum to 1.",
                    "<=",
                    lambda c, p, q: c.sum(lambda i: c.gap("rel_entr_ge", p[i], q[i]), over=p),
                ),
            ),
        ),
        Part(
            id="gibbs-equality",
            words="KL(p, p) = 0.",
            given=(_p,),
            left=lambda c, p: c.call(kl_div, p, p),
            relation="=",
            right=lambda c, p: c.number(0),
            numeric=True,
            steps=(Step(lambda c, p: c.number(0), (), "Every term is 0."),),
        ),
    ),
    remarks=("That only q = p attains 0 is proved as soft-labels-minimiser-unique.",),
)

entropy_at_most_log_n = Claim(
    id="entropy-at-most-log-n",
    section=SECTION,
    words="0 <= H(p) <= log n.",
    assumptions=("0 log 0 = 0",),
    parts=(
        Part(
            id="entropy-at-least-zero",
            words="Entropy is never negative.",
            given=(_p,),
            left=lambda c, p: c.number(0),
            relation="<=",
            right=lambda c, p: c.call(entropy, p),
            numeric=True,
            steps=(
                Step(
                    lambda c, p: _pairs(c, p),
                    (),
                    "The products of different entries are not negative.",
                    "<=",
                    lambda c, p: _pairs(c, p),
                ),
                Step(
                    lambda c, p: _total(c, p) - c.sum(lambda i: p[i] ** 2, over=p),
                    ("sum_linear", "delta", "hyp:sum_p"),
                    "The square of the sum, which is 1, less the sum of the squares.",
                ),
                Step(
                    lambda c, p: c.call(entropy, p),
                    ("sum_linear",),
                    "log t <= t - 1 at t = p_i, times p_i, summed.",
                    "<=",
                    lambda c, p: c.sum(lambda i: c.gap("xlogy_le", p[i], p[i]), over=p),
                ),
            ),
        ),
        Part(
            id="entropy-at-most-log-n",
            words="It is largest for the uniform distribution.",
            given=(_p,),
            left=lambda c, p: c.call(entropy, p),
            relation="<=",
            right=lambda c, p: c.log(c.count(p)),
            numeric=True,
            steps=(
                Step(
                    lambda c, p: c.sum(
                        lambda i: (
                            p[i] * c.log(c.count(p))
                            - c.xlogy(c.count(p) * p[i], c.count(p) * p[i]) / c.count(p)
                        ),
                        over=p,
                    ),
                    ("cases:p", "xlog0", "xlogy", "log_mul", "cancel"),
                    "log p_i = log n p_i - log n, where p_i > 0.",
                ),
                Step(
                    lambda c, p: c.log(c.count(p)),
                    ("sum_linear", "sum_const", "hyp:sum_p"),
                    "With x = n p_i, the difference is the mean of x log x - x + 1.",
                    "<=",
                    lambda c, p: c.sum(lambda i: c.gap("xlogx_ge", c.count(p) * p[i]), over=p) / c.count(p),
                ),
            ),
        ),
    ),
)
_SOME = Hypothesis("some", lambda c, a, b: c.number(0), "<", lambda c, a, b: _total(c, a))


def _ratio(c: Any, a: Any, b: Any) -> Any:
    return _total(c, a) / _total(c, b)


log_sum_inequality = Claim(
    id="log-sum-inequality",
    section=SECTION,
    words="(sum a) log(sum a / sum b) <= sum a_i log(a_i/b_i).",
    assumptions=(
        "a >= 0 and b > 0, which need not sum to 1",
        "some a_i > 0; if none is, both sides are 0",
        "0 log 0 = 0",
    ),
    parts=(
        Part(
            id="log-sum-inequality",
            words="Merging the terms of a divergence can only make it smaller.",
            given=(_a, _b),
            hypotheses=(_SOME,),
            left=lambda c, a, b: _total(c, a) * c.log(_ratio(c, a, b)),
            relation="<=",
            right=lambda c, a, b: c.sum(lambda i: c.call(rel_entr, a[i], b[i]), over=a),
            numeric=True,
            steps=(
                Step(
                    lambda c, a, b: (
                        c.sum(lambda i: c.xlogy(a[i], a[i]) - c.xlogy(a[i], b[i] * _ratio(c, a, b)), over=a)
                        + _total(c, a) * c.log(_ratio(c, a, b))
                    ),
                    ("sum_linear", "cancel"),
                    "p log(p/q) >= p - q at p = a_i and q = b_i (sum a)/(sum b), which have the same sum.",
                    "<=",
                    lambda c, a, b: c.sum(
                        lambda i: c.gap("rel_entr_ge", a[i], b[i] * _ratio(c, a, b)), over=a
                    ),
                ),
                Step(
                    lambda c, a, b: c.sum(lambda i: c.call(rel_entr, a[i], b[i]), over=a),
                    ("sum_linear", "xlogy", "log_mul"),
                    "The logarithm of a product; the second part of it is the term that was added.",
                ),
            ),
        ),
    ),
)


def _middle(c: Any, p: Any, q: Any, i: Any) -> Any:
    return (p[i] + q[i]) / 2


def _half_log(c: Any, p: Any, q: Any, i: Any) -> Any:
    """The terms of both divergences with twice the midpoint in its place."""
    return c.xlogy(p[i], p[i] / (p[i] + q[i])) + c.xlogy(q[i], q[i] / (p[i] + q[i]))


jensen_shannon_bounds = Claim(
    id="jensen-shannon-bounds",
    section=SECTION,
    words="0 <= JS(p, q) <= log 2, and JS(p, q) = JS(q, p).",
    assumptions=("0 log 0 = 0", "for the upper bound q > 0: entries that are 0 in both add nothing"),
    parts=(
        Part(
            id="jensen-shannon-at-least-zero",
            words="It is never negative.",
            given=(_p, _q0),
            left=lambda c, p, q: c.number(0),
            relation="<=",
            right=lambda c, p, q: c.call(js_divergence, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(js_divergence, p, q),
                    ("sum_linear",),
                    "Half the sums of p log(p/m) >= p - m and q log(q/m) >= q - m, with the midpoint m.",
                    "<=",
                    lambda c, p, q: (
                        c.sum(
                            lambda i: (
                                c.gap("rel_entr_ge", p[i], _middle(c, p, q, i))
                                + c.gap("rel_entr_ge", q[i], _middle(c, p, q, i))
                            ),
                            over=p,
                        )
                        / 2
                    ),
                ),
            ),
        ),
        Part(
            id="jensen-shannon-at-most-log-two",
            words="It is at most log 2.",
            given=(_p, _q),
            left=lambda c, p, q: c.call(js_divergence, p, q),
            relation="<=",
            right=lambda c, p, q: c.log(2),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: (
                        c.sum(
                            lambda i: _half_log(c, p, q, i) + (p[i] + q[i]) * c.log(2),
                            over=p,
                        )
                        / 2
                    ),
                    ("cases:p", "xlogy", "log_mul"),
                    "log(p/m) = log(p/2m) + log 2, where p > 0.",
                ),
                Step(
                    lambda c, p, q: (
                        c.sum(lambda i: (p[i] + q[i]) * c.log(2) - 2 * p[i] * q[i] / (p[i] + q[i]), over=p)
                        / 2
                    ),
                    ("cases:p", "cancel"),
                    "x log t <= x (t - 1) at x = p, t = p/2m and at x = q, t = q/2m.",
                    "<=",
                    lambda c, p, q: (
                        c.sum(
                            lambda i: (
                                c.gap("xlogy_le", p[i], p[i] / (p[i] + q[i]))
                                + c.gap("xlogy_le", q[i], q[i] / (p[i] + q[i]))
                            ),
                            over=p,
                        )
                        / 2
                    ),
                ),
                Step(
                    lambda c, p, q: c.log(2),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "What was subtracted is not negative; both distributions sum to 1.",
                    "<=",
                    lambda c, p, q: c.sum(lambda i: p[i] * q[i] / (p[i] + q[i]), over=p),
                ),
            ),
        ),
        Part(
            id="jensen-shannon-symmetric",
            words="It does not depend on the order of the two.",
            given=(_p, _q0),
            left=lambda c, p, q: c.call(js_divergence, p, q),
            relation="=",
            right=lambda c, p, q: c.call(js_divergence, q, p),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(js_divergence, q, p), (), "The midpoint and the sum are the same."
                ),
            ),
        ),
    ),
)

CLAIMS = (gibbs_inequality, entropy_at_most_log_n, log_sum_inequality, jensen_shannon_bounds)
