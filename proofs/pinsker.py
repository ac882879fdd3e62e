"""Pinsker's inequality: what a divergence says about the probabilities of events."""

from __future__ import annotations

from typing import Any

from proofs.inequalities import SECTION
from verify.claim import Citation, Claim, Part, Step
from verify.domain import distribution, index
from verify.operations.kl_div import kl_div

_p = distribution("p", "n")
_p1 = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)

_pinsker = Citation(
    "Pinsker's inequality",
    "Cover and Thomas, Elements of Information Theory, 2nd edition, lemma 11.6.1",
)


def _difference(c: Any, p: Any, q: Any, f: Any) -> Any:
    """P(A) - Q(A) for the event A of the outcomes that f gives the label 2."""
    return c.sum(lambda i: c.equal(f[i], 2) * (p[i] - q[i]), over=p)


def _root(c: Any, x: Any) -> Any:
    """The square root of a positive number."""
    return c.exp(c.log(x) / 2)


def _less(c: Any, p: Any, q: Any, i: Any) -> Any:
    return _root(c, p[i]) - _root(c, q[i])


def _more(c: Any, p: Any, q: Any, i: Any) -> Any:
    return _root(c, p[i]) + _root(c, q[i])


def _side(c: Any, f: Any, i: Any) -> Any:
    """1 inside the event and -1 outside."""
    return 2 * c.equal(f[i], 2) - 1


def _hellinger(c: Any, p: Any, q: Any) -> Any:
    return c.sum(lambda i: _less(c, p, q, i) ** 2, over=p)


_pinsker_by_roots = Part(
    id="pinsker-by-roots",
    words="With half the constant it is proved: (P(A) - Q(A))^2 <= KL(p, q), for p > 0.",
    given=(_p1, _q, index("f", 2, "n")),
    left=lambda c, p, q, f: _difference(c, p, q, f) ** 2,
    relation="<=",
    right=lambda c, p, q, f: c.call(kl_div, p, q),
    numeric=True,
    steps=(
        Step(
            lambda c, p, q, f: (c.sum(lambda i: _side(c, f, i) * (p[i] - q[i]), over=p) / 2) ** 2,
            ("sum_linear", "hyp:sum_p", "hyp:sum_q"),
            "Outside the event the difference is the same with the other sign.",
        ),
        Step(
            lambda c, p, q, f: (
                (c.sum(lambda i: _side(c, f, i) * _less(c, p, q, i) * _more(c, p, q, i), over=p) / 2) ** 2
            ),
            ("exp_add", "exp_log"),
            "p - q = (sqrt p - sqrt q)(sqrt p + sqrt q).",
        ),
        Step(
            lambda c, p, q, f: _hellinger(c, p, q) * c.sum(lambda i: _more(c, p, q, i) ** 2, over=p) / 4,
            ("sum_linear", "delta"),
            "The inequality of Cauchy and Schwarz, by a sum of squares.",
            "<=",
            lambda c, p, q, f: (
                c.sum(
                    lambda i: c.sum(
                        lambda j: (
                            (
                                _side(c, f, i) * _less(c, p, q, i) * _more(c, p, q, j)
                                - _side(c, f, j) * _less(c, p, q, j) * _more(c, p, q, i)
                            )
                            ** 2
                        ),
                        over=p,
                    ),
                    over=p,
                )
                / 8
            ),
        ),
        Step(
            lambda c, p, q, f: _hellinger(c, p, q),
            ("sum_linear", "exp_add", "exp_log", "hyp:sum_p", "hyp:sum_q"),
            "The squares of the sums and of the differences of the roots add to 4.",
            "<=",
            lambda c, p, q, f: _hellinger(c, p, q) ** 2 / 4,
        ),
        Step(
            lambda c, p, q, f: c.sum(lambda i: 2 * p[i] - 2 * _root(c, p[i]) * _root(c, q[i]), over=p),
            ("sum_linear", "exp_add", "exp_log", "hyp:sum_p", "hyp:sum_q"),
            "Expand the square; both distributions sum to 1.",
        ),
        Step(
            lambda c, p, q, f: c.call(kl_div, p, q),
            ("sum_linear", "xlogy", "log_mul", "log_exp", "exp_add", "exp_log", "cancel"),
            "log t <= t - 1 at t = sqrt q_i / sqrt p_i, times 2 p_i, summed.",
            "<=",
            lambda c, p, q, f: c.sum(
                lambda i: 2 * p[i] * c.gap("log_le", _root(c, q[i]) / _root(c, p[i])), over=p
            ),
        ),
    ),
)

pinsker_inequality = Claim(
    id="pinsker-inequality",
    section=SECTION,
    words="A small divergence means that no event has very different probabilities: "
    "2 (P(A) - Q(A))^2 <= KL(p, q).",
    assumptions=("q > 0", "0 log 0 = 0", "the event is the set of outcomes with the label 2"),
    parts=(
        Part(
            id="pinsker-inequality",
            words="For every event; the largest difference is the total variation distance.",
            given=(_p, _q, index("f", 2, "n")),
            left=lambda c, p, q, f: 2 * _difference(c, p, q, f) ** 2,
            relation="<=",
            right=lambda c, p, q, f: c.call(kl_div, p, q),
            numeric=True,
            citation=_pinsker,
        ),
        _pinsker_by_roots,
    ),
)

CLAIMS = (pinsker_inequality,)
