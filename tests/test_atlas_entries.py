"""The judged atlas: its statuses are computed, and a wrong entry is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer

from proofs import atlas, atlas_entries
from verify.catalogue import atlas as judged_atlas
from verify.record import AtlasRecord

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


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "NLLLoss", "MultiLabelSoftMarginLoss"])
def test_probabilities_in_a_picture_sum_to_one(judged: tuple[AtlasRecord, ...], loss: str) -> None:
    """Those of the label, and of what else there is."""
    (figure,) = (one.figure for one in judged if one.loss == loss)
    assert figure is not None
    (_, one), (_, other) = figure.series
    others = 1 if loss == "MultiLabelSoftMarginLoss" else 2
    assert [a[1] + others * b[1] for a, b in zip(one, other, strict=True)] == pytest.approx([1.0] * len(one))


def test_the_total_with_stirlings_approximation_is_not_flat(judged: tuple[AtlasRecord, ...]) -> None:
    """It is 1 at the rate 0 and exceeds 1 elsewhere."""
    (figure,) = (
        one.figure for one in judged if one.options == "full=True" and one.loss.startswith("Poisson")
    )
    assert figure is not None
    ((_, points),) = figure.series
    assert points[0][1] == 1.0
    assert all(total > 1 for _, total in points[1:])
