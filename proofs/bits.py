"""Bits: what a mean number of bits says about the probabilities, and 2^-5."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs.formulas import half_to
from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import probability
from verify.operations.bits import bits
from verify.operations.perplexity import perplexity

_BITS = "Compression and bits"


_r = probability("r", "n")


def _mean(c: Any, values: Any) -> Any:
    return c.sum(lambda i: values[i], over=values) / c.count(values)


def _mean_bits(c: Any, r: Any) -> Any:
    return c.sum(lambda i: c.call(bits, r[i]), over=r) / c.count(r)


_geometric = Claim(
    id="bits-per-word-geometric",
    section=_BITS,
    words="b bits a word on average means that the geometric mean of the probabilities is 2^-b; "
    "the perplexity is 2^b.",
    assumptions=("every word got a probability > 0",),
    parts=(
        Part(
            id="bits-per-word-geometric",
            words="Two to the power of minus the mean number of bits is the geometric mean.",
            given=(_r,),
            left=lambda c, r: half_to(c, _mean_bits(c, r)),
            relation="=",
            right=lambda c, r: c.exp(c.sum(lambda i: c.log(r[i]), over=r) / c.count(r)),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: c.exp(c.sum(lambda i: c.log(r[i]), over=r) / c.count(r)),
                    ("sum_linear", "cancel"),
                    "A bit is a factor of 2: log 2 drops out of the exponent.",
                ),
            ),
        ),
        Part(
            id="perplexity-in-bits",
            words="The perplexity is two to the power of the mean number of bits.",
            given=(_r,),
            left=lambda c, r: c.call(perplexity, r),
            relation="=",
            right=lambda c, r: c.exp(_mean_bits(c, r) * c.log(2)),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: c.exp(_mean_bits(c, r) * c.log(2)),
                    ("sum_linear", "cancel"),
                    "The mean negative log-likelihood is the mean number of bits times log 2.",
                ),
            ),
        ),
        Part(
            id="geometric-at-most-arithmetic",
            words="The arithmetic mean is never smaller: its logarithm is at least that of the "
            "geometric mean.",
            given=(_r,),
            left=lambda c, r: c.sum(lambda i: c.log(r[i]), over=r) / c.count(r),
            relation="<=",
            right=lambda c, r: c.log(_mean(c, r)),
            numeric=True,
            steps=(
                Step(
                    lambda c, r: c.log(_mean(c, r)),
                    ("sum_linear", "sum_const", "log_mul", "cancel"),
                    "log t <= t - 1 at t = r_i divided by the mean; the sum of the t - 1 is 0.",
                    "<=",
                    lambda c, r: c.sum(lambda i: c.gap("log_le", r[i] / _mean(c, r)), over=r) / c.count(r),
                ),
            ),
        ),
    ),
)

bits_per_word = Claim(
    id="bits-per-word",
    section=_BITS,
    words="A model that needs 2 bits per word gave the correct word probability 2^-2 = 0.25 on average.",
    assumptions=("on average: the arithmetic mean over the words",),
    literal=Part(
        id="bits-per-word",
        words="The arithmetic mean of the probabilities is 2 to the power of minus the mean number of bits.",
        given=(_r,),
        left=lambda c, r: _mean(c, r),
        relation="=",
        right=lambda c, r: half_to(c, _mean_bits(c, r)),
    ),
    witness=Witness(
        (("n", 2),),
        (("r", (Fraction(1, 2), Fraction(1, 8))),),
        "1 bit and 3 bits, 2 on average; the mean probability is 5/16 = 0.3125",
    ),
    corrected=_geometric,
    holds_when=(
        Part(
            id="equal-probabilities",
            words="It holds where every word got the same probability a.",
            given=(_r, probability("a")),
            hypotheses=(
                Hypothesis("all_equal", lambda c, r, a, i: r[i], "=", lambda c, r, a, i: a, over="n"),
            ),
            left=lambda c, r, a: _mean(c, r),
            relation="=",
            right=lambda c, r, a: half_to(c, _mean_bits(c, r)),
            numeric=True,
            steps=(
                Step(
                    lambda c, r, a: a,
                    ("hyp:all_equal", "sum_const", "cancel"),
                    "The mean of n equal numbers.",
                ),
                Step(lambda c, r, a: c.exp(c.log(a)), ("exp_log",), "a is positive."),
                Step(
                    lambda c, r, a: half_to(c, _mean_bits(c, r)),
                    ("hyp:all_equal", "sum_const", "cancel"),
                    "Every word costs -log2 a bits.",
                ),
            ),
        ),
    ),
)

five_bits = Claim(
    id="five-bits-is-2^-5",
    section=_BITS,
    words="2^-5 = 0.03125.",
    parts=(
        Part(
            id="five-bits-is-2^-5",
            words="Two to the power of -5.",
            given=(),
            left=lambda c: half_to(c, c.number(5)),
            relation="=",
            right=lambda c: c.number(Fraction("0.03125")),
            numeric=True,
            steps=(
                Step(lambda c: c.number(Fraction(1, 32)), ("exp_log",), "e^(-5 log 2) is 1 over 2^5 = 32."),
            ),
        ),
        Part(
            id="five-bits",
            words="An event of probability 0.03125 carries 5 bits.",
            given=(),
            left=lambda c: c.call(bits, c.number(Fraction("0.03125"))),
            relation="=",
            right=lambda c: c.number(5),
            numeric=True,
            steps=(
                Step(
                    lambda c: 5 * c.log(2) / c.log(2),
                    ("log_mul",),
                    "0.03125 is 1/32, and log 32 is 5 log 2.",
                ),
                Step(lambda c: c.number(5), ("cancel",), "log 2 is not 0."),
            ),
        ),
    ),
)
