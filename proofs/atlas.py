"""The likelihood atlas: which losses of torch.nn are negative log-likelihoods, of what, and which are not.

A loss is the negative log-likelihood of its target if exp(-loss), integrated or summed over all targets, is
a number that does not depend on the input: its logarithm is what the loss lacks. SymPy takes the integrals
and the sums. Where the total depends on the input, two inputs with different totals show it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Max, Rational, erf, exp, log, oo, pi, sqrt

Number = Any
"""A SymPy expression, or a number that SymPy takes."""

Loss = Callable[..., Expr]

x = sympy.Symbol("x", real=True)
"""The input: a location, a logit, the logarithm of a rate."""

z = sympy.Symbol("z", real=True)
"""The distance of the target from the input."""

f = sympy.Symbol("f", positive=True)
"""The probability of label 1, below 1."""

v = sympy.Symbol("v", positive=True)
delta = sympy.Symbol("delta", positive=True)
beta = sympy.Symbol("beta", positive=True)


@dataclass(frozen=True, slots=True)
class Density:
    """A loss of a real target that depends on z = target - input alone, and so does not notice the input.

    ``pieces`` are the loss as a function of z with the interval where it is so; ``normaliser`` is the
    integral of exp(-loss) over all z.
    """

    name: str
    distribution: str
    pieces: tuple[tuple[Expr, Number, Number], ...]
    normaliser: Expr
    options: tuple[tuple[str, Any], ...] = ()

    def total(self) -> Expr:
        """The integral of exp(-loss), by SymPy."""
        return sympy.Add(*(sympy.integrate(exp(-loss), (z, low, high)) for loss, low, high in self.pieces))


@dataclass(frozen=True, slots=True)
class Mass:
    """A loss of a label: ``losses`` for every value of it, as functions of the input."""

    name: str
    distribution: str
    losses: tuple[Expr, ...]
    normaliser: Expr = sympy.S.One
    options: tuple[tuple[str, Any], ...] = ()

    def total(self) -> Expr:
        """The sum of exp(-loss) over the labels."""
        return sympy.Add(*(exp(-loss) for loss in self.losses))


@dataclass(frozen=True, slots=True)
class Neither:
    """A loss that is no negative log-likelihood: ``losses(*input)`` for every label, at two inputs."""

    name: str
    why: str
    losses: Callable[..., tuple[Expr, ...]]
    inputs: tuple[tuple[Number, ...], tuple[Number, ...]]

    def totals(self) -> tuple[Expr, Expr]:
        """The sum of exp(-loss) over the labels at each of the two inputs."""
        first, second = (sympy.Add(*(exp(-loss) for loss in self.losses(*at))) for at in self.inputs)
        return first, second


@dataclass(frozen=True, slots=True)
class Proved:
    """A loss whose total is a claim of the catalogue, at any number of classes, or rests on one."""

    name: str
    distribution: str
    claims: tuple[str, ...]


def softplus(a: Number) -> Expr:
    """log(1 + e^a)."""
    return log(1 + exp(a))


DENSITIES = (
    Density("MSELoss", "normal, of variance 1/2", ((z**2, -oo, oo),), sqrt(pi)),
    Density("L1Loss", "Laplace, of scale 1", ((-z, -oo, 0), (z, 0, oo)), Integer(2)),
    Density(
        "HuberLoss",
        "Huber's least favourable: normal within delta, with the tails of a Laplace distribution",
        (
            (-delta * z - delta**2 / 2, -oo, -delta),
            (z**2 / 2, -delta, delta),
            (delta * z - delta**2 / 2, delta, oo),
        ),
        sqrt(2 * pi) * erf(delta / sqrt(2)) + 2 * exp(-(delta**2) / 2) / delta,
        (("delta", delta),),
    ),
    Density(
        "SmoothL1Loss",
        "Huber's least favourable, in units of beta and times beta",
        ((-z - beta / 2, -oo, -beta), (z**2 / (2 * beta), -beta, beta), (z - beta / 2, beta, oo)),
        sqrt(2 * pi * beta) * erf(sqrt(beta / 2)) + 2 * exp(-beta / 2),
        (("beta", beta),),
    ),
    Density(
        "GaussianNLLLoss",
        "normal, of variance v, without the constant log(2 pi)/2",
        (((log(v) + z**2 / v) / 2, -oo, oo),),
        sqrt(2 * pi),
    ),
    Density(
        "GaussianNLLLoss",
        "normal, of variance v",
        (((log(v) + z**2 / v + log(2 * pi)) / 2, -oo, oo),),
        Integer(1),
        (("full", True),),
    ),
)
"""Losses of real targets."""

MASSES = (
    Mass("BCELoss", "Bernoulli, of probability f", (-log(1 - f), -log(f))),
    Mass("BCEWithLogitsLoss", "Bernoulli, of log-odds x", (softplus(x), softplus(-x))),
    Mass("SoftMarginLoss", "Bernoulli, of log-odds x, with the labels -1 and 1", (softplus(x), softplus(-x))),
)
"""Losses of labels with few values."""

PROVED = (
    Proved("CrossEntropyLoss", "categorical, of logits x", ("cross-entropy-is-normalised",)),
    Proved("LinearCrossEntropyLoss", "categorical, of logits W x", ("cross-entropy-is-normalised",)),
    Proved(
        "NLLLoss",
        "categorical, of log-probabilities x: those of probabilities that sum to 1",
        ("cross-entropy-is-normalised",),
    ),
    Proved(
        "KLDivLoss",
        "categorical for a one-hot target; for any other the expected loss of labels drawn from it, less "
        "its entropy, which does not depend on the input",
        ("kl-one-hot", "cross-entropy-decomposition"),
    ),
)
"""Losses of one of n classes, and the claims of the catalogue that say so at any n."""


def poisson_total() -> Expr:
    """The sum over all counts of exp(-loss) / count!: the loss lacks log count!, whatever the rate."""
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    rate = sympy.Symbol("lambda", positive=True)
    return sympy.summation(exp(-rate) * rate**k / sympy.factorial(k), (k, 0, oo))


def stirling_gap(count: int) -> Expr:
    """What Stirling's approximation, which ``full=True`` adds for counts above 1, leaves of log count!."""
    k = Integer(count)
    return log(sympy.factorial(k)) - (k * log(k) - k + log(2 * pi * k) / 2 if count > 1 else 0)


