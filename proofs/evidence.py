"""Evidence: independent signals add in log-odds, and bits of evidence multiply the odds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from verify.claim import Claim, Hypothesis, Part, Step, Witness
from verify.domain import distribution, index, positive, probability
from verify.operation import Operation

_LOG = "Log probabilities and entropy"
_BITS = "Compression and bits"

_prior = distribution("pi", "n", positive=True, latex=r"\pi")
_likelihood = positive("L", "n")
_signals = positive("a", "n", "d")
_y = index("y", "n")
_k = index("k", "n")
_independent = Hypothesis(
    "independent",
    lambda c, pi, L, a, y, k, i: L[i],
    "=",
    lambda c, pi, L, a, y, k, i: c.prod(lambda j: a[i, j], over=a[i]),
    over="n",
)


_posterior = Operation(
    id="posterior",
    summary="probability of a label after the signals are seen, by Bayes' theorem",
    definition=lambda c, pi, L: c.family(
        lambda k: pi[k] * L[k] / c.sum(lambda i: pi[i] * L[i], over=pi), over=pi
    ),
    notation=lambda pi, L: rf"P(\cdot \mid {L})",
    source="Bayes' theorem.",
)


independent_signals = Claim(
    id="independent-signals",
    section=_LOG,
    words="Independent signals for the label combine by adding.",
    assumptions=(
        "pi is the prior over the labels, a_{i,j} > 0 the probability of signal j under label i",
        "the signals are independent given the label: their joint probability L_i is the product",
        "the posterior is given by Bayes' theorem",
    ),
    parts=(
        Part(
            id="independent-signals",
            words="The posterior log-odds of two labels are the prior log-odds plus the sum of the "
            "log-likelihood ratios of the signals.",
            given=(_prior, _likelihood, _signals, _y, _k),
            hypotheses=(_independent,),
            left=lambda c, pi, L, a, y, k: c.log(c.call(_posterior, pi, L)[y] / c.call(_posterior, pi, L)[k]),
            relation="=",
            right=lambda c, pi, L, a, y, k: (
                c.log(pi[y] / pi[k]) + c.sum(lambda j: c.log(a[y, j] / a[k, j]), over=a[y])
            ),
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, L, a, y, k: c.log(pi[y] * L[y] / (pi[k] * L[k])),
                    ("cancel",),
                    "The denominator of Bayes' theorem is the same for both labels.",
                ),
                Step(
                    lambda c, pi, L, a, y, k: c.log(pi[y] / pi[k]) + c.log(L[y]) - c.log(L[k]),
                    ("log_mul",),
                    "All factors are positive.",
                ),
                Step(
                    lambda c, pi, L, a, y, k: (
                        c.log(pi[y] / pi[k])
                        + c.log(c.prod(lambda j: a[y, j], over=a[y]))
                        - c.log(c.prod(lambda j: a[k, j], over=a[k]))
                    ),
                    ("hyp:independent",),
                    "Given the label the signals are independent.",
                ),
                Step(
                    lambda c, pi, L, a, y, k: (
                        c.log(pi[y] / pi[k]) + c.sum(lambda j: c.log(a[y, j]) - c.log(a[k, j]), over=a[y])
                    ),
                    ("log_prod", "sum_linear"),
                    "The logarithm of a product is the sum of the logarithms.",
                ),
                Step(
                    lambda c, pi, L, a, y, k: (
                        c.log(pi[y] / pi[k]) + c.sum(lambda j: c.log(a[y, j] / a[k, j]), over=a[y])
                    ),
                    ("log_mul",),
                    "The difference of two logarithms is that of the quotient.",
                ),
            ),
        ),
    ),
)

_genuine = probability("pi", latex=r"\pi")
_spam_word = positive("a")


def _total(c: Any, pi: Any, a: Any) -> Any:
    """The probability of the word, in genuine and in spam mail together."""
    return pi * (a / 32) + (1 - pi) * a


_after = Operation(
    id="after",
    summary="probability of genuine after a word with 5 bits of evidence for spam, by Bayes' theorem",
    definition=lambda c, pi, a: pi * (a / 32) / _total(c, pi, a),
    notation=lambda pi, a: rf"{pi}'",
    source="Bayes' theorem.",
)


_odds = Claim(
    id="evidence-bits-odds",
    section=_BITS,
    words="5 bits of evidence for spam multiply the odds of genuine by 2^-5; the probability is "
    "multiplied by 1/(32 - 31 pi), which lies strictly between 1/32 and 1.",
    assumptions=(
        "pi is the probability of genuine before the word is seen, 0 < pi < 1",
        "pi' is that probability after it is seen, by Bayes' theorem",
        "5 bits of evidence: the word is 2^5 = 32 times as probable under spam (a) as under genuine (a/32)",
    ),
    parts=(
        Part(
            id="evidence-bits-odds",
            words="The odds of genuine are multiplied by 1/32.",
            given=(_genuine, _spam_word),
            left=lambda c, pi, a: c.call(_after, pi, a) / (1 - c.call(_after, pi, a)),
            relation="=",
            right=lambda c, pi, a: c.number(Fraction(1, 32)) * (pi / (1 - pi)),
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, a: (pi * (a / 32) / _total(c, pi, a)) / ((1 - pi) * a / _total(c, pi, a)),
                    ("cancel",),
                    "Bayes' theorem for genuine above; below, what is left of 1 is Bayes' theorem for spam.",
                ),
                Step(
                    lambda c, pi, a: (pi * (a / 32)) / ((1 - pi) * a),
                    ("cancel",),
                    "The probability of the word is the same for both and drops out of the odds.",
                ),
                Step(
                    lambda c, pi, a: c.number(Fraction(1, 32)) * (pi / (1 - pi)),
                    ("cancel",),
                    "The probability a of the word under spam drops out too.",
                ),
            ),
        ),
        Part(
            id="evidence-bits-factor",
            words="The probability of genuine is multiplied by 1/(32 - 31 pi).",
            given=(_genuine, _spam_word),
            left=lambda c, pi, a: c.call(_after, pi, a),
            relation="=",
            right=lambda c, pi, a: pi * (1 / (32 - 31 * pi)),
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, a: pi * (a / 32) / _total(c, pi, a),
                    (),
                    "Bayes' theorem.",
                ),
                Step(
                    lambda c, pi, a: (pi / 32) / (pi / 32 + (1 - pi)),
                    ("cancel",),
                    "Divide numerator and denominator by a.",
                ),
                Step(
                    lambda c, pi, a: pi * (1 / (32 - 31 * pi)),
                    (),
                    "Multiply numerator and denominator by 32: pi + 32 (1 - pi) = 32 - 31 pi.",
                ),
            ),
        ),
        Part(
            id="evidence-bits-more-than-literal",
            words="The factor is always more than 1/32.",
            given=(_genuine, _spam_word),
            left=lambda c, pi, a: pi / 32,
            relation="<",
            right=lambda c, pi, a: c.call(_after, pi, a),
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, a: c.call(_after, pi, a),
                    ("cancel",),
                    "The difference is 31 pi^2 / (32 (32 - 31 pi)).",
                    "<",
                    lambda c, pi, a: 31 * pi**2 / (32 * (32 - 31 * pi)),
                ),
            ),
        ),
        Part(
            id="evidence-bits-less-than-one",
            words="And always less than 1: the word does lower the probability of genuine.",
            given=(_genuine, _spam_word),
            left=lambda c, pi, a: c.call(_after, pi, a),
            relation="<",
            right=lambda c, pi, a: pi,
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, a: pi,
                    ("cancel",),
                    "The difference is 31 pi (1 - pi) / (32 - 31 pi).",
                    "<",
                    lambda c, pi, a: 31 * pi * (1 - pi) / (32 - 31 * pi),
                ),
            ),
        ),
    ),
)

evidence_bits = Claim(
    id="evidence-bits",
    section=_BITS,
    words="A word worth 5 bits of evidence for spam multiplies the probability of genuine by 2^-5.",
    assumptions=_odds.assumptions,
    literal=Part(
        id="evidence-bits",
        words="The probability of genuine after the word is 1/32 of that before.",
        given=(_genuine, _spam_word),
        left=lambda c, pi, a: c.call(_after, pi, a),
        relation="=",
        right=lambda c, pi, a: pi / 32,
    ),
    witness=Witness(
        (),
        (("pi", Fraction(1, 2)), ("a", Fraction(1, 2))),
        "even odds become odds of 1 to 32, a probability of 1/33: the factor is 2/33, not 1/32",
    ),
    corrected=_odds,
    holds_when=(
        Part(
            id="evidence-bits-rare",
            words="It holds in the limit of rare genuine mail: the new probability exceeds pi/32 "
            "by at most a fraction 31 pi of it.",
            given=(_genuine, _spam_word),
            left=lambda c, pi, a: c.call(_after, pi, a),
            relation="<=",
            right=lambda c, pi, a: (pi / 32) * (1 + 31 * pi),
            numeric=True,
            steps=(
                Step(
                    lambda c, pi, a: (pi / 32) * (1 + 31 * pi),
                    ("cancel",),
                    "The difference is 961 pi^2 (1 - pi) / (32 (32 - 31 pi)).",
                    "<=",
                    lambda c, pi, a: 961 * pi**2 * (1 - pi) / (32 * (32 - 31 * pi)),
                ),
            ),
        ),
    ),
)
