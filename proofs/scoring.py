"""Proper scoring: the logarithmic loss asks for the true probabilities, label smoothing for others."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, probability
from verify.operations.cross_entropy import cross_entropy
from verify.operations.entropy import entropy

SECTION = "Beyond the article: proper scoring"

_p = distribution("p", "n")
_p1 = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)
_e = probability("e", latex=r"\varepsilon")


def _root(c: Any, x: Any) -> Any:
    """The square root of a positive number."""
    return c.exp(c.log(x) / 2)


log_score_is_proper = Claim(
    id="log-score-is-proper",
    section=SECTION,
    words="The logarithmic score is strictly proper: the expected loss is least for the true distribution, "
    "and for no other.",
    assumptions=("labels are drawn from p", "q > 0", "for the second part p > 0"),
    parts=(
        Part(
            id="log-score-is-proper",
            words="The expected loss is never below the entropy, which it has for q = p.",
            given=(_p, _q),
            left=lambda c, p, q: c.call(entropy, p),
            relation="<=",
            right=lambda c, p, q: c.call(cross_entropy, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(cross_entropy, p, q),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "p log(p/q) >= p - q, summed; both distributions sum to 1.",
                    "<=",
                    lambda c, p, q: c.sum(lambda i: c.gap("rel_entr_ge", p[i], q[i]), over=p),
                ),
            ),
        ),
        Part(
            id="log-score-is-strictly-proper",
            words="It exceeds it by at least the sum of (sqrt p_i - sqrt q_i)^2, which is 0 for q = p alone.",
            given=(_p1, _q),
            left=lambda c, p, q: (
                c.call(entropy, p) + c.sum(lambda i: (_root(c, p[i]) - _root(c, q[i])) ** 2, over=p)
            ),
            relation="<=",
            right=lambda c, p, q: c.call(cross_entropy, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: (
                        c.call(entropy, p)
                        + c.sum(lambda i: p[i] + q[i] - 2 * _root(c, p[i]) * _root(c, q[i]), over=p)
                    ),
                    ("exp_add", "exp_log"),
                    "Expand the square.",
                ),
                Step(
                    lambda c, p, q: (
                        c.call(entropy, p)
                        + c.sum(lambda i: 2 * p[i] - 2 * _root(c, p[i]) * _root(c, q[i]), over=p)
                    ),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "Both distributions sum to 1.",
                ),
                Step(
                    lambda c, p, q: c.call(cross_entropy, p, q),
                    ("sum_linear", "xlogy", "log_mul", "log_exp", "exp_add", "exp_log", "cancel"),
                    "log t <= t - 1 at t = sqrt q_i / sqrt p_i, times 2 p_i, summed.",
                    "<=",
                    lambda c, p, q: c.sum(
                        lambda i: 2 * p[i] * c.gap("log_le", _root(c, q[i]) / _root(c, p[i])), over=p
                    ),
                ),
            ),
        ),
    ),
)


def _smoothed(c: Any, p: Any, q: Any, e: Any) -> Any:
    """The expected smoothed loss of the prediction q for labels from p."""
    return c.sum(
        lambda y: p[y] * ((1 - e) * -c.log(q[y]) + e / c.count(q) * c.sum(lambda j: -c.log(q[j]), over=q)),
        over=p,
    )


def _mixed(c: Any, p: Any, e: Any) -> Any:
    """The distribution p mixed with the uniform one."""
    return c.family(lambda i: (1 - e) * p[i] + e / c.count(p), over=p)


def _against(c: Any, t: Any, q: Any) -> Any:
    return c.call(cross_entropy, t, q)


_smoothing_corrected = Claim(
    id="label-smoothing-minimiser",
    section=SECTION,
    words="With label smoothing the expected loss is least for (1 - eps) p + eps/n, the true distribution "
    "mixed with the uniform one.",
    assumptions=("labels are drawn from p", "q > 0", "0 < eps < 1"),
    parts=(
        Part(
            id="label-smoothing-is-cross-entropy",
            words="The expected smoothed loss is the cross-entropy against the mixture.",
            given=(_p, _q, _e),
            left=_smoothed,
            relation="=",
            right=lambda c, p, q, e: _against(c, _mixed(c, p, e), q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, e: _against(c, _mixed(c, p, e), q),
                    ("sum_linear", "xlogy", "hyp:sum_p"),
                    "The share of every class does not depend on the label, and p sums to 1.",
                ),
            ),
        ),
        Part(
            id="label-smoothing-minimiser",
            words="No prediction has a smaller expected loss than the mixture.",
            given=(_p, _q, _e),
            left=lambda c, p, q, e: _against(c, _mixed(c, p, e), _mixed(c, p, e)),
            relation="<=",
            right=lambda c, p, q, e: _against(c, _mixed(c, p, e), q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, e: _against(c, _mixed(c, p, e), q),
                    ("sum_linear", "sum_const", "hyp:sum_p", "hyp:sum_q", "cancel"),
                    "x log(x/q) >= x - q with the mixture for x, summed; both sum to 1.",
                    "<=",
                    lambda c, p, q, e: c.sum(
                        lambda i: c.gap("rel_entr_ge", _mixed(c, p, e)[i], q[i]), over=p
                    ),
                ),
            ),
        ),
    ),
)

label_smoothing_is_proper = Claim(
    id="label-smoothing-is-proper",
    section=SECTION,
    words="With label smoothing the expected loss is least for the true distribution.",
    assumptions=("labels are drawn from p", "0 < eps < 1"),
    literal=Part(
        id="label-smoothing-is-proper",
        words="No prediction has a smaller expected smoothed loss than p.",
        given=(_p1, _q, _e),
        left=lambda c, p, q, e: _smoothed(c, p, p, e),
        relation="<=",
        right=_smoothed,
    ),
    witness=Witness(
        (("n", 2),),
        (
            ("p", (Fraction(9, 10), Fraction(1, 10))),
            ("q", (Fraction(4, 5), Fraction(1, 5))),
            ("e", Fraction(1, 4)),
        ),
        "the mixture is (4/5, 1/5)",
    ),
    corrected=_smoothing_corrected,
    holds_when=(
        Part(
            id="label-smoothing-is-proper-for-uniform",
            words="It holds where the true distribution is uniform.",
            given=(_p1, _q, _e),
            hypotheses=(
                Hypothesis(
                    "uniform", lambda c, p, q, e, i: p[i], "=", lambda c, p, q, e, i: 1 / c.count(p), over="n"
                ),
            ),
            left=lambda c, p, q, e: _smoothed(c, p, p, e),
            relation="<=",
            right=_smoothed,
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, e: _against(c, _mixed(c, p, e), p),
                    ("sum_linear", "xlogy", "hyp:sum_p"),
                    "The cross-entropy against the mixture.",
                ),
                Step(
                    lambda c, p, q, e: _against(c, p, p),
                    ("hyp:uniform",),
                    "A uniform distribution mixed with the uniform one is the same.",
                ),
                Step(
                    lambda c, p, q, e: _against(c, p, q),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "p log(p/q) >= p - q, summed.",
                    "<=",
                    lambda c, p, q, e: c.sum(lambda i: c.gap("rel_entr_ge", p[i], q[i]), over=p),
                ),
                Step(
                    lambda c, p, q, e: _against(c, _mixed(c, p, e), q),
                    ("hyp:uniform",),
                    "The mixture again.",
                ),
                Step(_smoothed, ("sum_linear", "xlogy", "hyp:sum_p"), "The expected smoothed loss."),
            ),
        ),
    ),
)

CLAIMS = (log_score_is_proper, label_smoothing_is_proper)
