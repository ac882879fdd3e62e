"""Pictures of the likelihood atlas: densities over target - input, probabilities of labels, and totals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import sympy
from sympy import Add, Expr, Integer, Rational, exp, lambdify, log

from proofs.atlas import (
    Density,
    Mass,
    Neither,
    Number,
    adaptive_masses,
    beta,
    ctc_masses,
    delta,
    f,
    softmax,
    stirling_excess,
    v,
    x,
    z,
)
from verify.record import Figure

_STEPS = 64
_UNIT = {delta: 1, beta: 1, v: 1}
_RANGES = {"HingeEmbeddingLoss": (0.0, 3.0), "CosineEmbeddingLoss": (-1.0, 1.0), "BCELoss": (0.0, 1.0)}
_FIRST = {
    "HingeEmbeddingLoss": "distance",
    "CosineEmbeddingLoss": "cosine",
    "MarginRankingLoss": "first input, the second being 0",
    "TripletMarginLoss": "first distance, the second being 0",
    "TripletMarginWithDistanceLoss": "first distance, the second being 0",
}
_RATE = 3
_COUNTS = 12


def density(entry: Density) -> Figure:
    """exp(-loss) over target - input, divided by its integral; every parameter is 1."""
    points = [(at, _value(entry, at)) for at in _grid(-4.0, 4.0)]
    shown = ", ".join(f"{name} = {_set(value)}" for name, value in entry.options)
    return _figure(
        f"{entry.name}-{shown}", f"density of {entry.name}", "target − input", "density", [("", points)]
    )


def _value(entry: Density, at: float) -> float:
    loss = next(loss for loss, low, high in entry.pieces if _number(low) <= at <= _number(high))
    return _number(exp(-loss.subs(z, at)) / entry.normaliser)


def _set(value: object) -> object:
    return 1 if isinstance(value, sympy.Symbol) else value


def _number(value: Number) -> float:
    return float(sympy.sympify(value).subs(_UNIT))


def mass(entry: Mass) -> Figure:
    """exp(-loss) of each label over the input."""
    low, high = _RANGES.get(entry.name, (-6.0, 6.0))
    labels = ("-1", "1") if entry.name == "SoftMarginLoss" else ("0", "1")
    variable, words = (f, "probability f") if entry.name == "BCELoss" else (x, "log-odds x")
    masses = [
        (f"label {label}", exp(-loss).subs(variable, x))
        for label, loss in zip(labels, entry.losses, strict=True)
    ]
    return _probabilities(entry.name, words, masses, low, high)


def total(entry: Neither) -> Figure:
    """The sum of exp(-loss) over the labels, along the first input, the others being 0: it is not flat."""
    low, high = _RANGES.get(entry.name, (0.0, 4.0) if entry.name.startswith("Triplet") else (-4.0, 4.0))
    others = (sympy.Integer(0),) * (len(entry.inputs[0]) - 1)
    summed = sympy.Add(*(exp(-loss) for loss in entry.losses(x, *others)))
    curve = lambdify(x, summed, [{"Max": max}, "math"])
    along = _FIRST.get(entry.name, "first score, the others being 0")
    return _figure(
        entry.name, f"total of {entry.name}", along, "sum over labels", [("", list(_curve(curve, low, high)))]
    )


def counts(name: str) -> Figure:
    """exp(-loss) / count! of the Poisson loss at the rate 3."""
    points = [(float(k), math.exp(-_RATE) * _RATE**k / math.factorial(k)) for k in range(_COUNTS + 1)]
    words = f"count, at the rate {_RATE}"
    return replace(
        _figure(name, f"probabilities of {name}", words, "probability", [("", points)]), marks=True
    )


def categorical(name: str) -> Figure:
    """The probabilities of three classes along the logit of the first."""
    label, other, _ = softmax((x, Integer(0), Integer(0)))
    words = "first of three logits, the others being 0"
    return _probabilities(name, words, (("its label", label), ("each of the others", other)), -6.0, 6.0)


def linear(name: str) -> Figure:
    """The probabilities of three classes along the one number of which their logits are multiples."""
    names = ("label of the logit x", "of the logit 0", "of the logit −x")
    series = zip(names, softmax((x, Integer(0), -x)), strict=True)
    return _probabilities(name, "hidden number x, with the weights 1, 0 and −1", series, -6.0, 6.0)


def shared(name: str) -> Figure:
    """The probability of a label along its logarithm, two other labels having what remains."""
    words = "log-probability of the label, the rest being shared"
    series = (("its label", exp(x)), ("each of the others", (1 - exp(x)) / 2))
    return _probabilities(name, words, series, -4.0, 0.0)


def divergence(name: str) -> Figure:
    """The loss of two classes along the probability of the first, for three targets: least at the target."""
    targets = (Integer(1), Rational(3, 4), Rational(1, 2))
    series = [
        (
            f"target ({float(p):g}, {float(1 - p):g})",
            list(_curve(lambdify(x, _divergence((p, 1 - p), (x, 1 - x)), "math"), 0.0, 1.0)),
        )
        for p in targets
    ]
    return _figure(name, f"loss of {name}", "probability of the first of two classes", "loss", series)


def _divergence(target: Iterable[Expr], given: Iterable[Expr]) -> Expr:
    return Add(*(p * (log(p) - log(q)) for p, q in zip(target, given, strict=True) if p != 0))


def alignments(name: str) -> Figure:
    """The probabilities of all texts of three steps of a letter or a blank, summed over their alignments."""
    texts = {
        text: mass.subs(dict.fromkeys(mass.free_symbols, 1 - x)) for text, mass in ctc_masses(3, 2).items()
    }
    series = [(" ".join("a" * len(text)) or "no letter", mass) for text, mass in sorted(texts.items())]
    return _probabilities(name, "probability of the letter a at each of 3 steps", series, 0.0, 1.0)


def clustered(name: str) -> Figure:
    """The probabilities of two words and of a cluster of three along the score of the cluster."""
    *_, word, cluster, _, _ = adaptive_masses((Integer(0), Integer(0), x), (Integer(0),) * 3)
    words = "score of the cluster, the others being 0"
    series = (("each of 2 words", word), ("each of 3 words in the cluster", cluster))
    return _probabilities(name, words, series, -6.0, 6.0)


def independent(name: str) -> Figure:
    """The probabilities of one of several independent labels along its log-odds."""
    masses = (("label 0", 1 / (1 + exp(x))), ("label 1", 1 / (1 + exp(-x))))
    return _probabilities(name, "log-odds x of one label", masses, -6.0, 6.0)


def stirling(name: str) -> Figure:
    """The sum over the counts of exp(-loss) of the Poisson loss with full=True, along the rate."""
    total = lambdify(x, 1 + stirling_excess(x, 4 * _COUNTS), "math")
    return _figure(
        f"{name}-full", f"total of {name}", "rate", "sum over counts", [("", list(_curve(total, 0.0, 8.0)))]
    )


def _grid(low: float, high: float) -> Iterator[float]:
    yield from (low + (high - low) * step / _STEPS for step in range(_STEPS + 1))


def _curve(function: Callable[[float], float], low: float, high: float) -> Iterator[tuple[float, float]]:
    """The function where it has a value: log 0 ends the curve."""
    for at in _grid(low, high):
        try:
            yield at, float(function(at))
        except ValueError:
            continue


def _probabilities(
    name: str, x_label: str, masses: Iterable[tuple[str, Expr]], low: float, high: float
) -> Figure:
    series = [(label, list(_curve(lambdify(x, mass, "math"), low, high))) for label, mass in masses]
    return _figure(name, f"probabilities of {name}", x_label, "probability", series)


def _figure(
    name: str, title: str, x_label: str, y_label: str, series: list[tuple[str, list[tuple[float, float]]]]
) -> Figure:
    return Figure(
        id=f"atlas-{name}",
        claim="",
        title=title,
        caption="",
        x_label=x_label,
        y_label=y_label,
        series=tuple((label, tuple(points)) for label, points in series),
    )
