"""Gradients of the losses of logits, as they are taught, and as torch's autograd computes them."""

from __future__ import annotations

from typing import Any

from proofs.row_gradients import bce_part, nll_parts, soft_target_part, z_loss_part
from verify.claim import Claim, Part, Step
from verify.domain import distribution, index, probability, real
from verify.operations.logsumexp import logsumexp
from verify.operations.loss_derivatives import (
    binary_cross_entropy_derivative,
    cross_entropy_derivative,
    soft_cross_entropy_derivative,
    squared_logsumexp_derivative,
)
from verify.operations.sigmoid import sigmoid
from verify.operations.softmax import softmax

SECTION = "Beyond the article: gradients and curvature"

_g = real("g", "n")
_y = index("y", "n")
_j = index("j", "n")


def _s(c: Any, g: Any, j: Any) -> Any:
    return c.call(softmax, g)[j]


nll_gradient = Claim(
    id="nll-gradient",
    section=SECTION,
    words="The gradient of the softmax loss by the logits is softmax(g)_j - [j = y].",
    assumptions=("g is finite and real", "y is a label in 1..n"),
    parts=(
        Part(
            id="nll-gradient",
            words="Probability less label: the derivative by each logit.",
            given=(_g, _y, _j),
            left=lambda c, g, y, j: c.call(cross_entropy_derivative, g, j, y),
            relation="=",
            right=lambda c, g, y, j: _s(c, g, j) - c.equal(j, y),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, j: c.derivative(lambda c, g: c.call(logsumexp, g) - g[y], g, j),
                    ("derivative", "cancel"),
                    "The loss is logsumexp(g) - g_y.",
                ),
                Step(
                    lambda c, g, y, j: _s(c, g, j) - c.equal(j, y),
                    ("derivative", "delta"),
                    "logsumexp has the gradient softmax; g_y has 1 at the label and 0 elsewhere.",
                ),
            ),
        ),
        Part(
            id="nll-gradient-sums-to-zero",
            words="The entries of the gradient sum to 0, so a step never shifts all logits alike.",
            given=(_g, _y),
            left=lambda c, g, y: c.sum(lambda j: _s(c, g, j) - c.equal(j, y), over=g),
            relation="=",
            right=lambda c, g, y: c.number(0),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y: c.sum(lambda j: _s(c, g, j), over=g) - 1,
                    ("sum_linear", "delta"),
                    "The label is counted once.",
                ),
                Step(lambda c, g, y: c.number(0), ("sum_linear", "cancel"), "The probabilities sum to 1."),
            ),
        ),
        *nll_parts,
    ),
)


soft_target_gradient = Claim(
    id="soft-target-gradient",
    section=SECTION,
    words="Against a soft target p the gradient is s - p, if p sums to 1; in general it is (sum p) s - p.",
    assumptions=("g is finite and real", "s = softmax(g)", "the loss is minus the sum of p_i log s_i"),
    parts=(
        Part(
            id="soft-target-gradient",
            words="For a distribution p: probability less target.",
            given=(_g, distribution("p", "n"), _j),
            left=lambda c, g, p, j: c.call(soft_cross_entropy_derivative, g, j, p),
            relation="=",
            right=lambda c, g, p, j: _s(c, g, j) - p[j],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, p, j: _s(c, g, j) * c.sum(lambda i: p[i], over=p) - p[j],
                    ("derivative", "delta", "sum_linear", "cancel"),
                    "The gradient of each log softmax, times its share of the target.",
                ),
                Step(lambda c, g, p, j: _s(c, g, j) - p[j], ("hyp:sum_p",), "The target sums to 1."),
            ),
        ),
        Part(
            id="soft-target-gradient-any-total",
            words="For any numbers as target.",
            given=(_g, real("p", "n"), _j),
            left=lambda c, g, p, j: c.call(soft_cross_entropy_derivative, g, j, p),
            relation="=",
            right=lambda c, g, p, j: c.sum(lambda i: p[i], over=p) * _s(c, g, j) - p[j],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, p, j: c.sum(lambda i: p[i], over=p) * _s(c, g, j) - p[j],
                    ("derivative", "delta", "sum_linear", "cancel"),
                    "The gradient of each log softmax, times its share of the target.",
                ),
            ),
        ),
        soft_target_part,
    ),
)


bce_gradient = Claim(
    id="bce-gradient",
    section=SECTION,
    words="The derivative of binary cross-entropy by its logit is sigma(z) - t.",
    assumptions=("z is finite and real",),
    parts=(
        Part(
            id="bce-gradient",
            words="Probability less target.",
            given=(real("z"), probability("t")),
            left=lambda c, z, t: c.call(binary_cross_entropy_derivative, z, t),
            relation="=",
            right=lambda c, z, t: c.call(sigmoid, z) - t,
            numeric=True,
            steps=(
                Step(
                    lambda c, z, t: c.call(sigmoid, z) - t,
                    ("derivative", "exp_add", "cancel"),
                    "Differentiate; sigma'(z) = sigma(z) sigma(-z).",
                ),
            ),
        ),
        bce_part,
    ),
)


z_loss_gradient = Claim(
    id="z-loss-gradient",
    section=SECTION,
    words="The gradient of the squared logsumexp is 2 logsumexp(g) softmax(g).",
    assumptions=("g is finite and real",),
    parts=(
        Part(
            id="z-loss-gradient",
            words="By each logit.",
            given=(_g, _j),
            left=lambda c, g, j: c.call(squared_logsumexp_derivative, g, j),
            relation="=",
            right=lambda c, g, j: 2 * c.call(logsumexp, g) * _s(c, g, j),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, j: 2 * c.call(logsumexp, g) * _s(c, g, j),
                    ("derivative", "delta"),
                    "Twice the logsumexp times its gradient, which is softmax.",
                ),
            ),
        ),
        z_loss_part,
    ),
)

CLAIMS = (nll_gradient, soft_target_gradient, bce_gradient, z_loss_gradient)
