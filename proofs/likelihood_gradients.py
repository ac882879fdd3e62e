"""Gradients of the losses of normal, Laplace, Poisson and negative binomial distributions."""

from __future__ import annotations

from typing import Any

from proofs.derivatives import ENTRIES, Case, claim_id, gradient_claim, gradient_of, gradient_part
from verify.claim import Claim, Part, Step
from verify.domain import positive, real
from verify.operations.gaussian_nll_loss import gaussian_nll_loss
from verify.operations.laplace_nll import laplace_nll
from verify.operations.negative_binomial_nll import (
    MOST,
    gradient_of_counted,
    logits_gradient,
    loss_of_counted,
    negative_binomial_nll,
)
from verify.operations.poisson_nll_loss import gradient_of_entry, loss_with_constant, poisson_nll_loss

_EPS = positive("eps", latex=r"\epsilon")


def _gaussian(tensor: str, full: bool, *rules: str) -> Part:
    words = "With the constant log(2 pi)/2." if full else "Without the constant."
    case = Case({**ENTRIES, "full": full})
    form = "full" if full else ""
    return gradient_part(gaussian_nll_loss, tensor, words, case, "delta", *rules, form=form)


def _beside(words: str, form: str, side: int) -> Part:
    """The definition itself, with the magnitude as a root of the square, at a distance d > 0 from t."""

    def right(c: Any, t: Any, d: Any, b: Any) -> Any:
        return 1 / b

    return Part(
        id=f"{claim_id(laplace_nll, 'input')}-{form}",
        words=words,
        given=(real("t"), positive("d"), positive("b")),
        left=lambda c, t, d, b: c.derivative(lambda c, d: c.call(laplace_nll, t + side * d, t, b), d),
        relation="=",
        right=right,
        unmeasured="autograd on both sides of t is measured in laplace-nll-input-gradient",
        steps=(
            Step(right, ("derivative", "log_mul", "exp_log", "cancel"), "The root of d^2 is d, for d > 0."),
        ),
    )


_SIGNED = Case({**ENTRIES, "ties": False}, declared=(real("sign", "C", latex="s"),))

_LIKELIHOODS = (
    gradient_claim(
        gaussian_nll_loss,
        "input",
        "The loss of a normal distribution has the derivative (x - t)/v by its mean.",
        *(_gaussian("input", full, "sum_linear", "cancel") for full in (False, True)),
    ),
    gradient_claim(
        gaussian_nll_loss,
        "var",
        "The loss of a normal distribution has the derivative (1 - (x - t)^2/v)/2v by its variance.",
        *(_gaussian("var", full, "sum_linear") for full in (False, True)),
    ),
    gradient_claim(
        laplace_nll,
        "input",
        "The loss of a Laplace distribution has the derivative s/b by its median, s the sign of x - t.",
        gradient_part(laplace_nll, "input", "With |x - t| = s (x - t).", _SIGNED, "delta", "cancel"),
        _beside("Above t, by the distance from it: 1/b.", "above", 1),
        _beside("Below t, by the distance from it, which falls as x grows: 1/b as well.", "below", -1),
    ),
    gradient_claim(
        laplace_nll,
        "scale",
        "The loss of a Laplace distribution has the derivative (1 - |x - t|/b)/b by its scale.",
        gradient_part(laplace_nll, "scale", "With |x - t| = s (x - t).", _SIGNED, "delta", "sum_linear"),
    ),
)

_log_rate = (positive("input", "C", latex="x"), real("target", "C", latex="t"))


def _poisson(log_input: bool) -> Part:
    words = "The input as the log of the rate." if log_input else "The input as the rate, plus any eps > 0."
    case = Case(
        {**ENTRIES, "log_input": log_input, "full": False}, (_EPS,), _log_rate[1:] if log_input else _log_rate
    )
    form = "log" if log_input else "rate"
    return gradient_part(poisson_nll_loss, "input", words, case, "delta", "sum_linear", form=form)


def _poisson_with_constant() -> Part:
    """At one entry: the constant is ``share`` times Stirling's approximation for a count > 0."""
    given = (
        real("x"),
        real("t"),
        real("share", latex=r"\alpha"),
        positive("count", latex="k"),
        real("upstream", latex="u"),
    )
    options = {"log_input": True, "full": True}

    def right(c: Any, x: Any, t: Any, share: Any, count: Any, u: Any) -> Any:
        return gradient_of_entry(c, options, u, x, t)

    return Part(
        id="poisson-nll-loss-gradient-full",
        words="With any multiple of Stirling's approximation, which does not depend on the rate.",
        given=given,
        left=lambda c, x, t, share, count, u: c.derivative(
            lambda c, x: u * loss_with_constant(c, options, x, t, share, count), x
        ),
        relation="=",
        right=right,
        steps=(Step(right, ("derivative",), "Differentiate; the constant drops out."),),
        gradient_of=gradient_of(poisson_nll_loss, "input", {**ENTRIES, **options}),
    )


_counts = (
    positive("r"),
    real("z"),
    real("y"),
    real("counted", MOST, latex="m"),
    real("upstream", latex="u"),
)


def _negative_binomial(tensor: str, *rules: str) -> Part:
    """At one entry: of the k below `MOST`, those below the count are marked by 1, the others by 0."""

    def left(c: Any, r: Any, z: Any, y: Any, counted: Any, u: Any) -> Any:
        marks = [counted[k] for k in range(1, MOST + 1)]
        if tensor == "logits":
            return c.derivative(lambda c, z: u * loss_of_counted(c, r, z, y, marks), z)
        return c.derivative(lambda c, r: u * loss_of_counted(c, r, z, y, marks), r)

    def right(c: Any, r: Any, z: Any, y: Any, counted: Any, u: Any) -> Any:
        if tensor == "logits":
            return logits_gradient(c, {}, u, r, z, y)
        return gradient_of_counted(c, u, r, z, [counted[k] for k in range(1, MOST + 1)])

    return Part(
        id=claim_id(negative_binomial_nll, tensor),
        words=f"For counts up to {MOST}, whatever numbers mark the k below the count.",
        given=_counts,
        left=left,
        relation="=",
        right=right,
        steps=(Step(right, ("derivative", *rules), "Each logarithm by itself."),),
        gradient_of=gradient_of(negative_binomial_nll, tensor, ENTRIES),
    )


_COUNTS = (
    gradient_claim(
        poisson_nll_loss,
        "input",
        "The loss of a Poisson distribution has the derivative e^x - t by the log of its rate.",
        _poisson(True),
        _poisson(False),
        _poisson_with_constant(),
    ),
    gradient_claim(
        negative_binomial_nll,
        "total_count",
        "The loss of a negative binomial distribution has the derivative softplus(z) - sum over k < y of "
        "1/(r + k) by r.",
        _negative_binomial("total_count"),
    ),
    gradient_claim(
        negative_binomial_nll,
        "logits",
        "The loss of a negative binomial distribution has the derivative r sigma(z) - y sigma(-z) by z.",
        _negative_binomial("logits", "exp_add"),
    ),
)

CLAIMS: tuple[Claim, ...] = (*_LIKELIHOODS, *_COUNTS)