def stirling_excess(rate: Number, most: int) -> Expr:
    """By how much the total of the Poisson loss with ``full=True`` exceeds 1, up to the count ``most``.

    Every further term is positive, as Stirling's approximation is below log count! (Robbins 1955).
    """
    terms = (rate**k / sympy.factorial(k) * (exp(stirling_gap(k)) - 1) for k in range(2, most + 1))
    return exp(-rate) * sympy.Add(*terms)


def adaptive_masses(head: Sequence[Expr], tail: Sequence[Expr]) -> tuple[Expr, ...]:
    """The probability of every word under AdaptiveLogSoftmaxWithLoss with one cluster, by its scores.

    The head chooses among its words and, last, the cluster; the tail among the words of the cluster.
    """
    *words, cluster = softmax(head)
    return (*words, *(cluster * share for share in softmax(tail)))


def softmax(scores: Sequence[Expr]) -> list[Expr]:
    """The probabilities that scores stand for."""
    return [exp(s) / sympy.Add(*map(exp, scores)) for s in scores]


def multilabel_losses(scores: tuple[Expr, ...]) -> Iterator[Expr]:
    """MultiLabelSoftMarginLoss, times the number of classes, for every set of labels."""
    for labels in itertools.product((0, 1), repeat=len(scores)):
        yield sympy.Add(*(softplus(-s) if y else softplus(s) for s, y in zip(scores, labels, strict=True)))


