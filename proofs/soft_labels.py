"""Soft labels: cross-entropy and divergence as losses when the label is itself a distribution."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Part, Step
from verify.domain import distribution, index, positive
from verify.operations.cross_entropy import cross_entropy
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div

_WHY = "So why is everyone talking about cross entropies and Kullback-Leibler divergences?"

_p = distribution("p", "n")
_p1 = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)
_r = distribution("r", "n", positive=True)
_v = positive("q", "n")
_j = index("j", "n")


def _root(c: Any, x: Any) -> Any:
    """The square root of a positive number."""
    return c.exp(c.log(x) / 2)


soft_labels = Claim(
    id="soft-labels",
    section=_WHY,
    words="If the labels are themselves probability distributions, the KL divergence is the natural loss.",
    kind="opinion",
    assumptions=("p is the distribution given as the label, q and r are predictions > 0",),
    parts=(
        Part(
            id="soft-labels-same-loss",
            words="Cross-entropy and divergence rank predictions alike: between any two predictions "
            "they differ by the same amount, so they have the same minimisers.",
            given=(_p, _q, _r),
            left=lambda c, p, q, r: c.call(cross_entropy, p, q) - c.call(cross_entropy, p, r),
            relation="=",
            right=lambda c, p, q, r: c.call(kl_div, p, q) - c.call(kl_div, p, r),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q, r: (
                        (c.call(entropy, p) + c.call(kl_div, p, q))
                        - (c.call(entropy, p) + c.call(kl_div, p, r))
                    ),
                    ("sum_linear",),
                    "The decomposition of both cross-entropies.",
                ),
                Step(
                    lambda c, p, q, r: c.call(kl_div, p, q) - c.call(kl_div, p, r),
                    (),
                    "H(p) does not depend on the prediction and drops out.",
                ),
            ),
        ),
        Part(
            id="soft-labels-same-gradient",
            words="Their partial derivatives by an entry of the prediction are equal.",
            given=(_p, _v, _j),
            left=lambda c, p, q, j: c.derivative(lambda c, q: c.call(cross_entropy, p, q), q, j),
            relation="=",
            right=lambda c, p, q, j: c.derivative(lambda c, q: c.call(kl_div, p, q), q, j),
            unmeasured="both sides are -p_j/q_j, of which autograd is measured in rel-entr-target-gradient",
            steps=(
                Step(
                    lambda c, p, q, j: -p[j] / q[j],
                    ("derivative", "delta"),
                    "Only the term of the entry itself depends on it: -p_j log q_j.",
                ),
                Step(
                    lambda c, p, q, j: c.derivative(lambda c, q: c.call(kl_div, p, q), q, j),
                    ("derivative", "delta"),
                    "The divergence has the same term, and p log p does not depend on the prediction.",
                ),
            ),
        ),
        Part(
            id="soft-labels-minimiser",
            words="No prediction has a smaller cross-entropy than p itself.",
            given=(_p, _q),
            left=lambda c, p, q: c.call(cross_entropy, p, p),
            relation="<=",
            right=lambda c, p, q: c.call(cross_entropy, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: (
                        c.call(cross_entropy, p, p)
                        + c.sum(lambda i: p[i], over=p)
                        - c.sum(lambda i: q[i], over=q)
                    ),
                    ("hyp:sum_p", "hyp:sum_q"),
                    "Both distributions sum to 1.",
                ),
                Step(
                    lambda c, p, q: c.call(cross_entropy, p, q),
                    ("cases:p", "xlog0", "xlogy", "log_mul", "cancel"),
                    "With x = p_i/q_i, the difference is the sum of q_i (x log x - x + 1).",
                    "<=",
                    lambda c, p, q: c.sum(lambda i: q[i] * c.gap("xlogx_ge", p[i] / q[i]), over=p),
                ),
            ),
        ),
        Part(
            id="soft-labels-minimiser-unique",
            words="And only q = p attains it (for p > 0): the divergence, which is the excess of the "
            "cross-entropy over its least value, is at least the sum of (sqrt p_i - sqrt q_i)^2.",
            given=(_p1, _q),
            left=lambda c, p, q: c.sum(lambda i: (_root(c, p[i]) - _root(c, q[i])) ** 2, over=p),
            relation="<=",
            right=lambda c, p, q: c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.sum(
                        lambda i: p[i] + q[i] - 2 * _root(c, p[i]) * _root(c, q[i]), over=p
                    ),
                    ("exp_add", "exp_log"),
                    "Expand the square.",
                ),
                Step(
                    lambda c, p, q: 2 - 2 * c.sum(lambda i: _root(c, p[i]) * _root(c, q[i]), over=p),
                    ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
                    "Both distributions sum to 1.",
                ),
                Step(
                    lambda c, p, q: (
                        2 * c.sum(lambda i: p[i], over=p)
                        - 2 * c.sum(lambda i: _root(c, p[i]) * _root(c, q[i]), over=p)
                    ),
                    ("hyp:sum_p",),
                    "p sums to 1.",
                ),
                Step(
                    lambda c, p, q: c.call(kl_div, p, q),
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
