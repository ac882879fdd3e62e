"""Perplexity: a geometric mean, and Jensen's inequality for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs.losses import SECTION, all_equal
from verify.claim import Claim, Part, Step
from verify.domain import probability, real
from verify.operations.likelihood import log_likelihood
from verify.operations.perplexity import perplexity

_r = probability("r", "n")

perplexity_claim = Claim(
    id="perplexity",
    section=SECTION,
    words="The exponential of the mean loss is 1 over the geometric mean of the probabilities.",
    assumptions=("every word got a probability > 0",),
    parts=(
        Part(
            id="perplexity",
            words="The geometric mean as a root of the product.",
            given=(_r,),
            left=lambda c, r: c.call(perplexity, r),
            relation="=",
            right=lambda c, r: 1 / c.exp(c.call(log_likelihood, r) / c.count(r)),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: 1 / c.exp(c.sum(lambda i: c.log(r[i]), over=r) / c.count(r)),
                    ("exp_add",),
                    "e^-a = 1/e^a.",
                ),
                Step(
                    lambda c, r: 1 / c.exp(c.call(log_likelihood, r) / c.count(r)),
                    ("log_prod",),
                    "The sum of the logarithms is the logarithm of the product.",
                ),
            ),
        ),
        Part(
            id="perplexity-of-uniform",
            words="A model that gives every word the same probability a has the perplexity 1/a: it is as "
            "unsure as among 1/a equal words.",
            given=(_r, probability("a")),
            hypotheses=(all_equal(0, 1),),
            left=lambda c, r, a: c.call(perplexity, r),
            relation="=",
            right=lambda c, r, a: 1 / a,
            numeric=True,
            steps=(
                Step(
                    lambda c, r, a: c.exp(-c.log(a)),
                    ("hyp:equal", "sum_const", "cancel"),
                    "The mean of n equal numbers.",
                ),
                Step(lambda c, r, a: 1 / a, ("exp_log",), "a is positive."),
            ),
        ),
    ),
)


def _mean_of(c: Any, x: Any, body: Callable[[Any], Any]) -> Any:
    return c.sum(body, over=x) / c.count(x)


def _mean(c: Any, x: Any) -> Any:
    return _mean_of(c, x, lambda i: x[i])


def _moved(c: Any, a: Any, i: Any) -> Any:
    """The exponential of a_i less the mean."""
    return c.exp(a[i] - _mean(c, a))


def _excess(c: Any, r: Any) -> Any:
    """The log of the mean less the mean of the logs."""
    return c.sum(lambda i: c.gap("log_le", r[i] / _mean(c, r)), over=r) / c.count(r)


perplexity_jensen = Claim(
    id="perplexity-jensen",
    section=SECTION,
    words="Jensen's inequality: the perplexity of a text is at most the mean of the perplexities of its "
    "parts of one length, and at least 1 over the mean probability.",
    assumptions=("the mean losses of n parts, each with as many words as another",),
    parts=(
        Part(
            id="perplexity-at-most-mean",
            words="The exponential of a mean is at most the mean of the exponentials.",
            given=(real("a", "n"),),
            left=lambda c, a: c.exp(_mean(c, a)),
            relation="<=",
            right=lambda c, a: _mean_of(c, a, lambda i: c.exp(a[i])),
            numeric=True,
            steps=(
                Step(
                    lambda c, a: c.exp(_mean(c, a)) * _mean_of(c, a, lambda i: _moved(c, a, i)),
                    ("sum_linear", "sum_const", "log_exp", "cancel"),
                    "e^t >= 1 + t at t = a_i - mean; these t sum to 0.",
                    "<=",
                    lambda c, a: (
                        c.exp(_mean(c, a)) * _mean_of(c, a, lambda i: c.gap("log_le", _moved(c, a, i)))
                    ),
                ),
                Step(
                    lambda c, a: _mean_of(c, a, lambda i: c.exp(_mean(c, a)) * _moved(c, a, i)),
                    ("sum_linear",),
                    "The factor goes into the sum.",
                ),
                Step(
                    lambda c, a: _mean_of(c, a, lambda i: c.exp(a[i])),
                    ("exp_add",),
                    "e^mean e^(a_i - mean) = e^(a_i).",
                ),
            ),
        ),
        Part(
            id="perplexity-at-least-reciprocal",
            words="Words that are unlikely weigh more in perplexity than in the mean probability.",
            given=(_r,),
            left=lambda c, r: 1 / _mean(c, r),
            relation="<=",
            right=lambda c, r: c.call(perplexity, r),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: c.exp(-c.log(_mean(c, r))),
                    ("exp_log",),
                    "As an exponential.",
                ),
                Step(
                    lambda c, r: c.call(perplexity, r),
                    ("sum_linear", "sum_const", "log_mul", "exp_add", "cancel"),
                    "The log of the mean is at least the mean of the logs: log t <= t - 1 at t = r_i/mean.",
                    "<=",
                    lambda c, r: c.exp(-c.log(_mean(c, r))) * c.gap("exp_mono", c.number(0), _excess(c, r)),
                ),
            ),
        ),
    ),
)

CLAIMS = (perplexity_claim, perplexity_jensen)
