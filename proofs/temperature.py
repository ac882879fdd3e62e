"""Temperature: softmax of g/T, its gradient, and what becomes of it as T grows."""

from __future__ import annotations

from typing import Any

from proofs.logit_gradients import SECTION
from proofs.row_gradients import temperature_part
from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import index, nonnegative, positive, real
from verify.operations.loss_derivatives import tempered_cross_entropy_derivative
from verify.operations.softmax import softmax

_g = real("g", "n")
_y = index("y", "n")
_j = index("j", "n")
_t = positive("T")
_r = nonnegative("r")


def _over(c: Any, g: Any, t: Any) -> Any:
    return c.family(lambda i: g[i] / t, over=g)


def _s(c: Any, g: Any, t: Any, j: Any) -> Any:
    return c.call(softmax, _over(c, g, t))[j]


def _total(c: Any, g: Any, t: Any) -> Any:
    return c.sum(lambda i: c.exp(g[i] / t), over=g)


_ABOVE = Hypothesis(
    "within", lambda c, g, t, r, j, i: g[i] - g[j], "<=", lambda c, g, t, r, j, i: r, over="n"
)
_BELOW = Hypothesis(
    "within", lambda c, g, t, r, j, i: g[j] - g[i], "<=", lambda c, g, t, r, j, i: r, over="n"
)

temperature = Claim(
    id="temperature",
    section=SECTION,
    words="With the logits divided by T, the gradient of the loss gets the factor 1/T; as T grows, softmax "
    "becomes uniform.",
    assumptions=("g is finite and real", "T > 0", "no two logits are further apart than r"),
    parts=(
        Part(
            id="temperature",
            words="The gradient by each logit: that at g/T, divided by T.",
            given=(_g, _y, _t, _j),
            left=lambda c, g, y, t, j: c.call(tempered_cross_entropy_derivative, g, j, y, t),
            relation="=",
            right=lambda c, g, y, t, j: (_s(c, g, t, j) - c.equal(j, y)) / t,
            numeric=True,
            steps=(
                Step(
                    lambda c, g, y, t, j: (_s(c, g, t, j) - c.equal(j, y)) / t,
                    ("derivative", "delta", "cancel"),
                    "The inner derivative is 1/T for the logit itself.",
                ),
            ),
        ),
        Part(
            id="temperature-at-least",
            words="Every probability is at least e^(-r/T)/n, which tends to 1/n as T grows.",
            given=(_g, _t, _r, _j),
            hypotheses=(_ABOVE,),
            left=lambda c, g, t, r, j: c.exp(-r / t) / c.count(g),
            relation="<=",
            right=lambda c, g, t, r, j: _s(c, g, t, j),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, t, r, j: _s(c, g, t, j),
                    ("sum_linear", "sum_const", "exp_add", "cancel"),
                    "Each e^(g_i/T) is at most e^((g_j + r)/T).",
                    "<=",
                    lambda c, g, t, r, j: (
                        c.exp(-r / t)
                        * c.sum(lambda i: c.gap("exp_mono", g[i] / t, (g[j] + r) / t), over=g)
                        / (c.count(g) * _total(c, g, t))
                    ),
                ),
            ),
        ),
        Part(
            id="temperature-at-most",
            words="Every probability is at most e^(r/T)/n, which tends to 1/n as T grows.",
            given=(_g, _t, _r, _j),
            hypotheses=(_BELOW,),
            left=lambda c, g, t, r, j: _s(c, g, t, j),
            relation="<=",
            right=lambda c, g, t, r, j: c.exp(r / t) / c.count(g),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, t, r, j: c.exp(r / t) / c.count(g),
                    ("sum_linear", "sum_const", "exp_add", "cancel"),
                    "Each e^(g_i/T) is at least e^((g_j - r)/T).",
                    "<=",
                    lambda c, g, t, r, j: (
                        c.exp(r / t)
                        * c.sum(lambda i: c.gap("exp_mono", (g[j] - r) / t, g[i] / t), over=g)
                        / (c.count(g) * _total(c, g, t))
                    ),
                ),
            ),
        ),
        temperature_part,
    ),
)
