"""Gradients of functions of rows of scores: softmax and its kin, and the losses of logits and labels."""

from __future__ import annotations

from proofs.derivatives import (
    ALONG,
    BATCH,
    CLASS_WEIGHTS,
    ENTRIES,
    KEPT,
    KEPT_ROWS,
    POSITIVE_TARGET,
    ROW,
    SMOOTHING,
    Case,
    gradient_claim,
    gradient_part,
    some_weight,
)
from verify.claim import Claim, Part
from verify.domain import nonnegative, positive, real
from verify.operation import Operation
from verify.operations.binary_cross_entropy import binary_cross_entropy_with_logits
from verify.operations.cross_entropy_with_logits import cross_entropy_with_logits
from verify.operations.cross_entropy_with_softcap import cross_entropy_with_softcap
from verify.operations.cross_entropy_with_temperature import cross_entropy_with_temperature
from verify.operations.cross_entropy_with_z_loss import cross_entropy_with_z_loss
from verify.operations.linear_cross_entropy import linear_cross_entropy
from verify.operations.log_softmax import log_softmax
from verify.operations.logsumexp import logsumexp
from verify.operations.nll import nll
from verify.operations.perplexity_with_logits import perplexity_with_logits
from verify.operations.softmax import softmax

_ALONG = Case(ALONG)
_LABEL = (CLASS_WEIGHTS, KEPT)
_LABELS = (CLASS_WEIGHTS, KEPT_ROWS)
_SHARES = {**ROW, "target": "shares"}
_TEMPERATURE = positive("temperature", latex="T")
_CAP = positive("softcap", latex="s")
_QUOTIENT = "Differentiate the quotient of the exponential and the sum; the sum over [i = j] keeps one term."
_MEAN = "Only the loss of row m depends on it; its gradient is divided by the weight of the rows that count."

_SOFTMAX = (
    gradient_claim(
        softmax,
        "input",
        "The gradient of softmax along u is s_j (u_j - sum of u_i s_i).",
        gradient_part(
            softmax, "input", "For every n.", _ALONG, "delta", "sum_linear", "cancel", why=_QUOTIENT
        ),
    ),
    gradient_claim(
        log_softmax,
        "input",
        "The gradient of log softmax along u is u_j - s_j (sum of u_i).",
        gradient_part(
            log_softmax, "input", "For every n.", _ALONG, "delta", "sum_linear", "cancel", why=_QUOTIENT
        ),
    ),
    gradient_claim(
        logsumexp,
        "input",
        "The gradient of logsumexp is softmax.",
        gradient_part(
            logsumexp,
            "input",
            "For every n.",
            Case({**ALONG, "keepdim": False}),
            "delta",
            why="The derivative of the sum, e^x_j, over the sum.",
        ),
    ),
)


def batch_mean(operation: Operation, tensor: str, *rules: str, labels: int, smoothed: bool = True) -> Part:
    """The statement for the mean over a batch, by weights, of which some are not zero."""
    symbols = (SMOOTHING,) if smoothed else ()
    case = Case(BATCH, symbols, _LABELS, (some_weight(labels),))
    words = "For the mean over a batch, whatever rows count and whatever the class weights."
    return gradient_part(operation, tensor, words, case, "delta", *rules, why=_MEAN, form="mean")


nll_parts: tuple[Part, ...] = (
    gradient_part(
        cross_entropy_with_logits,
        "input",
        "For one row: the class weights times the smoothed label in the place of the label.",
        Case(ROW, (SMOOTHING,), _LABEL),
        "delta",
        "sum_linear",
        "cancel",
        form="row",
        why="Each log softmax by itself; the factors of the label and of the classes come out of the sums.",
    ),
    batch_mean(cross_entropy_with_logits, "input", "sum_linear", "cancel", labels=1),
)
"""The gradient of cross-entropy with labels by the logits, as its contract has it."""

