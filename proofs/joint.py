"""Divergences of joint distributions, and of merged outcomes."""

from __future__ import annotations

from typing import Any

from proofs.inequalities import SECTION
from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import distribution, index, real
from verify.operations.kl_div import kl_div

_p = distribution("p", "n")
_p1 = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)
_f = index("f", "s", "n")


def _total(c: Any, x: Any) -> Any:
    return c.sum(lambda i: x[i], over=x)


kl_additive = Claim(
    id="kl-additive",
    section=SECTION,
    words="The divergence of joint distributions is that of the first parts plus the expected divergence "
    "of the second parts given the first; for independent parts the divergences add.",
    assumptions=("the second distribution of each pair and all conditional probabilities are > 0",),
    parts=(
        Part(
            id="kl-chain-rule",
            words="The chain rule: r and s give the second part, given the first.",
            given=(
                _p,
                _q,
                distribution("r", "n", "m", positive=True),
                distribution("s", "n", "m", positive=True),
            ),
            left=lambda c, p, q, r, s: c.sum(
                lambda i: c.sum(
                    lambda k: (
                        c.xlogy(p[i] * r[i, k], p[i] * r[i, k]) - c.xlogy(p[i] * r[i, k], q[i] * s[i, k])
                    ),
                    over=r[i],
                ),
                over=p,
            ),
            relation="=",
            right=lambda c, p, q, r, s: (
                c.call(kl_div, p, q) + c.sum(lambda i: p[i] * c.call(kl_div, r[i], s[i]), over=p)
            ),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, r, s: c.sum(
                        lambda i: (
                            (c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i])) * _total(c, r[i])
                            + p[i] * c.call(kl_div, r[i], s[i])
                        ),
                        over=p,
                    ),
                    ("cases:p", "xlog0", "xlogy", "log_mul", "sum_linear"),
                    "The logarithm of the joint probability is the sum of two.",
                ),
                Step(
                    lambda c, p, q, r, s: (
                        c.call(kl_div, p, q) + c.sum(lambda i: p[i] * c.call(kl_div, r[i], s[i]), over=p)
                    ),
                    ("hyp:sum_r", "sum_linear"),
                    "Every row of r sums to 1.",
                ),
            ),
        ),
        Part(
            id="kl-additive",
            words="For independent parts.",
            given=(_p, _q, distribution("r", "m", positive=True), distribution("s", "m", positive=True)),
            left=lambda c, p, q, r, s: c.sum(
                lambda i: c.sum(
                    lambda k: c.xlogy(p[i] * r[k], p[i] * r[k]) - c.xlogy(p[i] * r[k], q[i] * s[k]), over=r
                ),
                over=p,
            ),
            relation="=",
            right=lambda c, p, q, r, s: c.call(kl_div, p, q) + c.call(kl_div, r, s),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, r, s: c.sum(
                        lambda i: (
                            (c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i])) * _total(c, r)
                            + p[i] * c.call(kl_div, r, s)
                        ),
                        over=p,
                    ),
                    ("cases:p", "xlog0", "xlogy", "log_mul", "sum_linear"),
                    "The logarithm of the joint probability is the sum of two.",
                ),
                Step(
                    lambda c, p, q, r, s: c.call(kl_div, p, q) + c.call(kl_div, r, s),
                    ("hyp:sum_p", "hyp:sum_r", "sum_linear"),
                    "Both distributions sum to 1.",
                ),
            ),
        ),
    ),
)


def _merged(c: Any, x: Any, f: Any, k: Any) -> Any:
    """The probability that the map f gives k."""
    return c.sum(lambda i: c.equal(f[i], k) * x[i], over=x)


def _reached(name: str, which: int) -> Hypothesis:
    """Every outcome of the map is reached: it has a probability above 0."""
    return Hypothesis(
        name,
        lambda c, *v: c.number(0),
        "<",
        lambda c, *v: _merged(c, v[which], v[2], v[-1]),
        over="s",
    )


def _image(c: Any, x: Any, f: Any, e: Any) -> Any:
    return c.family(lambda k: _merged(c, x, f, k), over=e)


def _log_ratio(c: Any, p: Any, q: Any, f: Any, k: Any) -> Any:
    return c.log(_merged(c, p, f, k)) - c.log(_merged(c, q, f, k))


def _moved(c: Any, p: Any, q: Any, f: Any, i: Any, k: Any) -> Any:
    """q_i, times the ratio of the probabilities of the label k."""
    return q[i] * _merged(c, p, f, k) / _merged(c, q, f, k)


def _term(c: Any, p: Any, q: Any, f: Any, i: Any, k: Any) -> Any:
    """What the outcome i adds to the divergence of the labels at k, and p_i - q_i P_k/Q_k."""
    return p[i] * _log_ratio(c, p, q, f, k) + p[i] - _moved(c, p, q, f, i, k)


data_processing = Claim(
    id="data-processing",
    section=SECTION,
    words="A map of the outcomes cannot increase the divergence of two distributions.",
    assumptions=(
        "p > 0 and q > 0",
        "f gives each of n outcomes one of s labels, and every label is reached; e has their length",
    ),
    parts=(
        Part(
            id="data-processing",
            words="The divergence of the distributions of f(x) is at most that of the distributions of x.",
            given=(_p1, _q, _f, real("e", "s")),
            hypotheses=(_reached("reached_p", 0), _reached("reached_q", 1)),
            left=lambda c, p, q, f, e: c.call(kl_div, _image(c, p, f, e), _image(c, q, f, e)),
            relation="<=",
            right=lambda c, p, q, f, e: c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, f, e: c.sum(
                        lambda k: (
                            _merged(c, p, f, k) * _log_ratio(c, p, q, f, k)
                            + _merged(c, p, f, k)
                            - _merged(c, q, f, k) * _merged(c, p, f, k) / _merged(c, q, f, k)
                        ),
                        over=e,
                    ),
                    ("xlogy", "cancel"),
                    "The probabilities are positive; what is added is 0.",
                ),
                Step(
                    lambda c, p, q, f, e: c.sum(
                        lambda k: c.sum(lambda i: c.equal(f[i], k) * _term(c, p, q, f, i, k), over=p),
                        over=e,
                    ),
                    ("sum_linear",),
                    "The probability of a label is the sum of those of its outcomes.",
                ),
                Step(
                    lambda c, p, q, f, e: c.sum(
                        lambda i: c.sum(lambda k: c.equal(f[i], k) * _term(c, p, q, f, i, k), over=e),
                        over=p,
                    ),
                    ("fubini",),
                    "In the other order.",
                ),
                Step(
                    lambda c, p, q, f, e: c.sum(lambda i: _term(c, p, q, f, i, f[i]), over=p),
                    ("sum_linear", "delta"),
                    "Each outcome is counted at its own label.",
                ),
                Step(
                    lambda c, p, q, f, e: c.call(kl_div, p, q),
                    ("sum_linear", "xlogy", "log_mul"),
                    "p log(p/t) >= p - t at t = q_i P/Q, with P and Q the probabilities of the label of i.",
                    "<=",
                    lambda c, p, q, f, e: c.sum(
                        lambda i: c.gap("rel_entr_ge", p[i], _moved(c, p, q, f, i, f[i])), over=p
                    ),
                ),
            ),
        ),
    ),
)


CLAIMS = (kl_additive, data_processing)