def ctc_masses(steps: int, symbols: int) -> dict[tuple[int, ...], Expr]:
    """The probability of every sequence of labels under CTC, by summing over all alignments.

    Symbol 0 is the blank; the probabilities of the last symbol are 1 less the others.
    """
    masses: dict[tuple[int, ...], Expr] = {}
    for path in itertools.product(range(symbols), repeat=steps):
        label = tuple(s for s, _ in itertools.groupby(path) if s)
        mass = sympy.Mul(*(_emitted(t, s, symbols) for t, s in enumerate(path)))
        masses[label] = masses.get(label, Integer(0)) + mass
    return masses


def _emitted(step: int, symbol: int, symbols: int) -> Expr:
    named = sympy.symbols(f"p{step}_:{symbols - 1}", positive=True)
    return named[symbol] if symbol < symbols - 1 else 1 - sympy.Add(*named)


def _positive_part(a: Number) -> Expr:
    return Max(a, 0)


def _multi_margin(*scores: Number) -> tuple[Expr, ...]:
    n = len(scores)
    return tuple(
        sympy.Add(*(_positive_part(1 - scores[y] + scores[i]) for i in range(n) if i != y)) / n
        for y in range(n)
    )


def _multi_label_margin(*scores: Number) -> tuple[Expr, ...]:
    """For the sets that hold one class, or all of them (whose loss is 0)."""
    return (*_multi_margin(*scores), Integer(0))


NEITHER = (
    Neither(
        "HingeEmbeddingLoss",
        "at a distance x the labels 1 and -1 have exp(-x) and exp(-max(0, 1 - x))",
        lambda d: (Integer(0) + d, _positive_part(1 - d)),
        ((Integer(0),), (Rational(1, 2),)),
    ),
    Neither(
        "MarginRankingLoss",
        "the loss is linear on one side, and exp(-max(0, d)) + exp(-max(0, -d)) is not constant",
        lambda a, b: (_positive_part(b - a), _positive_part(a - b)),
        ((Integer(0), Integer(0)), (Integer(1), Integer(0))),
    ),
    Neither(
        "CosineEmbeddingLoss",
        "exp(cos - 1) + exp(-max(0, cos)) is not constant",
        lambda cosine: (1 - cosine, _positive_part(cosine)),
        ((Integer(1),), (Rational(3, 5),)),
    ),
    Neither(
        "MultiMarginLoss",
        "hinges of differences do not make exponentials that sum to a constant",
        _multi_margin,
        ((Integer(0), Integer(0)), (Integer(1), Integer(0))),
    ),
    Neither(
        "MultiLabelMarginLoss",
        "the same, over sets of labels",
        _multi_label_margin,
        ((Integer(0), Integer(0)), (Integer(1), Integer(0))),
    ),
    *(
        Neither(
            name,
            "it has no target; with the choice of the nearer of two examples as label, of distances a and b "
            "to the anchor, the total still depends on them",
            lambda a, b: (_positive_part(a - b + 1), _positive_part(b - a + 1)),
            ((Integer(0), Integer(0)), (Integer(1), Integer(0))),
        )
        for name in ("TripletMarginLoss", "TripletMarginWithDistanceLoss")
    ),
)
"""Losses that are no negative log-likelihoods, with two inputs at which the totals differ."""

OWN = {
    "PoissonNLLLoss": "Poisson, of rate e^x, without log count!; with full=True, which puts Stirling's "
    "approximation in its place, it is not normalised",
    "MultiLabelSoftMarginLoss": "independent Bernoulli labels, of log-odds x; as the mean over the classes "
    "is taken, it is the negative log-likelihood over their number",
    "CTCLoss": "the marginal distribution of sequences of labels, over all alignments",
    "AdaptiveLogSoftmaxWithLoss": "categorical, of a softmax whose rare classes share clusters",
}
"""Losses with a derivation of their own, in the functions above."""
