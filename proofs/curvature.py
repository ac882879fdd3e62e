"""Curvature: the Hessian of the loss of logits, and Fisher information."""

from __future__ import annotations

from typing import Any

from proofs.logit_gradients import SECTION
from verify.claim import Claim, Part, Step
from verify.domain import index, real
from verify.operations.loss_derivatives import cross_entropy_curvature
from verify.operations.softmax import softmax

_g = real("g", "n")
_v = real("v", "n")
_y = index("y", "n")
_j = index("j", "n")
_k = index("k", "n")


def _s(c: Any, g: Any, j: Any) -> Any:
    return c.call(softmax, g)[j]


def _entry(c: Any, g: Any, j: Any, k: Any) -> Any:
    """Entry j, k of diag(s) - s s^T."""
    return c.equal(j, k) * _s(c, g, j) - _s(c, g, j) * _s(c, g, k)


def _spread(c: Any, g: Any, v: Any) -> Any:
    """The variance of v under the softmax of g."""
    return c.sum(lambda j: _s(c, g, j) * (v[j] - _mean(c, g, v)) ** 2, over=g)


def _mean(c: Any, g: Any, v: Any) -> Any:
    """The mean of v under the softmax of g."""
    return c.sum(lambda i: _s(c, g, i) * v[i], over=g)


nll_hessian = Claim(
    id="nll-hessian",
    section=SECTION,
    words="The Hessian of the softmax loss is diag(s) - s s^T; v^T H v is the variance of v under s, so "
    "the loss is convex in the logits.",
    assumptions=("g is finite and real", "s = softmax(g)"),
    parts=(
        Part(
            id="nll-hessian",
            words="The derivative of entry j of the gradient by logit k.",
            given=(_g, _y, _j, _k),
            left=lambda c, g, y, j, k: c.derivative(lambda c, g: _s(c, g, j) - c.equal(j, y), g, k),
            relation="=",
            right=lambda c, g, y, j, k: _entry(c, g, j, k),
            unmeasured="as torch computes it, it is measured in nll-hessian-by-entry",
            steps=(
                Step(
                    lambda c, g, y, j, k: _entry(c, g, j, k),
                    ("derivative", "delta", "cancel"),
                    "The derivative of the quotient; the label is a constant.",
                ),
            ),
        ),
        Part(
            id="nll-hessian-by-entry",
            words="As torch computes it, for any label.",
            given=(_g, _j, _k),
            left=lambda c, g, j, k: c.call(cross_entropy_curvature, g, j, k),
            relation="=",
            right=_entry,
            numeric=True,
            steps=(
                Step(
                    _entry,
                    ("derivative", "delta", "cancel"),
                    "The derivative of the quotient.",
                ),
            ),
        ),
        Part(
            id="nll-hessian-is-variance",
            words="Along v, the curvature is the variance of v under s.",
            given=(_g, _v),
            left=lambda c, g, v: c.sum(
                lambda j: c.sum(lambda k: v[j] * _entry(c, g, j, k) * v[k], over=g),
                over=g,
            ),
            relation="=",
            right=_spread,
            numeric=True,
            steps=(
                Step(
                    lambda c, g, v: c.sum(lambda j: _s(c, g, j) * v[j] ** 2, over=g) - _mean(c, g, v) ** 2,
                    ("sum_linear", "delta"),
                    "The mean of the squares less the square of the mean.",
                ),
                Step(
                    _spread,
                    ("sum_linear", "cancel"),
                    "The probabilities sum to 1.",
                ),
            ),
        ),
        Part(
            id="nll-convex",
            words="It is never negative: the loss is convex.",
            given=(_g, _v),
            left=lambda c, g, v: c.number(0),
            relation="<=",
            right=_spread,
            numeric=True,
            steps=(
                Step(
                    _spread,
                    (),
                    "A sum of squares with positive weights.",
                    "<=",
                    _spread,
                ),
            ),
        ),
    ),
)


fisher_information = Claim(
    id="fisher-information",
    section=SECTION,
    words="The Fisher information of the categorical distribution in its logits is diag(s) - s s^T, the "
    "Hessian of the loss.",
    assumptions=("g is finite and real", "s = softmax(g), and the label is drawn from s"),
    parts=(
        Part(
            id="fisher-score-mean",
            words="The expected gradient of the loss is 0.",
            given=(_g, _j),
            left=lambda c, g, j: c.sum(lambda y: _s(c, g, y) * (_s(c, g, j) - c.equal(j, y)), over=g),
            relation="=",
            right=lambda c, g, j: c.number(0),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, j: c.number(0),
                    ("sum_linear", "delta", "cancel"),
                    "The probabilities sum to 1, and the label is j with probability s_j.",
                ),
            ),
        ),
        Part(
            id="fisher-information",
            words="The expected product of two entries of the gradient.",
            given=(_g, _j, _k),
            left=lambda c, g, j, k: c.sum(
                lambda y: _s(c, g, y) * (_s(c, g, j) - c.equal(j, y)) * (_s(c, g, k) - c.equal(k, y)), over=g
            ),
            relation="=",
            right=_entry,
            numeric=True,
            steps=(
                Step(
                    _entry,
                    ("sum_linear", "delta", "cancel"),
                    "Expand; the probabilities sum to 1, and both labels are met only for j = k.",
                ),
            ),
        ),
    ),
)

CLAIMS = (nll_hessian, fisher_information)
