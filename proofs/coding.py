"""Compression: code lengths, and what they have to do with likelihood and divergence."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from proofs.formulas import half_to
from verify.claim import Citation, Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, index, probability, whole
from verify.operations.bits import bits
from verify.operations.entropy import entropy
from verify.operations.kl_div import kl_div

_BITS = "Compression and bits"

_p = distribution("p", "n", positive=True)
_q = distribution("q", "n", positive=True)
_l = whole("l", "n", latex=r"\ell")
_y = index("y", "n")


def _shannon(c: Any, p: Any) -> Any:
    """Shannon's code lengths: the information content, rounded up to a whole number of bits."""
    return c.family(lambda i: c.ceil(c.call(bits, p[i])), over=p)


def _excess(c: Any, p: Any, i: Any) -> Any:
    """By how much, in nats, rounding up makes the codeword of ``i`` longer."""
    return c.log(2) * c.gap("ceil_above", c.call(bits, p[i]))


_kraft = Hypothesis(
    "kraft",
    lambda c, p, k, *y: c.sum(lambda i: half_to(c, k[i]), over=k),
    "<=",
    lambda c, p, k, *y: c.number(1),
)

_mcmillan = Citation(
    "McMillan 1956: the codeword lengths of a uniquely decodable code satisfy Kraft's inequality",
    "Lean Mathlib, kraft_mcmillan_inequality; "
    "Cover and Thomas, Elements of Information Theory, theorem 5.5.1",
)
_kraft_code = Citation(
    "Kraft 1949: whole lengths with sum of 2^-l_i <= 1 are those of a prefix code",
    "Cover and Thomas, Elements of Information Theory, theorem 5.2.1",
)

_source_coding = Claim(
    id="source-coding-bounds",
    section=_BITS,
    words="The expected length of the best code lies between H(p) and H(p) + 1 bits.",
    assumptions=(
        "p_i > 0 for every element (elements of probability 0 need no codeword)",
        "codewords are strings of bits, so their lengths are whole numbers",
        "the code is uniquely decodable",
    ),
    parts=(
        Part(
            id="mcmillan",
            words="The lengths of a uniquely decodable code satisfy Kraft's inequality.",
            given=(_p, _l),
            left=lambda c, p, k: c.sum(lambda i: half_to(c, k[i]), over=k),
            relation="<=",
            right=lambda c, p, k: c.number(1),
            unmeasured="that a code is uniquely decodable is no formula; "
            "the sum of its lengths is measured in shannon-lengths-satisfy-kraft",
            citation=_mcmillan,
        ),
        Part(
            id="source-coding-lower-bound",
            words="Whole lengths, or any others, that satisfy Kraft's inequality have expected length "
            "at least H(p) bits.",
            given=(_p, _l),
            hypotheses=(_kraft,),
            left=lambda c, p, k: c.call(entropy, p) / c.log(2),
            relation="<=",
            right=lambda c, p, k: c.sum(lambda i: p[i] * k[i], over=p),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, k: -c.sum(lambda i: p[i] * c.log(p[i]), over=p) / c.log(2),
                    ("xlogy",),
                    "The entropy, in bits.",
                ),
                Step(
                    lambda c, p, k: c.sum(lambda i: p[i] * k[i], over=p),
                    ("sum_linear", "log_mul", "log_exp", "cancel", "hyp:sum_p"),
                    "log t <= t - 1 at t = 2^-l_i / p_i, times p_i, summed; the rest is 1 minus Kraft's sum.",
                    "<=",
                    lambda c, p, k: (
                        (
                            c.sum(lambda i: p[i] * c.gap("log_le", half_to(c, k[i]) / p[i]), over=p)
                            + c.gap("hyp:kraft")
                        )
                        / c.log(2)
                    ),
                ),
            ),
        ),
        Part(
            id="shannon-lengths-satisfy-kraft",
            words="The lengths -log2 p_i rounded up satisfy Kraft's inequality.",
            given=(_p,),
            left=lambda c, p: c.sum(lambda i: half_to(c, _shannon(c, p)[i]), over=p),
            relation="<=",
            right=lambda c, p: c.number(1),
            numeric=True,
            steps=(
                Step(
                    lambda c, p: c.sum(lambda i: p[i], over=p),
                    ("sum_linear", "exp_add", "exp_log", "cancel"),
                    "Rounding up by d_i >= 0 gives 2^-l_i = p_i e^-d_i <= p_i.",
                    "<=",
                    lambda c, p: c.sum(
                        lambda i: p[i] * c.gap("exp_mono", -_excess(c, p, i), c.number(0)), over=p
                    ),
                ),
                Step(lambda c, p: c.number(1), ("hyp:sum_p",), "The probabilities sum to 1."),
            ),
        ),
        Part(
            id="kraft-code-exists",
            words="Hence a prefix code with these lengths exists.",
            given=(_p,),
            left=lambda c, p: c.sum(lambda i: half_to(c, _shannon(c, p)[i]), over=p),
            relation="<=",
            right=lambda c, p: c.number(1),
            unmeasured="that a code exists is no formula; "
            "the sum of its lengths is measured in shannon-lengths-satisfy-kraft",
            citation=_kraft_code,
        ),
        Part(
            id="source-coding-upper-bound",
            words="Its expected length is less than H(p) + 1 bits.",
            given=(_p,),
            left=lambda c, p: c.sum(lambda i: p[i] * _shannon(c, p)[i], over=p),
            relation="<",
            right=lambda c, p: c.call(entropy, p) / c.log(2) + 1,
            numeric=True,
            steps=(
                Step(
                    lambda c, p: c.sum(lambda i: p[i] * (c.call(bits, p[i]) + 1), over=p),
                    ("sum_linear",),
                    "Rounding up adds less than 1 to each length.",
                    "<",
                    lambda c, p: c.sum(lambda i: p[i] * c.gap("ceil_below", c.call(bits, p[i])), over=p),
                ),
                Step(
                    lambda c, p: c.sum(lambda i: p[i] * c.call(bits, p[i]), over=p) + 1,
                    ("sum_linear", "hyp:sum_p"),
                    "The probabilities sum to 1.",
                ),
                Step(
                    lambda c, p: c.call(entropy, p) / c.log(2) + 1,
                    ("sum_linear", "xlogy"),
                    "The mean information content is the entropy.",
                ),
            ),
        ),
    ),
)

