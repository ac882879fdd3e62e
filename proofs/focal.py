"""Focal loss: it is not proper, and what its minimiser says about the true probabilities."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs.scoring import SECTION
from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, index, nonnegative, positive, probability
from verify.operations.focal_loss import focal_loss, focal_loss_derivative, focus

_p = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)
_gamma = nonnegative("gamma", latex=r"\gamma")


def _inner(c: Any, q: Any, gamma: Any) -> Any:
    """1 - q - gamma q log q, which is > 0."""
    return 1 - q - gamma * q * c.log(q)


def _phi(c: Any, q: Any, gamma: Any) -> Any:
    """(1 - q)^(gamma - 1) times 1 - q - gamma q log q."""
    return focus(c, q, gamma) / (1 - q) * _inner(c, q, gamma)


def _share(c: Any, q: Any, gamma: Any) -> Any:
    """q/phi(q)."""
    return q * (1 - q) / focus(c, q, gamma) / _inner(c, q, gamma)


def _expected(c: Any, p: Any, q: Any, gamma: Any) -> Any:
    return c.sum(lambda i: p[i] * focal_loss(c, q[i], gamma), over=q)


def _scale(c: Any, q: Any, gamma: Any) -> Any:
    return c.sum(lambda i: _share(c, q[i], gamma), over=q)


def _unsure(name: str, which: int) -> Hypothesis:
    """Every probability is below 1."""
    return Hypothesis(name, lambda c, *v: v[which][v[-1]], "<", lambda c, *v: c.number(1), over="n")


_UNSURE = (_unsure("p_unsure", 0), _unsure("q_unsure", 1))

_recalibrated = Claim(
    id="focal-loss-minimiser",
    section=SECTION,
    words="The prediction q is stationary for labels drawn from p proportional to q/phi(q), where phi(q) = "
    "(1 - q)^(gamma - 1) (1 - q - gamma q log q): what focal loss learns has to be mapped back.",
    assumptions=("0 < q < 1", "gamma >= 0"),
    parts=(
        Part(
            id="focal-loss-derivative",
            words="The derivative of focal loss by the probability of the label is -phi(q)/q.",
            given=(probability("q"), _gamma),
            left=lambda c, q, gamma: c.call(focal_loss_derivative, q, gamma),
            relation="=",
            right=lambda c, q, gamma: -_phi(c, q, gamma) / q,
            numeric=True,
            steps=(
                Step(
                    lambda c, q, gamma: -_phi(c, q, gamma) / q,
                    ("derivative", "cancel"),
                    "The derivative of the product.",
                ),
            ),
        ),
        Part(
            id="focal-loss-minimiser",
            words="For such p, all partial derivatives of the expected loss are equal: no move along the "
            "simplex changes it to first order.",
            given=(probability("p", "n"), probability("q", "n"), _gamma, index("j", "n")),
            hypotheses=(
                Hypothesis(
                    "recalibrated",
                    lambda c, p, q, gamma, j, i: p[i],
                    "=",
                    lambda c, p, q, gamma, j, i: _share(c, q[i], gamma) / _scale(c, q, gamma),
                    over="n",
                ),
            ),
            left=lambda c, p, q, gamma, j: c.derivative(lambda c, q: _expected(c, p, q, gamma), q, j),
            relation="=",
            right=lambda c, p, q, gamma, j: -1 / _scale(c, q, gamma),
            unmeasured="torch has no expected focal loss; its partial derivatives are measured one by one in "
            "focal-loss-minimiser-by-label",
            steps=(
                Step(
                    lambda c, p, q, gamma, j: -p[j] * _phi(c, q[j], gamma) / q[j],
                    ("derivative", "delta", "sum_linear", "cancel"),
                    "Only the term of the label itself depends on it.",
                ),
                Step(
                    lambda c, p, q, gamma, j: -1 / _scale(c, q, gamma),
                    ("hyp:recalibrated", "cancel"),
                    "By the choice of p; phi(q) > 0, as log q < 0.",
                ),
            ),
        ),
        Part(
            id="focal-loss-minimiser-by-label",
            words="As torch computes each of them: p_j, which is q/phi(q) over their sum s, times the "
            "derivative of the loss of that label.",
            given=(probability("q"), _gamma, positive("s")),
            left=lambda c, q, gamma, s: _share(c, q, gamma) / s * c.call(focal_loss_derivative, q, gamma),
            relation="=",
            right=lambda c, q, gamma, s: -1 / s,
            numeric=True,
            steps=(
                Step(
                    lambda c, q, gamma, s: _share(c, q, gamma) / s * (-_phi(c, q, gamma) / q),
                    ("derivative", "cancel"),
                    "The derivative of the product.",
                ),
                Step(
                    lambda c, q, gamma, s: -1 / s,
                    ("cancel",),
                    "phi(q) > 0, as log q < 0.",
                ),
            ),
        ),
    ),
)

focal_loss_is_proper = Claim(
    id="focal-loss-is-proper",
    section=SECTION,
    words="The expected focal loss is least for the true distribution.",
    assumptions=("labels are drawn from p", "p < 1 and q < 1, so n >= 2", "gamma >= 0, for example 2"),
    literal=Part(
        id="focal-loss-is-proper",
        words="No prediction has a smaller expected focal loss than p.",
        given=(_p, _q, _gamma),
        hypotheses=_UNSURE,
        left=lambda c, p, q, gamma: _expected(c, p, p, gamma),
        relation="<=",
        right=_expected,
    ),
    witness=Witness(
        (("n", 2),),
        (
            ("p", (Fraction(9, 10), Fraction(1, 10))),
            ("q", (Fraction(4, 5), Fraction(1, 5))),
            ("gamma", Fraction(2)),
        ),
        "the less sure prediction has the smaller loss",
    ),
    corrected=_recalibrated,
    holds_when=(
        Part(
            id="focal-loss-without-focus",
            words="It holds for gamma = 0, where focal loss is the logarithmic loss.",
            given=(_p, _q, _gamma),
            hypotheses=(
                *_UNSURE,
                Hypothesis("no_focus", lambda c, p, q, gamma: gamma, "=", lambda c, p, q, gamma: c.number(0)),
            ),
            left=lambda c, p, q, gamma: _expected(c, p, p, gamma),
            relation="<=",
            right=_expected,
            numeric=True,
            steps=(
                Step(
                    _expected,
                    ("sum_linear", "exp_add", "xlogy", "hyp:no_focus", "hyp:sum_p", "hyp:sum_q"),
                    "p log(p/q) >= p - q, summed; both distributions sum to 1.",
                    "<=",
                    lambda c, p, q, gamma: c.sum(lambda i: c.gap("rel_entr_ge", p[i], q[i]), over=p),
                ),
            ),
        ),
    ),
)

CLAIMS = (focal_loss_is_proper,)
