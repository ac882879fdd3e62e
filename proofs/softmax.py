"""Softmax: a distribution, logistic regression as its two-class case, and its logarithm."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, index, real
from verify.operations.cross_entropy import cross_entropy_with_logits
from verify.operations.log_softmax import log_softmax
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


def _total(c: Any, g: Any) -> Any:
    return c.sum(lambda i: c.exp(g[i]), over=g)


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
            steps=(
                Step(
                    lambda c, g, y: c.call(softmax, g)[y],
                    (),
                    "An exponential is positive, so is a sum of them, and so is the quotient.",
                    "<",
                    lambda c, g, y: c.exp(g[y]) / _total(c, g),
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
                    lambda c, g: _total(c, g) / _total(c, g),
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
            steps=(
                Step(
                    lambda c, g, y, k: c.call(softmax, g)[y] + c.call(softmax, g)[k],
                    (),
                    "The entry of k is positive.",
                    "<",
                    lambda c, g, y, k: c.exp(g[k]) / _total(c, g),
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
            steps=(
                Step(
                    lambda c, a, w, x: c.call(
                        sigmoid, _affine(c, a, w, x)[2] - _affine(c, a, w, x)[1]
                    ),
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
                    lambda c, g, y: -c.log(c.exp(g[y]) / _total(c, g)),
                    (),
                    "The definitions of the loss and of softmax.",
                ),
                Step(
                    lambda c, g, y: -(c.log(c.exp(g[y])) - c.log(_total(c, g))),
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

_z = real("z")
_b = real("b")
_v = real("w", "d")


def _linear(c: Any, b: Any, w: Any, x: Any) -> Any:
    return b + c.sum(lambda j: w[j] * x[j], over=x)


_log_odds = Claim(
    id="linear-combination-is-log-odds",
    section=_LOG,
    words="Logistic regression reads a linear combination as log-odds, "
    "and for n classes as a log-probability up to a common constant.",
    assumptions=("all numbers are finite and real",),
    parts=(
        Part(
            id="linear-combination-is-log-odds",
            words="The linear combination is the logarithm of the odds.",
            given=(_b, _v, _features),
            left=lambda c, b, w, x: c.log(
                c.call(sigmoid, _linear(c, b, w, x)) / (1 - c.call(sigmoid, _linear(c, b, w, x)))
            ),
            relation="=",
            right=lambda c, b, w, x: _linear(c, b, w, x),
            steps=(
                Step(
                    lambda c, b, w, x: c.log(c.exp(_linear(c, b, w, x))),
                    ("exp_add", "cancel"),
                    "The odds f/(1 - f) of f = 1/(1 + e^-z) are e^z.",
                ),
                Step(lambda c, b, w, x: _linear(c, b, w, x), ("log_exp",), "The logarithm undoes the exponential."),
            ),
        ),
        Part(
            id="logit-difference-is-log-odds",
            words="For n classes, the difference of two logits is the difference of two log-probabilities.",
            given=(_g, _y, _k),
            left=lambda c, g, y, k: c.call(log_softmax, g)[y] - c.call(log_softmax, g)[k],
            relation="=",
            right=lambda c, g, y, k: g[y] - g[k],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, k: (c.log(c.exp(g[y])) - c.log(_total(c, g)))
                    - (c.log(c.exp(g[k])) - c.log(_total(c, g))),
                    ("log_mul",),
                    "The logarithm of a quotient; all are positive.",
                ),
                Step(
                    lambda c, g, y, k: g[y] - g[k],
                    ("log_exp",),
                    "The common constant logsumexp(g) drops out.",
                ),
            ),
        ),
        Part(
            id="log-probability-below-linear-combination",
            words="The log-probability itself is always less than z, so the wording never holds for two classes.",
            given=(_z,),
            left=lambda c, z: c.log(c.call(sigmoid, z)),
            relation="<",
            right=lambda c, z: z,
            steps=(
                Step(
                    lambda c, z: c.log(c.exp(z)),
                    (),
                    "1/(1 + e^-z) is less than e^z, and the logarithm is increasing.",
                    "<",
                    lambda c, z: c.gap("log_mono", c.call(sigmoid, z), c.exp(z)),
                ),
                Step(lambda c, z: z, ("log_exp",), "The logarithm undoes the exponential."),
            ),
        ),
    ),
)

linear_combination_is_log_probability = Claim(
    id="linear-combination-is-log-probability",
    section=_LOG,
    words="Logistic regression interprets a linear combination z as a log-probability.",
    literal=Part(
        id="linear-combination-is-log-probability",
        words="The log-probability of the logistic model is z.",
        given=(_z,),
        left=lambda c, z: c.log(c.call(sigmoid, z)),
        relation="=",
        right=lambda c, z: z,
    ),
    witness=Witness((), (("z", 0),), "the probability is 1/2, its logarithm is not 0"),
    corrected=_log_odds,
    holds_when=(
        Part(
            id="normalised-logits-are-log-probabilities",
            words="For n classes it holds where the logits are normalised, "
            "that is, are the logarithms of a distribution q already.",
            given=(_q, _g, _y),
            hypotheses=(
                Hypothesis("normalised", lambda c, q, g, y, i: g[i], "=", lambda c, q, g, y, i: c.log(q[i]), "n"),
            ),
            left=lambda c, q, g, y: c.call(log_softmax, g)[y],
            relation="=",
            right=lambda c, q, g, y: g[y],
            steps=(
                Step(
                    lambda c, q, g, y: c.log(q[y] / c.sum(lambda i: q[i], over=q)),
                    ("hyp:normalised", "exp_log"),
                    "The exponential of g_i = log q_i is q_i.",
                ),
                Step(lambda c, q, g, y: c.log(q[y]), ("hyp:sum_q",), "q sums to 1."),
                Step(lambda c, q, g, y: g[y], ("hyp:normalised",), "This is the logit itself."),
            ),
        ),
    ),
)
