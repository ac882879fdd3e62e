"""The likelihood atlas: which losses are negative log-likelihoods, by integrals and sums that SymPy takes."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

import verify
from proofs import atlas
from proofs.atlas import Density, Mass, Neither

pytestmark = pytest.mark.slow


def _named(entry: Density | Mass) -> str:
    return f"{entry.name} {dict(entry.options)}"


@pytest.mark.parametrize("entry", [*atlas.DENSITIES, *atlas.MASSES], ids=_named)
def test_the_total_is_the_normaliser_for_every_input(entry: Density | Mass) -> None:
    """The integral, or the sum, of exp(-loss) over all targets is this number, free of the input."""
    gap = entry.total() - entry.normaliser
    assert sympy.simplify(gap) == 0
    assert not {atlas.x, atlas.z, atlas.f, atlas.v} & entry.normaliser.free_symbols


@pytest.mark.parametrize("entry", atlas.DENSITIES, ids=_named)
def test_the_pieces_of_a_loss_meet(entry: Density) -> None:
    """Where one piece ends the next one begins, with the same value."""
    for (left, _, end), (right, begin, _) in zip(entry.pieces, entry.pieces[1:], strict=False):
        assert end == begin
        assert sympy.simplify(left.subs(atlas.z, end) - right.subs(atlas.z, end)) == 0


@pytest.mark.parametrize("entry", atlas.NEITHER, ids=lambda e: e.name)
def test_a_loss_that_is_none_has_two_totals(entry: Neither) -> None:
    """At two inputs the sum over the labels differs, so that no constant makes it 1 at both."""
    first, second = entry.totals()
    assert sympy.simplify(first - second).is_zero is False


@pytest.mark.parametrize("entry", atlas.PROVED, ids=lambda e: e.name)
def test_what_is_proved_elsewhere_is_proved(entry: atlas.Proved) -> None:
    """The statements that an entry rests on are in the catalogue, and hold."""
    parts = {part.id: claim for claim in verify.claims() for part in claim.parts}
    assert {bool(verify.prove(parts[name])) for name in entry.claims} == {True}


def test_the_poisson_loss_lacks_the_log_of_the_factorial() -> None:
    """With it, the sum over all counts is 1 for every rate."""
    assert sympy.simplify(atlas.poisson_total()) == 1


@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_stirling_leaves_a_gap(count: int) -> None:
    """Stirling's approximation is below log count!, by less than 1/(12 count)."""
    gap = atlas.stirling_gap(count)
    assert gap.evalf(30) > 0
    assert gap.evalf(30) < sympy.Rational(1, 12 * count)


def test_with_stirling_the_total_depends_on_the_rate() -> None:
    """It exceeds 1 by more at the rate 2 than the first terms add at the rate 1/100."""
    assert atlas.stirling_excess(sympy.Integer(2), 2).evalf(20) > sympy.Rational(1, 100)
    assert atlas.stirling_excess(sympy.Rational(1, 100), 4).evalf(20) < sympy.Rational(1, 10**5)


def test_adaptive_softmax_is_a_distribution_of_words() -> None:
    """What the cluster holds is shared out among its words."""
    head, tail = sympy.symbols("h:3", real=True), sympy.symbols("t:4", real=True)
    words = atlas.adaptive_masses(head, tail)
    assert len(words) == 6
    assert sympy.simplify(sympy.Add(*words)) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_stirling_is_not_used_for_the_least_counts(count: int) -> None:
    """Their factorials are 1, and nothing is added."""
    assert atlas.stirling_gap(count) == 0


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_multilabel_losses_are_those_of_independent_labels(classes: int) -> None:
    """Times the number of classes, exp(-loss) sums to 1 over all sets of labels."""
    scores = sympy.symbols(f"x:{classes}", real=True)
    total = sympy.Add(*(sympy.exp(-loss) for loss in atlas.multilabel_losses(scores)))
    assert sympy.simplify(total) == 1


@pytest.mark.parametrize(("steps", "symbols"), [(1, 2), (2, 2), (3, 2), (2, 3), (3, 3)])
def test_ctc_is_a_distribution_of_sequences(steps: int, symbols: int) -> None:
    """The probabilities of all sequences of labels sum to 1, whatever is emitted."""
    assert sympy.expand(sympy.Add(*atlas.ctc_masses(steps, symbols).values())) == 1


def _value(loss: Any, at: dict[Any, Any]) -> float:
    return float(loss.subs(at))


