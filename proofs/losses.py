"""Losses as they are used: label smoothing, binary targets, weighted means."""

from __future__ import annotations

from typing import Any

from proofs.derivatives import BATCH, some_weight
from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import distribution, index, positive, probability, real
from verify.operations.binary_cross_entropy import binary_cross_entropy_with_logits
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.nll import nll
from verify.operations.smoothed_cross_entropy import smoothed_cross_entropy
from verify.operations.softmax import softmax
from verify.operations.weighted_cross_entropy import weighted_cross_entropy

SECTION = "Beyond the article: losses in use"

_g = real("g", "n")
_y = index("y", "n")
_e = probability("e", latex=r"\varepsilon")
_r = probability("r", "n")
_x = real("x", "m", "n")
_ys = index("y", "n", "m")
_w = positive("w", "n")
_ROWS = (real("w", "n"), real("kept", "m", latex=r"\kappa"))


def all_equal(family: int, number: int) -> Hypothesis:
    """Every entry of a variable is a number, both given by their positions."""
    return Hypothesis("equal", lambda c, *v: v[family][v[-1]], "=", lambda c, *v: v[number], over="n")


def _reduced(c: Any, reduction: str, x: Any, y: Any, w: Any, kept: Any) -> Any:
    """The definition of the contract, which keeps each row as far as ``kept`` says."""
    contract = cross_entropy_with_logits.contract
    assert contract is not None
    return contract.definition(c, {**BATCH, "reduction": reduction, "label_smoothing": 0.0}, x, y, w, kept)


def _smoothed_label(c: Any, g: Any, y: Any, e: Any, j: Any) -> Any:
    return (1 - e) * c.equal(j, y) + e / c.count(g)


label_smoothing = Claim(
    id="label-smoothing",
    section=SECTION,
    words="Label smoothing mixes the loss of the label with the mean loss of all classes, and is the "
    "cross-entropy against (1 - eps) one-hot + eps/n.",
    assumptions=("g is finite and real", "0 < eps < 1"),
    parts=(
        Part(
            id="label-smoothing",
            words="Against the smoothed label.",
            given=(_g, _y, _e),
            left=lambda c, g, y, e: c.call(smoothed_cross_entropy, g, y, e),
            relation="=",
            right=lambda c, g, y, e: (
                -c.sum(lambda j: _smoothed_label(c, g, y, e, j) * c.call(log_softmax, g)[j], over=g)
            ),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, e: (
                        -c.sum(lambda j: _smoothed_label(c, g, y, e, j) * c.call(log_softmax, g)[j], over=g)
                    ),
                    ("sum_linear", "delta"),
                    "The part of the label keeps one term of the sum.",
                ),
            ),
        ),
        Part(
            id="label-smoothing-sums-to-one",
            words="The smoothed label is a distribution.",
            given=(_g, _y, _e),
            left=lambda c, g, y, e: c.sum(lambda j: _smoothed_label(c, g, y, e, j), over=g),
            relation="=",
            right=lambda c, g, y, e: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, e: c.number(1),
                    ("sum_linear", "sum_const", "delta", "cancel"),
                    "1 - eps for the label, and n times eps/n.",
                ),
            ),
        ),
    ),
)

cross_entropy_is_normalised = Claim(
    id="cross-entropy-is-normalised",
    section=SECTION,
    words="The exponentials of minus the loss sum to 1 over the labels: cross-entropy is the negative "
    "log-likelihood of a categorical distribution, of logits as of log-probabilities.",
    assumptions=("g is finite and real", "for the second part q > 0 sums to 1"),
    parts=(
        Part(
            id="cross-entropy-is-normalised",
            words="Whatever the logits.",
            given=(_g,),
            left=lambda c, g: c.sum(lambda y: c.exp(-c.call(cross_entropy_with_logits, g, y)), over=g),
            relation="=",
            right=lambda c, g: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, g: c.sum(lambda y: c.call(softmax, g)[y], over=g),
                    ("exp_log",),
                    "The exponential of minus the loss is the probability of the label.",
                ),
                Step(lambda c, g: c.number(1), ("sum_linear", "cancel"), "The probabilities sum to 1."),
            ),
        ),
        Part(
            id="nll-is-normalised",
            words="For log-probabilities.",
            given=(distribution("q", "n", positive=True),),
            left=lambda c, q: c.sum(lambda y: c.exp(-c.call(nll, q, y)), over=q),
            relation="=",
            right=lambda c, q: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, q: c.number(1),
                    ("exp_log", "hyp:sum_q"),
                    "The exponential of minus the loss is the probability of the label.",
                ),
            ),
        ),
    ),
)

