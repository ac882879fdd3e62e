"""Entropy, cross-entropy and Kullback-Leibler divergence, of distributions and of labels."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import distribution, index, probability, real
from verify.operations.cross_entropy import cross_entropy
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div
from verify.operations.nll import nll
from verify.operations.one_hot import one_hot

_WHY = "So why is everyone talking about cross entropies and Kullback-Leibler divergences?"
_LOG = "Log probabilities and entropy"

_p = distribution("p", "n")
_q = distribution("q", "n", positive=True)
_r = distribution("r", "n", positive=True)
_p1 = distribution("p", "n", positive=True)
_q0 = distribution("q", "n")
_y = index("y", "n")

_label_possible = Hypothesis("label_possible", lambda c, q, y: c.number(0), "<", lambda c, q, y: q[y])
_ONE_HOT = "off the label the terms are 0, because 0 log 0 = 0; at the label p_y = 1 and log 1 = 0"

kl_one_hot = Claim(
    id="kl-one-hot",
    section=_WHY,
    words="The KL divergence from the one-hot distribution at y to q is minus the log of q_y.",
    assumptions=(
        "q is a probability vector; entries other than q_y may be 0",
        "0 log 0 = 0",
        "q_y > 0; for q_y = 0 both sides are plus infinity",
    ),
    parts=(
        Part(
            id="kl-one-hot",
            words="The divergence from a one-hot distribution is the loss of that label.",
            given=(_q0, _y),
            hypotheses=(_label_possible,),
            left=lambda c, q, y: c.call(kl_div, c.call(one_hot, y, q), q),
            relation="=",
            right=lambda c, q, y: c.call(nll, q, y),
            numeric=True,
            steps=(
                Step(
                    lambda c, q, y: c.sum(
                        lambda i: c.xlogy(c.equal(i, y), c.equal(i, y)) - c.xlogy(c.equal(i, y), q[i]), over=q
                    ),
                    (),
                    "The definition of the divergence, with p_i = [i = y].",
                ),
                Step(
                    lambda c, q, y: c.sum(lambda i: -c.xlogy(c.equal(i, y), q[i]), over=q),
                    ("xlogy_delta", "delta", "log_one"),
                    "The first term is 0 for every i: 0 log 0 = 0 off the label, 1 log 1 = 0 at it.",
                ),
                Step(
                    lambda c, q, y: c.sum(lambda i: -(c.equal(i, y) * c.log(q[y])), over=q),
                    ("xlogy_delta",),
                    "The second term is 0 off the label, whatever q_i is there, and log q_y at it.",
                ),
                Step(
                    lambda c, q, y: -c.log(q[y]),
                    ("delta",),
                    "Of the sum one term is left, the one at i = y.",
                ),
            ),
        ),
        Part(
            id="kl-one-hot-unbounded",
            words="As q_y falls to 0 both sides grow beyond every bound M: "
            "q_y <= e^-M makes them at least M.",
            given=(_q0, _y, real("M")),
            hypotheses=(
                Hypothesis("label_possible", lambda c, q, y, M: c.number(0), "<", lambda c, q, y, M: q[y]),
                Hypothesis("small", lambda c, q, y, M: q[y], "<=", lambda c, q, y, M: c.exp(-M)),
            ),
            left=lambda c, q, y, M: M,
            relation="<=",
            right=lambda c, q, y, M: c.call(kl_div, c.call(one_hot, y, q), q),
            numeric=True,
            steps=(
                Step(
                    lambda c, q, y, M: -c.log(q[y]),
                    ("log_exp",),
                    "The logarithm is increasing, so log q_y <= log e^-M = -M.",
                    "<=",
                    lambda c, q, y, M: c.gap("log_mono", q[y], c.exp(-M)),
                ),
                Step(
                    lambda c, q, y, M: c.call(kl_div, c.call(one_hot, y, q), q),
                    ("xlogy_delta", "delta", "log_one"),
                    f"The divergence is -log q_y: {_ONE_HOT}.",
                ),
            ),
        ),
    ),
)


def _textbook(c: Any, p: Any, q: Any) -> Any:
    return c.sum(lambda i: c.xlogy(p[i], p[i] / q[i]), over=p)


_support = Hypothesis(
    "support",
    lambda c, p, q, i: c.number(0),
    "<",
    lambda c, p, q, i: q[i],
    over="n",
    when=lambda c, p, q, i: p[i],
)

cross_entropy_decomposition = Claim(
    id="cross-entropy-decomposition",
    section=_WHY,
    words="The cross-entropy H(p, q) is the entropy H(p) plus the divergence D(p, q).",
    assumptions=(
        "p and q are probability vectors; p may have zeros",
        "q_i > 0 wherever p_i > 0 (otherwise both sides are plus infinity)",
        "0 log 0 = 0",
    ),
    parts=(
        Part(
            id="cross-entropy-decomposition",
            words="H(p, q) = H(p) + D(p, q).",
            given=(_p, _q0),
            hypotheses=(_support,),
            left=lambda c, p, q: c.call(cross_entropy, p, q),
            relation="=",
            right=lambda c, p, q: c.call(entropy, p) + c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: (
                        -c.sum(lambda i: c.xlogy(p[i], p[i]), over=p)
                        + c.sum(lambda i: c.xlogy(p[i], p[i]) - c.xlogy(p[i], q[i]), over=p)
                    ),
                    ("sum_linear",),
                    "Add and subtract the sum of p_i log p_i.",
                ),
                Step(
                    lambda c, p, q: c.call(entropy, p) + c.call(kl_div, p, q),
                    (),
                    "These are the definitions of the entropy and of the divergence.",
                ),
            ),
        ),
        Part(
            id="divergence-textbook-form",
            words="The divergence in its usual form, with the logarithm of the ratio; p may have zeros.",
            given=(_p, _q),
            left=lambda c, p, q: _textbook(c, p, q),
            relation="=",
            right=lambda c, p, q: c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(kl_div, p, q),
                    ("cases:p", "xlogy", "log_mul"),
                    "Where p_i = 0 all terms are 0; where p_i > 0, log(p_i/q_i) = log p_i - log q_i.",
                ),
            ),
        ),
        Part(
            id="cross-entropy-decomposition-textbook",
            words="H(p, q) = H(p) + sum of p_i log(p_i/q_i), zeros of p included.",
            given=(_p, _q),
            left=lambda c, p, q: c.call(cross_entropy, p, q),
            relation="=",
            right=lambda c, p, q: c.call(entropy, p) + _textbook(c, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(entropy, p) + _textbook(c, p, q),
                    ("cases:p", "xlogy", "log_mul"),
                    "Where p_i = 0 all terms are 0; where p_i > 0, "
                    "-p_i log q_i = -p_i log p_i + p_i log(p_i/q_i).",
                ),
            ),
        ),
    ),
)

entropy_one_hot = Claim(
    id="entropy-one-hot",
    section=_WHY,
    words="The entropy of a one-hot distribution is 0.",
    assumptions=("0 log 0 = 0",),
    parts=(
        Part(
            id="entropy-one-hot",
            words="A one-hot distribution over 1..n has entropy 0.",
            given=(_q0, _y),
            left=lambda c, q, y: c.call(entropy, c.call(one_hot, y, q)),
            relation="=",
            right=lambda c, q, y: c.number(0),
            numeric=True,
            steps=(
                Step(
                    lambda c, q, y: -c.sum(lambda i: c.equal(i, y) * c.log(1), over=q),
                    ("xlogy_delta", "delta"),
                    "Off the label 0 log 0 = 0, at the label 1 log 1.",
                ),
                Step(lambda c, q, y: c.number(0), ("log_one",), "Every term is 0."),
            ),
        ),
    ),
)

cross_entropy_one_hot = Claim(
    id="cross-entropy-one-hot",
    section=_WHY,
    words="The cross-entropy of the one-hot distribution at y and q is minus the log of q_y.",
    assumptions=("q_y > 0; for q_y = 0 both sides are plus infinity", "0 log 0 = 0"),
    parts=(
        Part(
            id="cross-entropy-one-hot",
            words="The cross-entropy against a one-hot distribution is the loss of that label.",
            given=(_q0, _y),
            hypotheses=(_label_possible,),
            left=lambda c, q, y: c.call(cross_entropy, c.call(one_hot, y, q), q),
            relation="=",
            right=lambda c, q, y: c.call(nll, q, y),
            numeric=True,
            steps=(
                Step(
                    lambda c, q, y: (
                        c.call(entropy, c.call(one_hot, y, q)) + c.call(kl_div, c.call(one_hot, y, q), q)
                    ),
                    ("sum_linear",),
                    "The decomposition of the cross-entropy, with p one-hot.",
                ),
                Step(
                    lambda c, q, y: c.call(kl_div, c.call(one_hot, y, q), q),
                    ("xlogy_delta", "delta", "log_one"),
                    "The entropy of a one-hot distribution is 0.",
                ),
                Step(
                    lambda c, q, y: -c.log(q[y]),
                    ("xlogy_delta", "delta", "log_one"),
                    f"The divergence is -log q_y: {_ONE_HOT}.",
                ),
            ),
        ),
    ),
)

log_probability_additive = Claim(
    id="log-probability-additive",
    section=_LOG,
    words="Probabilities of independent events multiply, so their logarithms add.",
    assumptions=("the two events are independent, so the probability of both is pq", "p > 0 and q > 0"),
    parts=(
        Part(
            id="log-probability-additive",
            words="log pq = log p + log q.",
            given=(probability("p"), probability("q")),
            left=lambda c, p, q: c.log(p * q),
            relation="=",
            right=lambda c, p, q: c.log(p) + c.log(q),
            numeric=True,
            steps=(Step(lambda c, p, q: c.log(p) + c.log(q), ("log_mul",), "Both factors are positive."),),
        ),
    ),
)
