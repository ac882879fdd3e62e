"""Softmax: a distribution, logistic regression as its two-class case, and its logarithm."""

from __future__ import annotations

from typing import Any

from proofs.formulas import sum_exp
from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import distribution, index, real
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.logsumexp import logsumexp
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax

_TWO = "Two slight complications"
_LOSS = "As a loss function"
_LOG = "Log probabilities and entropy"

_g = real("g", "n")
_q = distribution("q", "n", positive=True)
_y = index("y", "n")
_k = index("k", "n")


softmax_is_distribution = Claim(
    id="softmax-is-distribution",
    section=_TWO,
    words="Exponentiating and normalising makes a probability vector of any vector g.",
    assumptions=(
        "g is finite and real: for infinite g it fails, softmax of (inf, 0) has no value",
        "n is finite and at least 1",
        "every entry is > 0, so for n >= 2 the result is never exactly one-hot",
    ),
    parts=(
        Part(
            id="softmax-entries-positive",
            words="Every entry is positive.",
            given=(_g, _y),
            left=lambda c, g, y: c.number(0),
            relation="<",
            right=lambda c, g, y: c.call(softmax, g)[y],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y: c.call(softmax, g)[y],
                    (),
                    "An exponential is positive, so is a sum of them, and so is the quotient.",
                    "<",
                    lambda c, g, y: c.exp(g[y]) / sum_exp(c, g),
                ),
            ),
        ),
        Part(
            id="softmax-sums-to-one",
            words="The entries sum to 1.",
            given=(_g,),
            left=lambda c, g: c.sum(lambda j: c.call(softmax, g)[j], over=g),
            relation="=",
            right=lambda c, g: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, g: sum_exp(c, g) / sum_exp(c, g),
                    ("sum_linear",),
                    "The denominator is the same for every entry and comes out of the sum.",
                ),
                Step(lambda c, g: c.number(1), ("cancel",), "The sum of exponentials is not 0."),
            ),
        ),
        Part(
            id="softmax-entries-below-one",
            words="With two different labels y and k, the entry of y is below 1.",
            given=(_g, _y, _k),
            hypotheses=(
                Hypothesis("distinct", lambda c, g, y, k: c.equal(y, k), "=", lambda c, g, y, k: c.number(0)),
            ),
            left=lambda c, g, y, k: c.call(softmax, g)[y],
            relation="<",
            right=lambda c, g, y, k: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, k: c.call(softmax, g)[y] + c.call(softmax, g)[k],
                    (),
                    "The entry of k is positive.",
                    "<",
                    lambda c, g, y, k: c.exp(g[k]) / sum_exp(c, g),
                ),
                Step(
                    lambda c, g, y, k: c.sum(lambda i: c.call(softmax, g)[i], over=g),
                    ("sum_linear", "delta", "hyp:distinct"),
                    "The other entries are not negative; [y = k] = 0 because the labels differ.",
                    "<=",
                    lambda c, g, y, k: c.sum(
                        lambda i: (1 - c.equal(i, y)) * (1 - c.equal(i, k)) * c.call(softmax, g)[i], over=g
                    ),
                ),
                Step(lambda c, g, y, k: c.number(1), ("sum_linear", "cancel"), "The entries sum to 1."),
            ),
        ),
    ),
)

_two = real("g", 2)
_bias = real("a", 2)
_weights = real("w", 2, "d")
_features = real("x", "d")


def _affine(c: Any, a: Any, w: Any, x: Any) -> Any:
    return c.family(lambda k: a[k] + c.sum(lambda j: w[k, j] * x[j], over=x), over=a)


def _difference(c: Any, a: Any, w: Any, x: Any) -> Any:
    return a[2] - a[1] + c.sum(lambda j: (w[2, j] - w[1, j]) * x[j], over=x)


logistic_regression_special_case = Claim(
    id="logistic-regression-special-case",
    section=_TWO,
    words="With two classes and g affine in the features, softmax is logistic regression; "
    "only the difference of the two entries of g matters.",
    assumptions=("exactly two classes, numbered 1 and 2", "g is finite and real"),
    parts=(
        Part(
            id="two-class-softmax",
            words="The second entry of a two-class softmax is the logistic function of the difference.",
            given=(_two,),
            left=lambda c, g: c.call(softmax, g)[2],
            relation="=",
            right=lambda c, g: c.call(sigmoid, g[2] - g[1]),
            numeric=True,
            steps=(
                Step(
                    lambda c, g: c.exp(g[2]) / (c.exp(g[1]) + c.exp(g[2])),
                    ("expand",),
                    "Two classes: the sum has two terms.",
                ),
                Step(
                    lambda c, g: 1 / (1 + c.exp(-(g[2] - g[1]))),
                    ("exp_add",),
                    "Divide numerator and denominator by the numerator.",
                ),
            ),
        ),
        Part(
            id="affine-two-class-softmax",
            words="With affine g it is logistic regression with the differences of biases and weights.",
            given=(_bias, _weights, _features),
            left=lambda c, a, w, x: c.call(softmax, _affine(c, a, w, x))[2],
            relation="=",
            right=lambda c, a, w, x: c.call(sigmoid, _difference(c, a, w, x)),
            numeric=True,
            steps=(
                Step(
                    lambda c, a, w, x: c.call(sigmoid, _affine(c, a, w, x)[2] - _affine(c, a, w, x)[1]),
                    ("expand", "exp_add"),
                    "The two-class case, for g affine.",
                ),
                Step(
                    lambda c, a, w, x: c.call(sigmoid, _difference(c, a, w, x)),
                    ("sum_linear",),
                    "The difference of two affine functions is affine.",
                ),
            ),
        ),
    ),
)

softmax_nll = Claim(
    id="softmax-nll",
    section=_LOSS,
    words="Minus the log of the softmax probability of the label is logsumexp(g) - g_y.",
    assumptions=("g is finite and real", "y is a label in 1..n"),
    parts=(
        Part(
            id="softmax-nll",
            words="The loss of one example in terms of its logits.",
            given=(_g, _y),
            left=lambda c, g, y: c.call(cross_entropy_with_logits, g, y),
            relation="=",
            right=lambda c, g, y: c.call(logsumexp, g) - g[y],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y: -c.log(c.exp(g[y]) / sum_exp(c, g)),
                    (),
                    "The definitions of the loss and of softmax.",
                ),
                Step(
                    lambda c, g, y: -(c.log(c.exp(g[y])) - c.log(sum_exp(c, g))),
                    ("log_mul",),
                    "The logarithm of a quotient; both are positive.",
                ),
                Step(
                    lambda c, g, y: c.call(logsumexp, g) - g[y],
                    ("log_exp",),
                    "The logarithm undoes the exponential; the other term is logsumexp by definition.",
                ),
            ),
        ),
    ),
)
