"""Log-odds: what the linear combination of logistic regression is the logarithm of."""

from __future__ import annotations

from typing import Any

from proofs.formulas import sum_exp
from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, index, real
from verify.operations.log_softmax import log_softmax
from verify.operations.logsigmoid import logsigmoid
from verify.operations.sigmoid import sigmoid

_LOG = "Log probabilities and entropy"

_g = real("g", "n")
_q = distribution("q", "n", positive=True)
_y = index("y", "n")
_k = index("k", "n")
_features = real("x", "d")


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
            unmeasured="the odds of a probability that rounds to 1 are lost in every format; those that "
            "torch keeps, as a difference of log-probabilities, are measured in logit-difference-is-log-odds",
            steps=(
                Step(
                    lambda c, b, w, x: c.log(c.exp(_linear(c, b, w, x))),
                    ("exp_add", "cancel"),
                    "The odds f/(1 - f) of f = 1/(1 + e^-z) are e^z.",
                ),
                Step(
                    lambda c, b, w, x: _linear(c, b, w, x),
                    ("log_exp",),
                    "The logarithm undoes the exponential.",
                ),
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
                    lambda c, g, y, k: (
                        (c.log(c.exp(g[y])) - c.log(sum_exp(c, g)))
                        - (c.log(c.exp(g[k])) - c.log(sum_exp(c, g)))
                    ),
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
            words="The log-probability itself is always less than z, so the wording never holds "
            "for two classes.",
            given=(_z,),
            left=lambda c, z: c.call(logsigmoid, z),
            relation="<",
            right=lambda c, z: z,
            numeric=True,
            steps=(
                Step(
                    lambda c, z: c.log(c.call(sigmoid, z)),
                    ("log_mul",),
                    "The logarithm of the probability.",
                ),
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
                Hypothesis(
                    "normalised", lambda c, q, g, y, i: g[i], "=", lambda c, q, g, y, i: c.log(q[i]), "n"
                ),
            ),
            left=lambda c, q, g, y: c.call(log_softmax, g)[y],
            relation="=",
            right=lambda c, q, g, y: g[y],
            numeric=True,
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