@pytest.mark.torch
def test_every_loss_of_torch_is_in_the_atlas() -> None:
    """Losses that torch gains have to be put in their place."""
    torch = pytest.importorskip("torch")
    entries = (*atlas.DENSITIES, *atlas.MASSES, *atlas.NEITHER, *atlas.PROVED)
    named = {entry.name for entry in entries} | set(atlas.OWN)
    deprecated = {"NLLLoss2d"}
    assert {n for n in dir(torch.nn) if n.endswith("Loss")} - deprecated == named


@pytest.mark.torch
@pytest.mark.parametrize("distance", [-3.0, -0.5, 0.25, 2.0])
@pytest.mark.parametrize("entry", atlas.DENSITIES, ids=_named)
def test_the_formula_of_a_real_loss_is_that_of_torch(entry: Density, distance: float) -> None:
    """The atlas speaks of what torch computes."""
    torch = pytest.importorskip("torch")
    options = {name: 0.75 if isinstance(value, sympy.Symbol) else value for name, value in entry.options}
    at = {atlas.z: distance, atlas.v: 2.5, atlas.delta: 0.75, atlas.beta: 0.75}
    target = torch.tensor([1.0 + distance], dtype=torch.float64)
    variance = [torch.tensor([2.5], dtype=torch.float64)] if entry.name == "GaussianNLLLoss" else []
    loss = getattr(torch.nn, entry.name)(reduction="sum", **options)
    got = loss(torch.ones_like(target), target, *variance)
    piece = next(p for p, low, high in entry.pieces if _within(distance, low, high, at))
    assert float(got) == pytest.approx(_value(piece, at), rel=1e-12)


def _within(distance: float, low: Any, high: Any, at: dict[Any, Any]) -> bool:
    return bool(sympy.sympify(low).subs(at) <= distance <= sympy.sympify(high).subs(at))


@pytest.mark.torch
@pytest.mark.parametrize("entry", atlas.MASSES, ids=lambda e: e.name)
def test_the_formula_of_a_label_loss_is_that_of_torch(entry: Mass) -> None:
    """For either label."""
    torch = pytest.importorskip("torch")
    low = -1.0 if entry.name == "SoftMarginLoss" else 0.0
    for label, loss in zip((low, 1.0), entry.losses, strict=True):
        given, target = (torch.tensor([a], dtype=torch.float64) for a in (0.25, label))
        got = getattr(torch.nn, entry.name)(reduction="sum")(given, target)
        assert float(got) == pytest.approx(_value(loss, {atlas.x: 0.25, atlas.f: 0.25}), rel=1e-12)


def _by_torch(name: str, torch: Any, at: tuple[float, ...]) -> list[float]:
    """The loss of torch for every label, in the order of the atlas."""
    one, minus = (torch.tensor([a], dtype=torch.float64) for a in (1.0, -1.0))
    a = torch.tensor([at[0]], dtype=torch.float64)
    loss = getattr(torch.nn, name)()
    if name == "HingeEmbeddingLoss":
        found = [loss(a, one), loss(a, minus)]
    elif name == "CosineEmbeddingLoss":
        first = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
        second = torch.stack([a, (1 - a * a).sqrt()], 1)
        found = [loss(first, second, label) for label in (one, minus)]
    elif name == "MarginRankingLoss":
        found = [loss(a, torch.tensor([at[1]], dtype=torch.float64), label) for label in (one, minus)]
    elif name.startswith("Triplet"):
        near, far = (torch.tensor([[d, 0.0]], dtype=torch.float64) for d in at)
        anchor = torch.zeros_like(near)
        found = [loss(anchor, near, far), loss(anchor, far, near)]
    else:
        scores = torch.tensor([at], dtype=torch.float64)
        labels = [0, 1] if name == "MultiMarginLoss" else [[0, -1], [1, -1], [0, 1]]
        found = [loss(scores, torch.tensor([label])) for label in labels]
    return [float(value) for value in found]


@pytest.mark.torch
@pytest.mark.parametrize("entry", atlas.NEITHER, ids=lambda e: e.name)
def test_the_formulas_of_a_loss_that_is_none_are_those_of_torch(entry: Neither) -> None:
    """At the two inputs of its witness, for every label; torch adds 1e-6 to the distances of triplets."""
    torch = pytest.importorskip("torch")
    for at in entry.inputs:
        got = _by_torch(entry.name, torch, tuple(float(a) for a in at))
        assert got == pytest.approx([float(loss) for loss in entry.losses(*at)], abs=1e-5)