soft_target_part = gradient_part(
    cross_entropy_with_logits,
    "input",
    "With class weights and smoothing, for any numbers as target.",
    Case(_SHARES, (SMOOTHING,), (real("target", "C", latex="t"), *_LABEL)),
    "delta",
    "sum_linear",
    "cancel",
    form="shares",
)
"""The gradient of cross-entropy with class probabilities by the logits, as its contract has it."""

bce_part = gradient_part(
    binary_cross_entropy_with_logits,
    "input",
    "With a weight for each entry and a pos_weight for each column.",
    Case(ENTRIES, declared=(nonnegative("pos_weight", "C", latex="p"),)),
    "delta",
    "sum_linear",
    "exp_add",
    "cancel",
    form="entries",
    why="1 - sigma(z) = sigma(-z); each logarithm by itself.",
)

z_loss_part = gradient_part(
    cross_entropy_with_z_loss,
    "input",
    "Cross-entropy plus any multiple of the squared logsumexp: the softmax times 1 + 2 zeta logsumexp.",
    Case(ENTRIES, (real("z_loss", latex=r"\zeta"),)),
    "delta",
    "cancel",
)

temperature_part = gradient_part(
    cross_entropy_with_temperature,
    "input",
    "The gradient of the loss of x/T is that at x/T, divided by T.",
    Case(ENTRIES, (_TEMPERATURE,)),
    "delta",
    "cancel",
)

_LOSSES = (
    gradient_claim(
        nll,
        "input",
        "The loss of log-probabilities has the gradient -[j = y].",
        gradient_part(nll, "input", "For one row.", Case(ROW, declared=_LABEL)),
        batch_mean(nll, "input", "cancel", labels=1, smoothed=False),
    ),
    gradient_claim(
        cross_entropy_with_logits,
        "target",
        "By the target probability of a class, cross-entropy has the derivative -log s_j, times the weight "
        "of the class and what smoothing leaves to the target.",
        gradient_part(
            cross_entropy_with_logits,
            "target",
            "For one row.",
            Case(_SHARES, (SMOOTHING,), (POSITIVE_TARGET, *_LABEL)),
            "delta",
            "sum_linear",
        ),
    ),
    gradient_claim(
        cross_entropy_with_softcap,
        "input",
        "Through the softcap s tanh(x/s), the gradient is that at the capped logits times 1 - tanh^2(x_j/s).",
        gradient_part(
            cross_entropy_with_softcap,
            "input",
            "tanh(a) is written 1 - 2/(e^2a + 1), and 1 - tanh(a)^2 as 4/(e^2a + 2 + e^-2a).",
            Case(ENTRIES, (_CAP,)),
            "delta",
            "delta_swap",
            "cancel",
            why="The outer derivative times the inner one; beside [j = y] the logit of y is that of j.",
        ),
    ),
    gradient_claim(
        perplexity_with_logits,
        "input",
        "The gradient of perplexity is that of the mean loss, times the perplexity.",
        batch_mean(perplexity_with_logits, "input", "sum_linear", "cancel", labels=1, smoothed=False),
    ),
)


def _linear(tensor: str, words: str) -> Claim:
    """Logits that are products: what reaches them, through the product."""
    case = Case({**ROW, "linear_bias": True}, (SMOOTHING,), _LABEL)
    return gradient_claim(
        linear_cross_entropy,
        tensor,
        words,
        gradient_part(
            linear_cross_entropy,
            tensor,
            "For one row, with a bias, class weights and smoothing.",
            case,
            "delta",
            "sum_linear",
            "cancel",
            why="The gradient in the logits, each times the derivative of its product.",
        ),
    )


_LINEAR = (
    _linear(
        "input", "By the hidden vector h, the gradient is the class vectors weighted by that in the logits."
    ),
    _linear("linear_weight", "By the entry (j, k) of the class vectors, it is that in logit j times h_k."),
    _linear("linear_bias", "By the bias of a class, it is that in its logit."),
)

CLAIMS: tuple[Claim, ...] = (*_SOFTMAX, *_LOSSES, *_LINEAR)
