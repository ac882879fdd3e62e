"""The judged atlas: its statuses are computed, and a wrong entry is not shown."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from sympy import Integer

from proofs import atlas, atlas_entries
from verify.catalogue import atlas as judged_atlas
from verify.record import AtlasRecord, Figure

ALL = frozenset(name for entry in atlas.PROVED for name in entry.claims)


@pytest.fixture(scope="module")
def judged() -> tuple[AtlasRecord, ...]:
    """The atlas, with every statement that it rests on proved."""
    return judged_atlas(ALL)


def test_every_loss_is_judged(judged: tuple[AtlasRecord, ...]) -> None:
    """Those of the atlas and no other, found through the entry point, and none left open."""
    entries = (*atlas.DENSITIES, *atlas.MASSES, *atlas.NEITHER, *atlas.PROVED)
    assert {one.loss for one in judged} == {entry.name for entry in entries} | set(atlas.OWN)
    assert [one.loss for one in judged if one.likelihood is None] == []


def test_losses_that_are_none_show_two_totals(judged: tuple[AtlasRecord, ...]) -> None:
    """Of every loss that is called no likelihood, and of no other."""
    assert {len(one.totals) for one in judged if one.likelihood is False} == {2}
    assert {len(one.totals) for one in judged if one.likelihood} == {0}


def test_every_density_is_drawn(judged: tuple[AtlasRecord, ...]) -> None:
    """Positive, highest where the target is the input, with an integral of about 1 between -4 and 4."""
    names = {entry.name for entry in atlas.DENSITIES}
    for figure in (one.figure for one in judged if one.loss in names):
        assert figure is not None
        ((_, points),) = figure.series
        assert max(points, key=lambda point: point[1])[0] == 0.0
        assert sum(y for _, y in points) / 8 == pytest.approx(1, abs=0.03)


def test_a_statement_that_is_not_proved_leaves_its_losses_open() -> None:
    """Nothing is taken for granted."""
    found = {one.loss: one.likelihood for one in atlas_entries.judged(ALL - {"kl-one-hot"})}
    assert (found["KLDivLoss"], found["NLLLoss"]) == (None, True)


def test_a_wrong_normaliser_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total has to be what the entry says."""
    wrong = replace(atlas.DENSITIES[1], normaliser=Integer(3))
    monkeypatch.setattr(atlas, "DENSITIES", (wrong,))
    (found,) = (one for one in atlas_entries.judged(ALL) if one.loss == "L1Loss")
    assert (found.likelihood, found.verdict) == (None, "not shown")


def test_a_likelihood_is_not_shown_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two inputs with one total prove nothing."""
    entry = atlas.NEITHER[0]
    monkeypatch.setattr(atlas, "NEITHER", (replace(entry, inputs=(entry.inputs[0], entry.inputs[0])),))
    (found,) = (one for one in atlas_entries.judged(ALL) if one.loss == entry.name)
    assert (found.likelihood, found.verdict) == (None, "not shown")


def test_every_loss_has_a_picture(judged: tuple[AtlasRecord, ...]) -> None:
    """Each of its own, with more than one point on every curve."""
    figures = [one.figure for one in judged if one.figure is not None]
    assert len({figure.id for figure in figures}) == len(judged)
    assert min(len(points) for figure in figures for _, points in figure.series) > 1


SHARES = {
    "CrossEntropyLoss": (1, 2),
    "LinearCrossEntropyLoss": (1, 1, 1),
    "NLLLoss": (1, 2),
    "MultiLabelSoftMarginLoss": (1, 1),
    "CTCLoss": (1, 1, 1),
    "AdaptiveLogSoftmaxWithLoss": (2, 3),
}
"""How many outcomes each curve of a picture stands for."""


@pytest.mark.parametrize("loss", SHARES)
def test_probabilities_in_a_picture_sum_to_one(judged: tuple[AtlasRecord, ...], loss: str) -> None:
    """Those of the label, and of what else there is."""
    curves = [points for _, points in _figure(judged, loss).series]
    totals = [
        sum(share * y for share, (_, y) in zip(SHARES[loss], at, strict=True))
        for at in zip(*curves, strict=True)
    ]
    assert totals == pytest.approx([1.0] * len(totals))


def test_the_divergence_is_least_at_its_target(judged: tuple[AtlasRecord, ...]) -> None:
    """There it is 0, and nowhere else."""
    for (label, points), target in zip(_figure(judged, "KLDivLoss").series, (1.0, 0.75, 0.5), strict=True):
        assert label == f"target ({target:g}, {1 - target:g})"
        assert [at for at, loss in points if loss == pytest.approx(0)] == [target]
        assert min(loss for _, loss in points) == pytest.approx(0)


@pytest.mark.torch
def test_the_picture_of_the_divergence_is_what_torch_computes(judged: tuple[AtlasRecord, ...]) -> None:
    """At every point of every curve."""
    import torch

    for (_, points), target in zip(_figure(judged, "KLDivLoss").series, (1.0, 0.75, 0.5), strict=True):
        q = torch.tensor([at for at, _ in points if 0 < at < 1], dtype=torch.float64)
        p = torch.tensor([target, 1 - target], dtype=torch.float64).expand(len(q), 2)
        losses = torch.nn.KLDivLoss(reduction="none")(torch.stack([q, 1 - q], 1).log(), p).sum(1)
        assert losses.tolist() == pytest.approx([loss for at, loss in points if 0 < at < 1])


@pytest.mark.torch
def test_the_picture_of_alignments_is_what_torch_computes(judged: tuple[AtlasRecord, ...]) -> None:
    """exp(-CTCLoss) of each text, where both symbols may be emitted."""
    import torch

    loss = torch.nn.CTCLoss(reduction="none")
    for length, (_, points) in enumerate(_figure(judged, "CTCLoss").series):
        for at, mass in points[1:-1]:
            logs = torch.tensor([[[1 - at, at]]] * 3, dtype=torch.float64).log()
            found = loss(logs, torch.ones(1, length, dtype=torch.long), (3,), (length,))
            assert math.exp(-found.item()) == pytest.approx(mass)


def _figure(judged: tuple[AtlasRecord, ...], loss: str) -> Figure:
    (figure,) = (one.figure for one in judged if one.loss == loss)
    assert figure is not None
    return figure


def test_the_total_with_stirlings_approximation_is_not_flat(judged: tuple[AtlasRecord, ...]) -> None:
    """It is 1 at the rate 0 and exceeds 1 elsewhere."""
    (figure,) = (
        one.figure for one in judged if one.options == "full=True" and one.loss.startswith("Poisson")
    )
    assert figure is not None
    ((_, points),) = figure.series
    assert points[0][1] == 1.0
    assert all(total > 1 for _, total in points[1:])