shannon_code_length = Claim(
    id="shannon-code-length",
    section=_BITS,
    words="An optimal code spends -log2 p bits on each element of probability p.",
    assumptions=("codewords are strings of bits, so their lengths are whole numbers",),
    literal=Part(
        id="shannon-code-length",
        words="The codeword of y has -log2 p_y bits.",
        given=(_p, _l, _y),
        hypotheses=(_kraft,),
        left=lambda c, p, k, y: k[y],
        relation="=",
        right=lambda c, p, k, y: c.call(bits, p[y]),
    ),
    witness=Witness(
        (("n", 2),),
        (("p", (Fraction(9, 10), Fraction(1, 10))), ("l", (1, 1)), ("y", 1)),
        "a code with two codewords spends at least 1 bit on each, and 1 bit on each is enough; "
        "-log2 0.9 is 0.152, -log2 0.1 is 3.32",
    ),
    corrected=_source_coding,
    holds_when=(
        Part(
            id="dyadic-code-lengths",
            words="It holds where every probability is a power of 1/2: then -log2 p_y is a whole number.",
            given=(_p, _l, _y),
            hypotheses=(
                Hypothesis(
                    "dyadic",
                    lambda c, p, k, y, i: p[i],
                    "=",
                    lambda c, p, k, y, i: half_to(c, k[i]),
                    over="n",
                ),
            ),
            left=lambda c, p, k, y: c.call(bits, p[y]),
            relation="=",
            right=lambda c, p, k, y: k[y],
            numeric=True,
            steps=(
                Step(
                    lambda c, p, k, y: (k[y] * c.log(2)) / c.log(2),
                    ("hyp:dyadic", "log_exp"),
                    "The logarithm of 2^-k is -k log 2.",
                ),
                Step(lambda c, p, k, y: k[y], ("cancel",), "log 2 is not 0."),
            ),
        ),
    ),
)

