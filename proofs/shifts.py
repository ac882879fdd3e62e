"""Softmax and logsumexp moved, bounded and measured: what every stable implementation rests on."""

from __future__ import annotations

from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step
from verify.domain import index, real
from verify.operations.entropy import entropy
from verify.operations.logsumexp import logsumexp
from verify.operations.softmax import softmax

SECTION = "Beyond the article: softmax and logsumexp"

_g = real("g", "n")
_a = real("a")
_m = real("m")
_j = index("j", "n")
_k = index("k", "n")

_BOUND = Hypothesis("bound", lambda c, g, m, i: g[i], "<=", lambda c, g, m, i: m, over="n")
_LARGEST = Hypothesis("largest", lambda c, g, k, i: g[i], "<=", lambda c, g, k, i: g[k], over="n")


def _moved(c: Any, g: Any, a: Any) -> Any:
    return c.family(lambda i: g[i] + a, over=g)


def _shares(c: Any, g: Any, m: Any) -> Any:
    """The sum of the exponentials of g_i - m."""
    return c.sum(lambda i: c.exp(g[i] - m), over=g)


def _others(c: Any, g: Any, k: Any) -> Any:
    """The sum of the exponentials of all entries but the one at k."""
    return c.sum(lambda i: (1 - c.equal(i, k)) * c.exp(g[i]), over=g)


def _mean(c: Any, g: Any) -> Any:
    """The mean of g under its softmax."""
    return c.sum(lambda i: c.call(softmax, g)[i] * g[i], over=g)


softmax_shift_invariance = Claim(
    id="softmax-shift-invariance",
    section=SECTION,
    words="Adding one number to all logits leaves softmax as it is: the justification of the shift by the "
    "maximum that every implementation uses.",
    assumptions=("g is finite and real", "exact arithmetic: rounded logits may move by an ulp of the shift"),
    parts=(
        Part(
            id="softmax-shift-invariance",
            words="Every entry is the same.",
            given=(_g, _a, _j),
            left=lambda c, g, a, j: c.call(softmax, _moved(c, g, a))[j],
            relation="=",
            right=lambda c, g, a, j: c.call(softmax, g)[j],
            numeric=True,
            steps=(
                Step(
                    lambda c, g, a, j: (
                        c.exp(a) * c.exp(g[j]) / c.sum(lambda i: c.exp(a) * c.exp(g[i]), over=g)
                    ),
                    ("exp_add",),
                    "e^(g_i + a) = e^a e^(g_i).",
                ),
                Step(
                    lambda c, g, a, j: c.call(softmax, g)[j],
                    ("sum_linear", "cancel"),
                    "The factor e^a comes out of the sum and cancels.",
                ),
            ),
        ),
    ),
)

logsumexp_max_shift = Claim(
    id="logsumexp-max-shift",
    section=SECTION,
    words="logsumexp(g) = m + logsumexp(g - m), for any m.",
    assumptions=("g and m are finite and real",),
    parts=(
        Part(
            id="logsumexp-max-shift",
            words="A number comes out of logsumexp as it is.",
            given=(_g, _m),
            left=lambda c, g, m: c.call(logsumexp, g),
            relation="=",
            right=lambda c, g, m: m + c.call(logsumexp, c.family(lambda i: g[i] - m, over=g)),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, m: c.log(c.sum(lambda i: c.exp(m) * c.exp(g[i] - m), over=g)),
                    ("exp_add",),
                    "e^(g_i) = e^m e^(g_i - m).",
                ),
                Step(
                    lambda c, g, m: m + c.call(logsumexp, c.family(lambda i: g[i] - m, over=g)),
                    ("sum_linear", "log_mul", "log_exp"),
                    "The factor e^m comes out of the sum; the logarithm of a product.",
                ),
            ),
        ),
    ),
)

logsumexp_bounds = Claim(
    id="logsumexp-bounds",
    section=SECTION,
    words="max g <= logsumexp(g) <= max g + log n.",
    assumptions=("g is finite and real", "the maximum is the entry that is an upper bound of all"),
    parts=(
        Part(
            id="logsumexp-at-least",
            words="logsumexp is at least every entry, and so at least the largest.",
            given=(_g, _k),
            left=lambda c, g, k: g[k],
            relation="<=",
            right=lambda c, g, k: c.call(logsumexp, g),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, k: c.log(c.exp(g[k])),
                    ("log_exp",),
                    "The logarithm undoes the exponential.",
                ),
                Step(
                    lambda c, g, k: c.log(c.exp(g[k]) + _others(c, g, k)),
                    (),
                    "The other exponentials are positive, and the logarithm is increasing.",
                    "<=",
                    lambda c, g, k: c.gap("log_mono", c.exp(g[k]), c.exp(g[k]) + _others(c, g, k)),
                ),
                Step(
                    lambda c, g, k: c.call(logsumexp, g),
                    ("sum_linear", "delta"),
                    "Together they are the whole sum.",
                ),
            ),
        ),
        Part(
            id="logsumexp-at-most",
            words="It is at most any upper bound m plus log n, and so at most the largest entry plus log n.",
            given=(_g, _m),
            hypotheses=(_BOUND,),
            left=lambda c, g, m: c.call(logsumexp, g),
            relation="<=",
            right=lambda c, g, m: m + c.log(c.count(g)),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, m: c.log(c.sum(lambda i: c.exp(m) * c.exp(g[i] - m), over=g)),
                    ("exp_add",),
                    "e^(g_i) = e^m e^(g_i - m).",
                ),
                Step(
                    lambda c, g, m: m + c.log(c.count(g)) + _shares(c, g, m) / c.count(g) - 1,
                    ("sum_linear", "log_mul", "log_exp"),
                    "log t <= t - 1 for t the mean of the e^(g_i - m).",
                    "<=",
                    lambda c, g, m: c.gap("log_le", _shares(c, g, m) / c.count(g)),
                ),
                Step(
                    lambda c, g, m: m + c.log(c.count(g)),
                    ("sum_linear", "sum_const", "cancel", "exp_add"),
                    "Each e^(g_i - m) is at most 1.",
                    "<=",
                    lambda c, g, m: (
                        c.sum(lambda i: c.gap("exp_mono", g[i] - m, c.number(0)), over=g) / c.count(g)
                    ),
                ),
            ),
        ),
    ),
)