bce_symmetry = Claim(
    id="bce-symmetry",
    section=SECTION,
    words="Exchanging the two labels and the sign of the logit leaves binary cross-entropy as it is.",
    assumptions=("z is finite and real",),
    parts=(
        Part(
            id="bce-symmetry",
            words="bce(z, t) = bce(-z, 1 - t).",
            given=(real("z"), probability("t")),
            left=lambda c, z, t: c.call(binary_cross_entropy_with_logits, z, t),
            relation="=",
            right=lambda c, z, t: c.call(binary_cross_entropy_with_logits, -z, 1 - t),
            numeric=True,
            steps=(
                Step(
                    lambda c, z, t: c.call(binary_cross_entropy_with_logits, -z, 1 - t),
                    ("exp_add", "cancel"),
                    "sigma(-z) = 1 - sigma(z).",
                ),
            ),
        ),
    ),
)


def _losses(c: Any, x: Any, y: Any, w: Any) -> Any:
    """The losses times the weights of their labels, summed."""
    return c.sum(lambda n: w[y[n]] * (c.call(logsumexp, x[n]) - x[n, y[n]]), over=y)


weighted_mean_reduction = Claim(
    id="weighted-mean-reduction",
    section=SECTION,
    words="With class weights, the reduction 'mean' divides by the sum of the weights of the rows that "
    "count, not by their number.",
    assumptions=("the rows that count have weight, else the mean has no value",),
    parts=(
        Part(
            id="weighted-mean-reduction",
            words="What is divided by is the sum of the weights of the labels.",
            given=(_x, _ys, _w),
            left=lambda c, x, y, w: (
                c.call(weighted_cross_entropy, x, y, w) * c.sum(lambda n: w[y[n]], over=y)
            ),
            relation="=",
            right=_losses,
            numeric=True,
            steps=(
                Step(
                    _losses,
                    ("log_mul", "log_exp", "cancel"),
                    "The sum of the weights is not 0.",
                ),
            ),
        ),
        Part(
            id="weighted-mean-of-rows-that-count",
            words="Rows that are left out (kappa = 0) leave the divisor as well.",
            given=(_x, _ys, *_ROWS),
            hypotheses=(some_weight(1),),
            left=lambda c, x, y, w, kept: (
                _reduced(c, "mean", x, y, w, kept) * c.sum(lambda n: kept[n] * w[y[n]], over=y)
            ),
            relation="=",
            right=lambda c, x, y, w, kept: _reduced(c, "sum", x, y, w, kept),
            unmeasured="torch leaves rows out by their label; "
            "its mean over the rows that count is measured in weighted-mean-reduction",
            steps=(
                Step(
                    lambda c, x, y, w, kept: _reduced(c, "sum", x, y, w, kept),
                    ("cancel",),
                    "The sum of the weights is not 0.",
                ),
            ),
        ),
        Part(
            id="unweighted-mean-reduction",
            words="Only with equal weights is it the number of rows.",
            given=(_x, _ys, _w, positive("a")),
            hypotheses=(all_equal(2, 3),),
            left=lambda c, x, y, w, a: c.call(weighted_cross_entropy, x, y, w),
            relation="=",
            right=lambda c, x, y, w, a: (
                c.sum(lambda n: c.call(cross_entropy_with_logits, x[n], y[n]), over=y) / c.count(y)
            ),
            numeric=True,
            steps=(
                Step(
                    lambda c, x, y, w, a: (
                        c.sum(lambda n: c.call(cross_entropy_with_logits, x[n], y[n]), over=y) / c.count(y)
                    ),
                    ("hyp:equal", "sum_linear", "sum_const", "cancel"),
                    "The weight comes out of both sums and cancels.",
                ),
            ),
        ),
    ),
)

CLAIMS = (cross_entropy_is_normalised, label_smoothing, bce_symmetry, weighted_mean_reduction)