_P, _Q = probability("p"), probability("q")

likelihood_is_compression = Claim(
    id="likelihood-is-compression",
    section=_BITS,
    words="Maximising the probability p is minimising the number of bits -log2 p.",
    assumptions=("both probabilities are > 0",),
    parts=(
        Part(
            id="likelier-is-shorter",
            words="At least as probable means at most as many bits.",
            given=(_P, _Q),
            hypotheses=(Hypothesis("likelier", lambda c, p, q: p, "<=", lambda c, p, q: q),),
            left=lambda c, p, q: c.call(bits, q),
            relation="<=",
            right=lambda c, p, q: c.call(bits, p),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.call(bits, p),
                    (),
                    "The logarithm is increasing, and the sign turns the order round.",
                    "<=",
                    lambda c, p, q: c.gap("log_mono", p, q) / c.log(2),
                ),
            ),
        ),
        Part(
            id="shorter-is-likelier",
            words="At most as many bits means at least as probable.",
            given=(_P, _Q),
            hypotheses=(
                Hypothesis("shorter", lambda c, p, q: c.call(bits, q), "<=", lambda c, p, q: c.call(bits, p)),
            ),
            left=lambda c, p, q: p,
            relation="<=",
            right=lambda c, p, q: q,
            unmeasured="both sides are numbers that are given; "
            "the bits of the two are measured in likelier-is-shorter",
            steps=(
                Step(
                    lambda c, p, q: q,
                    ("exp_add", "exp_log", "cancel"),
                    "With d >= 0 the bits that are saved, q = 2^d p.",
                    "<=",
                    lambda c, p, q: p * c.gap("exp_mono", c.number(0), c.log(2) * c.gap("hyp:shorter")),
                ),
            ),
        ),
    ),
)

compression_without_kl = Claim(
    id="compression-without-kl",
    section=_BITS,
    words="The compression view has nothing to do with KL divergence or cross-entropy.",
    kind="opinion",
    assumptions=(
        "p and q are probability vectors with positive entries",
        "lengths need not be whole numbers",
    ),
    parts=(
        Part(
            id="excess-code-length",
            words="Coding data from p with the lengths of a code for q costs D(p, q) / log 2 bits more "
            "on average.",
            given=(_p, _q),
            left=lambda c, p, q: c.sum(lambda i: p[i] * (c.call(bits, q[i]) - c.call(bits, p[i])), over=p),
            relation="=",
            right=lambda c, p, q: c.call(kl_div, p, q) / c.log(2),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: (
                        c.sum(lambda i: p[i] * c.log(p[i]) - p[i] * c.log(q[i]), over=p) / c.log(2)
                    ),
                    ("sum_linear",),
                    "Write the information contents out and take 1/log 2 out of the sum.",
                ),
                Step(
                    lambda c, p, q: c.call(kl_div, p, q) / c.log(2),
                    ("xlogy",),
                    "All probabilities are positive.",
                ),
            ),
        ),
        Part(
            id="excess-code-length-nonnegative",
            words="And it never costs less.",
            given=(_p, _q),
            left=lambda c, p, q: c.number(0),
            relation="<=",
            right=lambda c, p, q: c.call(kl_div, p, q),
            numeric=True,
            steps=(
                Step(
                    lambda c, p, q: c.sum(lambda i: p[i], over=p) - c.sum(lambda i: q[i], over=q),
                    ("hyp:sum_p", "hyp:sum_q"),
                    "Both distributions sum to 1.",
                ),
                Step(
                    lambda c, p, q: c.call(kl_div, p, q),
                    ("sum_linear", "xlogy", "log_mul", "cancel"),
                    "log t <= t - 1 at t = q_i/p_i, times p_i, summed.",
                    "<=",
                    lambda c, p, q: c.sum(lambda i: p[i] * c.gap("log_le", q[i] / p[i]), over=p),
                ),
            ),
        ),
    ),
)
