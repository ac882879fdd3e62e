"""The likelihood atlas, judged: each loss of torch.nn with what SymPy and the kernel say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Expr, Integer, Rational, exp, latex

from proofs import atlas, atlas_pictures
from proofs.atlas import Density, Mass, Neither, Proved
from verify.record import AtlasRecord, Figure

_CLASSES = (1, 2, 3)
_ALIGNMENTS = ((1, 2), (2, 2), (3, 2), (2, 3), (3, 3))
"""Steps and symbols, the blank among them, for which CTC is enumerated."""

_HIGH, _LOW = Integer(2), Rational(1, 100)
"""Two rates at which the totals of the Poisson loss with full=True differ."""

_UNSHOWN = "not shown"

_PICTURES: dict[str, Callable[[str], Figure]] = {
    "CrossEntropyLoss": atlas_pictures.categorical,
    "LinearCrossEntropyLoss": atlas_pictures.linear,
    "NLLLoss": atlas_pictures.shared,
    "KLDivLoss": atlas_pictures.divergence,
}
"""The pictures of the losses of one of n classes."""


def judged(proved: frozenset[str]) -> tuple[AtlasRecord, ...]:
    """Every loss of the atlas; ``proved`` are the ids of the statements that the kernel proved."""
    return (
        *map(_density, atlas.DENSITIES),
        *map(_mass, atlas.MASSES),
        *(_proved(entry, proved) for entry in atlas.PROVED),
        *_own(),
        *map(_neither, atlas.NEITHER),
    )


def _density(entry: Density) -> AtlasRecord:
    return _normalised(entry, "integrated over all targets by SymPy", atlas_pictures.density(entry))


def _mass(entry: Mass) -> AtlasRecord:
    return _normalised(entry, "summed over the labels by SymPy", atlas_pictures.mass(entry))


def _normalised(entry: Density | Mass, method: str, figure: Figure) -> AtlasRecord:
    """Likelihood where the total is the normaliser, which does not depend on the input."""
    inputs = {atlas.x, atlas.z, atlas.f, atlas.v}
    holds = _is_zero(entry.total() - entry.normaliser) and not inputs & entry.normaliser.free_symbols
    exact = entry.normaliser == 1
    return AtlasRecord(
        loss=entry.name,
        options=", ".join(f"{name}={value}" for name, value in entry.options),
        likelihood=holds or None,
        verdict=("yes" if exact else "yes, but for a constant") if holds else _UNSHOWN,
        distribution=entry.distribution,
        method=method,
        normaliser=latex(entry.normaliser),
        figure=figure,
    )


def _proved(entry: Proved, proved: frozenset[str]) -> AtlasRecord:
    holds = set(entry.claims) <= proved
    return AtlasRecord(
        loss=entry.name,
        options="",
        likelihood=holds or None,
        verdict="yes" if holds else _UNSHOWN,
        distribution=entry.distribution,
        method="proved by the kernel for any number of classes",
        normaliser="1",
        rests_on=entry.claims,
        figure=_PICTURES[entry.name](entry.name),
    )


def _neither(entry: Neither) -> AtlasRecord:
    """None where the totals at two inputs differ."""
    first, second = entry.totals()
    differ = sympy.simplify(first - second).is_zero is False
    return AtlasRecord(
        loss=entry.name,
        options="",
        likelihood=False if differ else None,
        verdict="no" if differ else _UNSHOWN,
        distribution=entry.why,
        method="two inputs at which the sum of exp(-loss) over the labels differs",
        totals=tuple(
            (", ".join(map(str, at)), latex(total))
            for at, total in zip(entry.inputs, (first, second), strict=True)
        ),
        figure=atlas_pictures.total(entry),
    )


def _own() -> Iterator[AtlasRecord]:
    """The losses with a derivation of their own."""
    name = "PoissonNLLLoss"
    yield _shown(
        name,
        "yes, but for a term of the target",
        "Poisson, of rate e^x; the loss lacks log count!",
        "summed over all counts by SymPy, with 1/count!",
        _is_zero(atlas.poisson_total() - 1),
        atlas_pictures.counts(name),
    )
    yield _stirling(name)
    name = "MultiLabelSoftMarginLoss"
    yield _shown(
        name,
        "yes, but for a factor",
        "independent Bernoulli labels, of log-odds x; the mean over the classes divides it by their number",
        f"summed over all sets of labels by SymPy, for {', '.join(map(str, _CLASSES))} classes",
        all(_is_zero(_over_labels(classes) - 1) for classes in _CLASSES),
        atlas_pictures.independent(name),
    )
    yield _shown(
        "CTCLoss",
        "yes",
        atlas.OWN["CTCLoss"],
        "summed over all alignments by SymPy, for "
        + ", ".join(f"{steps} steps of {symbols} symbols" for steps, symbols in _ALIGNMENTS),
        all(sympy.expand(sympy.Add(*atlas.ctc_masses(*size).values())) == 1 for size in _ALIGNMENTS),
        atlas_pictures.alignments("CTCLoss"),
    )
    name = "AdaptiveLogSoftmaxWithLoss"
    words = atlas.adaptive_masses(sympy.symbols("h:3", real=True), sympy.symbols("t:3", real=True))
    yield _shown(
        name,
        "yes",
        atlas.OWN[name],
        "summed over the words by SymPy, for 2 words and a cluster of 3",
        _is_zero(sympy.Add(*words) - 1),
        atlas_pictures.clustered(name),
    )


def _over_labels(classes: int) -> Expr:
    scores = sympy.symbols(f"x:{classes}", real=True)
    return sympy.Add(*(exp(-loss) for loss in atlas.multilabel_losses(scores)))


def _stirling(name: str) -> AtlasRecord:
    """With full=True: at one rate the total exceeds 1 by more than it can at another.

    Stirling's approximation is below log k! by an amount that falls with k (Robbins 1955), and a Poisson
    count of rate r is 2 or more with a probability of at most r^2/2.
    """
    least = atlas.stirling_excess(_HIGH, 2)
    most = (exp(atlas.stirling_gap(2)) - 1) * _LOW**2 / 2
    differ = bool(least.evalf(30) > most.evalf(30))
    return AtlasRecord(
        loss=name,
        options="full=True",
        likelihood=False if differ else None,
        verdict="no" if differ else _UNSHOWN,
        distribution="Stirling's approximation in the place of log count! is too small for counts above 1, "
        "so that the probabilities sum to more than 1, by an amount that depends on the rate",
        method="a lower and an upper bound of the sum over all counts, at two rates",
        totals=(
            (f"rate {_HIGH}", rf"> 1 + {latex(least.evalf(3))}"),
            (f"rate {_LOW}", rf"< 1 + {latex(most.evalf(3))}"),
        ),
        figure=atlas_pictures.stirling(name),
    )


def _shown(
    name: str,
    verdict: str,
    distribution: str,
    method: str,
    holds: bool,
    figure: Figure,
) -> AtlasRecord:
    return AtlasRecord(
        loss=name,
        options="",
        likelihood=holds or None,
        verdict=verdict if holds else _UNSHOWN,
        distribution=distribution,
        method=method,
        normaliser="1",
        figure=figure,
    )


def _is_zero(difference: Expr) -> bool:
    return bool(sympy.simplify(difference) == 0)
