"""Pictures of the likelihood atlas: densities over target - input, probabilities of labels, and totals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import sympy
from sympy import exp, lambdify

from proofs.atlas import Density, Mass, Neither, Number, beta, delta, f, stirling_excess, v, x, z
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
    variable = f if entry.name == "BCELoss" else x
    low, high = _RANGES.get(entry.name, (-6.0, 6.0))
    labels = ("-1", "1") if entry.name == "SoftMarginLoss" else ("0", "1")
    series = [
        (f"label {label}", list(_curve(lambdify(variable, exp(-loss), "math"), low, high)))
        for label, loss in zip(labels, entry.losses, strict=True)
    ]
    words = "probability f" if variable is f else "log-odds x"
    return _figure(entry.name, f"probabilities of {entry.name}", words, "probability", series)


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


def categorical(name: str) -> Figure | None:
    """The probabilities of three classes along one input; None for a loss of more than one of them."""
    rising, words, low, high = {
        "CrossEntropyLoss": (exp(x) / (exp(x) + 2), "first of three logits, the others being 0", -6.0, 6.0),
        "NLLLoss": (exp(x), "log-probability of the label, the rest being shared", -4.0, 0.0),
    }.get(name, (None, "", 0.0, 0.0))
    if rising is None:
        return None
    series = [
        ("its label", list(_curve(lambdify(x, rising, "math"), low, high))),
        ("each of the others", list(_curve(lambdify(x, (1 - rising) / 2, "math"), low, high))),
    ]
    return _figure(name, f"probabilities of {name}", words, "probability", series)


def independent(name: str) -> Figure:
    """The probabilities of one of several independent labels along its log-odds."""
    series = [
        (f"label {label}", list(_curve(lambdify(x, 1 / (1 + exp(sign * x)), "math"), -6.0, 6.0)))
        for label, sign in (("0", 1), ("1", -1))
    ]
    return _figure(name, f"probabilities of {name}", "log-odds x of one label", "probability", series)


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