softmax_entropy = Claim(
    id="softmax-entropy",
    section=SECTION,
    words="The entropy of softmax(g) is logsumexp(g) - sum s_i g_i.",
    assumptions=("g is finite and real", "s = softmax(g)"),
    parts=(
        Part(
            id="softmax-entropy",
            words="How fused kernels compute the entropy of a policy.",
            given=(_g,),
            left=lambda c, g: c.call(entropy, c.call(softmax, g)),
            relation="=",
            right=lambda c, g: c.call(logsumexp, g) - _mean(c, g),
            numeric=True,
            steps=(
                Step(
                    lambda c, g: (
                        -c.sum(lambda i: c.call(softmax, g)[i] * (g[i] - c.call(logsumexp, g)), over=g)
                    ),
                    ("xlogy", "log_mul", "log_exp"),
                    "log s_i = g_i - logsumexp(g).",
                ),
                Step(
                    lambda c, g: c.call(logsumexp, g) - _mean(c, g),
                    ("sum_linear", "cancel"),
                    "The probabilities sum to 1.",
                ),
            ),
        ),
    ),
)

mean_gap = Claim(
    id="mean-gap",
    section=SECTION,
    words="The mean distance of the logits from the largest is H(s) - (logsumexp(g) - max g), at most log n.",
    assumptions=("g is finite and real", "s = softmax(g)"),
    parts=(
        Part(
            id="mean-gap",
            words="The mean distance under s from any m.",
            given=(_g, _m),
            left=lambda c, g, m: c.sum(lambda i: c.call(softmax, g)[i] * (m - g[i]), over=g),
            relation="=",
            right=lambda c, g, m: c.call(entropy, c.call(softmax, g)) - (c.call(logsumexp, g) - m),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, m: m - _mean(c, g),
                    ("sum_linear", "cancel"),
                    "The probabilities sum to 1.",
                ),
                Step(
                    lambda c, g, m: c.call(entropy, c.call(softmax, g)) - (c.call(logsumexp, g) - m),
                    ("sum_linear", "xlogy", "log_mul", "log_exp", "cancel"),
                    "The entropy of softmax is logsumexp(g) - sum s_i g_i.",
                ),
            ),
        ),
        Part(
            id="mean-gap-at-most",
            words="From an entry, and so from the largest, it is at most log n.",
            given=(_g, _k),
            left=lambda c, g, k: c.sum(lambda i: c.call(softmax, g)[i] * (g[k] - g[i]), over=g),
            relation="<=",
            right=lambda c, g, k: c.log(c.count(g)),
            numeric=True,
            steps=(
                Step(
                    lambda c, g, k: c.call(entropy, c.call(softmax, g)) + c.log(c.call(softmax, g)[k]),
                    ("sum_linear", "xlogy", "log_mul", "log_exp", "cancel"),
                    "Less the logsumexp, g_k is the logarithm of its probability.",
                ),
                Step(
                    lambda c, g, k: c.log(c.count(g)) + c.log(c.call(softmax, g)[k]),
                    ("sum_linear", "sum_const", "xlogy", "log_mul", "cancel"),
                    "The entropy is at most log n: log t <= t - 1 for t = 1/(n s_i), times s_i, summed.",
                    "<=",
                    lambda c, g, k: c.sum(
                        lambda i: (
                            c.call(softmax, g)[i] * c.gap("log_le", 1 / (c.count(g) * c.call(softmax, g)[i]))
                        ),
                        over=g,
                    ),
                ),
                Step(
                    lambda c, g, k: c.log(c.count(g)),
                    ("sum_linear", "delta", "log_mul"),
                    "A probability is at most 1, and its logarithm at most 0.",
                    "<=",
                    lambda c, g, k: c.gap("log_mono", c.exp(g[k]), c.exp(g[k]) + _others(c, g, k)),
                ),
            ),
        ),
    ),
)

CLAIMS = (
    softmax_shift_invariance,
    logsumexp_max_shift,
    logsumexp_bounds,
    softmax_entropy,
    mean_gap,
)
