"""Gradients of functions of numbers and of distributions: each is the derivative of its definition."""

from __future__ import annotations

from proofs.derivatives import (
    ALONG,
    ENTRIES,
    POSITIVE_INPUT,
    POSITIVE_TARGET,
    Case,
    gradient_claim,
    gradient_part,
)
from verify.claim import Claim, Part
from verify.domain import nonnegative, positive
from verify.operations.binary_cross_entropy import binary_cross_entropy
from verify.operations.entropy import entropy
from verify.operations.js_divergence import js_divergence
from verify.operations.kl_div import kl_div
from verify.operations.logsigmoid import logsigmoid
from verify.operations.rel_entr import rel_entr
from verify.operations.sigmoid import sigmoid
from verify.operations.softplus import softplus

_NUMBERS = Case(ENTRIES)
_INSIDE = {**ENTRIES, "zeros": False}
_POSITIVE = (POSITIVE_INPUT, POSITIVE_TARGET)
_DISTRIBUTIONS = Case({**ALONG, "zeros": False}, declared=_POSITIVE)
_EACH = "Each logarithm by itself; the sum over [i = j] keeps the term of the entry itself."

_LOGISTIC = (
    gradient_claim(
        sigmoid,
        "input",
        "The derivative of the logistic function is its value times its complement.",
        gradient_part(
            sigmoid,
            "input",
            "sigma'(z) = sigma(z) sigma(-z), entry by entry.",
            _NUMBERS,
            "delta",
            "exp_add",
            "cancel",
            why="The derivative of 1/(1 + e^-z) is e^-z/(1 + e^-z)^2.",
        ),
    ),
    gradient_claim(
        logsigmoid,
        "input",
        "The derivative of log sigma(z) is sigma(-z).",
        gradient_part(
            logsigmoid, "input", "The derivative is sigma(-z), entry by entry.", _NUMBERS, "delta", "exp_add"
        ),
    ),
    gradient_claim(
        softplus,
        "input",
        "The derivative of softplus with the slope beta is sigma(beta z).",
        gradient_part(
            softplus,
            "input",
            "log(1 + e^(beta z))/beta has the derivative sigma(beta z), for every beta > 0.",
            Case(ENTRIES, (positive("beta", latex=r"\beta"),)),
            "delta",
            "exp_add",
            "cancel",
            why="The factor beta of the inner derivative cancels.",
        ),
    ),
    gradient_claim(
        binary_cross_entropy,
        "input",
        "The derivative of binary cross-entropy by the probability f is (1 - t)/(1 - f) - t/f.",
        gradient_part(
            binary_cross_entropy,
            "input",
            "With a weight for each entry, for every 0 < f < 1.",
            Case({**ENTRIES, "hits": False}),
            "delta",
            "sum_linear",
            why=_EACH,
        ),
    ),
)


def _divergence(tensor: str, words: str, form: str, *rules: str, log_target: bool) -> Part:
    options = {**_INSIDE, "log_target": log_target}
    case = Case(options, declared=() if log_target else (POSITIVE_TARGET,))
    return gradient_part(kl_div, tensor, words, case, "delta", *rules, form=form)


_DIVERGENCES = (
    gradient_claim(
        kl_div,
        "input",
        "By x = log q, the divergence has the gradient -p.",
        _divergence("input", "Minus the target.", "", log_target=False),
        _divergence("input", "With a target of logarithms, minus its exponential.", "log", log_target=True),
    ),
    gradient_claim(
        kl_div,
        "target",
        "By p, the divergence has the gradient log p + 1 - x, where x = log q.",
        _divergence("target", "For every p > 0.", "", "sum_linear", "cancel", log_target=False),
        _divergence("target", "By t = log p it is p (t - x + 1).", "log", "sum_linear", log_target=True),
    ),
    gradient_claim(
        rel_entr,
        "input",
        "The derivative of p log(p/q) by p is log p - log q + 1.",
        gradient_part(
            rel_entr,
            "input",
            "For p > 0.",
            Case(_INSIDE, declared=_POSITIVE),
            "delta",
            "sum_linear",
            "cancel",
        ),
    ),
    gradient_claim(
        rel_entr,
        "target",
        "The derivative of p log(p/q) by q is -p/q.",
        gradient_part(
            rel_entr,
            "target",
            "Also where p = 0.",
            Case({**ENTRIES, "zeros": True}, declared=(nonnegative("input", "C"), POSITIVE_TARGET)),
            "delta",
        ),
    ),
    gradient_claim(
        entropy,
        "input",
        "The derivative of entropy by p_j is -(log p_j + 1).",
        gradient_part(entropy, "input", "For p > 0.", _DISTRIBUTIONS, "delta", "sum_linear", "cancel"),
    ),
    *(
        gradient_claim(
            js_divergence,
            tensor,
            f"By its {which} argument, the Jensen-Shannon divergence has the gradient (log p - log m)/2, "
            f"with that argument for p and the midpoint for m.",
            gradient_part(
                js_divergence,
                tensor,
                "For entries > 0.",
                _DISTRIBUTIONS,
                "delta",
                "sum_linear",
                "cancel",
                why="What comes from the midpoint is p/m + q/m = 2 and cancels what p log p leaves over.",
            ),
        )
        for tensor, which in (("input", "first"), ("target", "second"))
    ),
)


CLAIMS: tuple[Claim, ...] = (*_LOGISTIC, *_DIVERGENCES)
