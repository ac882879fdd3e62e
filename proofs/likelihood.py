"""Likelihood: the product over the data, its logarithm, and the loss."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import index, nonnegative, positive, probability
from verify.operations.likelihood import log_likelihood

_DATA = "Maximum likelihood estimation"
_TWO = "Two slight complications"
_LOSS = "As a loss function"

_joint = nonnegative("P", latex=r"P(y \mid x)")
_given_before = nonnegative("c", "N")
_marginal = nonnegative("m", "N")
_model = nonnegative("f", "N", "n")
_labels = index("y", "n", "N")

likelihood_product = Claim(
    id="likelihood-product",
    section=_DATA,
    words="The probability of the training labels is the product of the probabilities of each label.",
    assumptions=(
        "P is the probability of all labels given all features",
        "c_i is the probability of label i given the features and the labels before it",
        "the labels are independent given the features: c_i = m_i, the probability of label i given x_i",
        "the model gives label k of example i the probability f_{i,k}",
    ),
    parts=(
        Part(
            id="likelihood-product",
            words="Chain rule, independence and the model give the product.",
            given=(_joint, _given_before, _marginal, _model, _labels),
            hypotheses=(
                Hypothesis(
                    "chain_rule",
                    lambda c, P, b, m, f, y: P,
                    "=",
                    lambda c, P, b, m, f, y: c.prod(lambda i: b[i], over=b),
                ),
                Hypothesis(
                    "independent",
                    lambda c, P, b, m, f, y, i: b[i],
                    "=",
                    lambda c, P, b, m, f, y, i: m[i],
                    "N",
                ),
                Hypothesis(
                    "model",
                    lambda c, P, b, m, f, y, i: m[i],
                    "=",
                    lambda c, P, b, m, f, y, i: f[i, y[i]],
                    "N",
                ),
            ),
            left=lambda c, P, b, m, f, y: P,
            relation="=",
            right=lambda c, P, b, m, f, y: c.prod(lambda i: f[i, y[i]], over=m),
            numeric=True,
            steps=(
                Step(
                    lambda c, P, b, m, f, y: c.prod(lambda i: b[i], over=b),
                    ("hyp:chain_rule",),
                    "The chain rule of probability, one label after the other.",
                ),
                Step(
                    lambda c, P, b, m, f, y: c.prod(lambda i: m[i], over=m),
                    ("hyp:independent",),
                    "Given its own features, a label does not depend on the labels before it.",
                ),
                Step(
                    lambda c, P, b, m, f, y: c.prod(lambda i: f[i, y[i]], over=m),
                    ("hyp:model",),
                    "The model says what the probability of each label is.",
                ),
            ),
        ),
    ),
)

_r = probability("r", "N")
_R, _S = positive("r", "N"), positive("s", "N")


def _product(c: Any, r: Any) -> Any:
    return c.prod(lambda i: r[i], over=r)


_LIKELIER = Hypothesis("likelier", lambda c, r, s: _product(c, r), "<=", lambda c, r, s: _product(c, s))

log_likelihood_sum = Claim(
    id="log-likelihood-sum",
    section=_TWO,
    words="The logarithm of the product is the sum of the logarithms, and has the same maximiser.",
    assumptions=("every factor is > 0; if one is 0, both sides are minus infinity",),
    parts=(
        Part(
            id="log-of-product",
            words="The log-likelihood is the sum of the log-probabilities.",
            given=(_r,),
            left=lambda c, r: c.call(log_likelihood, r),
            relation="=",
            right=lambda c, r: c.sum(lambda i: c.log(r[i]), over=r),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: c.sum(lambda i: c.log(r[i]), over=r),
                    ("log_prod",),
                    "The logarithm turns the product into a sum.",
                ),
            ),
        ),
        Part(
            id="more-likely-is-larger-sum",
            words="If one choice of parameters (factors s) is at least as likely as another (factors r), "
            "its sum of logarithms is at least as large.",
            given=(_R, _S),
            hypotheses=(_LIKELIER,),
            left=lambda c, r, s: c.sum(lambda i: c.log(r[i]), over=r),
            relation="<=",
            right=lambda c, r, s: c.sum(lambda i: c.log(s[i]), over=s),
            numeric=True,
            steps=(
                Step(
                    lambda c, r, s: c.sum(lambda i: c.log(s[i]), over=s),
                    ("log_prod",),
                    "The logarithm is increasing, so it keeps the order of the two products.",
                    "<=",
                    lambda c, r, s: c.gap("log_mono", _product(c, r), _product(c, s)),
                ),
            ),
        ),
        Part(
            id="larger-sum-is-more-likely",
            words="Conversely, the larger sum of logarithms belongs to the larger product; "
            "so the two have the same maximisers.",
            given=(_R, _S),
            hypotheses=(
                Hypothesis(
                    "larger_sum",
                    lambda c, r, s: c.sum(lambda i: c.log(r[i]), over=r),
                    "<=",
                    lambda c, r, s: c.sum(lambda i: c.log(s[i]), over=s),
                ),
            ),
            left=lambda c, r, s: _product(c, r),
            relation="<=",
            right=lambda c, r, s: _product(c, s),
            numeric=True,
            steps=(
                Step(
                    lambda c, r, s: _product(c, s),
                    ("exp_add", "exp_sum", "exp_log", "cancel"),
                    "With d the difference of the sums, d >= 0, the second product is e^d times the first.",
                    "<=",
                    lambda c, r, s: _product(c, r) * c.gap("exp_mono", c.number(0), c.gap("hyp:larger_sum")),
                ),
            ),
        ),
    ),
    remarks=(
        "In float32 the product of 46 factors 0.1 is exactly 0, while the sum of their logarithms is right "
        "to the last places; a figure of the report shows it.",
    ),
)


def _loss(c: Any, r: Any) -> Any:
    return -c.sum(lambda i: c.log(r[i]), over=r)


loss_is_negated_log_likelihood = Claim(
    id="loss-is-negated-log-likelihood",
    section=_LOSS,
    words="Maximising the likelihood and minimising the loss (minus its logarithm) have the same solutions.",
    assumptions=("every factor of the likelihood is > 0",),
    parts=(
        Part(
            id="likelier-is-less-loss",
            words="At least as likely means at most as much loss.",
            given=(_R, _S),
            hypotheses=(_LIKELIER,),
            left=lambda c, r, s: _loss(c, s),
            relation="<=",
            right=lambda c, r, s: _loss(c, r),
            numeric=True,
            steps=(
                Step(
                    lambda c, r, s: _loss(c, r),
                    ("log_prod",),
                    "The logarithm is increasing, and the sign turns the order round.",
                    "<=",
                    lambda c, r, s: c.gap("log_mono", _product(c, r), _product(c, s)),
                ),
            ),
        ),
        Part(
            id="less-loss-is-likelier",
            words="At most as much loss means at least as likely.",
            given=(_R, _S),
            hypotheses=(
                Hypothesis("less_loss", lambda c, r, s: _loss(c, s), "<=", lambda c, r, s: _loss(c, r)),
            ),
            left=lambda c, r, s: _product(c, r),
            relation="<=",
            right=lambda c, r, s: _product(c, s),
            numeric=True,
            steps=(
                Step(
                    lambda c, r, s: _product(c, s),
                    ("exp_add", "exp_sum", "exp_log", "cancel"),
                    "With d >= 0 the loss that is saved, the second likelihood is e^d times the first.",
                    "<=",
                    lambda c, r, s: _product(c, r) * c.gap("exp_mono", c.number(0), c.gap("hyp:less_loss")),
                ),
            ),
        ),
    ),
)
