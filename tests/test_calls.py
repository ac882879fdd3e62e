"""Calls: what is drawn is varied, in every form and option."""

from __future__ import annotations

import math

import pytest

from verify.calls import Call, calls
from verify.checking import contract_of
from verify.floats import format_named
from verify.strategies import explore


def _drawn(name: str, count: int, *, masked: bool = False, dtype: str = "float32") -> list[Call]:
    contract, found = contract_of(name), []

    def visit(call: Call) -> tuple[dict[str, float], bool]:
        found.append(call)
        return {}, False

    choices = {option.name: option.values for option in contract.options}
    explore(calls(contract, dtype, choices, masked=masked), visit, seed=1, examples=count)
    return found


def test_most_calls_are_unlike() -> None:
    """Sixty calls have at least forty forms between them; near copies would find nothing new."""
    forms = {(str(call.options), str(call.lengths), call.layout) for call in _drawn("cross_entropy", 60)}
    assert len(forms) >= 40


def test_the_plain_form_is_drawn_most() -> None:
    """Rare forms are drawn, and leave most of the calls to the plain one."""
    axes = [call.options["axes"] for call in _drawn("softmax", 90)]
    assert axes.count(2) > 45
    assert {1, 3} < set(axes)


def test_some_rows_are_ignored_under_a_mean() -> None:
    """Where mistakes in the divisor show: a mean over rows of which some do not count."""
    drawn = _drawn("cross_entropy", 120)
    mixed = [call for call in drawn if call.options["reduction"] == "mean" and 0 in _entries(call.values[3])]
    assert len(mixed) >= 5


def _entries(nested: object) -> list[object]:
    return [e for item in nested for e in _entries(item)] if isinstance(nested, tuple) else [nested]


def test_masked_calls_have_infinities_at_either_end_and_between() -> None:
    """At the first place, at the last, and not at all of them."""
    rows = [_entries(call.values[0]) for call in _drawn("softmax", 40, masked=True)]
    assert sum(row[0] == -math.inf and row[-1] != -math.inf for row in rows) >= 4
    assert sum(row[-1] == -math.inf and row[0] != -math.inf for row in rows) >= 4


def test_calls_that_are_not_masked_are_finite() -> None:
    """Infinities are drawn where they are asked for."""
    assert not any(-math.inf in _entries(call.values[0]) for call in _drawn("softmax", 60))


def test_masks_are_the_lowest_number_too() -> None:
    """As `torch.finfo(dtype).min` is used where -inf would give nan."""
    lowest = -format_named("float32").largest
    tables = [set(_entries(call.values[0])) for call in _drawn("softmax", 40, masked=True)]
    assert sum(lowest in table for table in tables) >= 4
    assert sum(-math.inf in table for table in tables) >= 4


def test_masked_calls_have_every_reduction() -> None:
    """A loss of one row that is masked must not spoil that of another, which a mean does not show."""
    drawn = {call.options["reduction"] for call in _drawn("cross_entropy", 60, masked=True)}
    assert drawn == {"mean", "sum", "none"}


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_masked_calls_have_ignored_rows(name: str) -> None:
    """Masks lie in them too, where a loss that is infinite is no number times 0."""
    assert sum(-math.inf in row for row, _ in _ignored_rows(name)) >= 3


def test_the_label_of_an_ignored_row_has_a_finite_score() -> None:
    """Its loss counts 0 times, which is no number where it is infinite."""
    assert all(row[label - 1] != -math.inf for row, label in _ignored_rows("nll_loss"))


def _ignored_rows(name: str) -> list[tuple[tuple[object, ...], int]]:
    """The scores and labels of the ignored rows of masked calls with two axes."""
    drawn = [call.values for call in _drawn(name, 90, masked=True) if call.options["axes"] == 2]
    rows = [one for x, labels, _, kept in drawn for one in zip(x, labels, kept, strict=True)]
    return [(row, label) for row, label, keep in rows if keep == 0]


@pytest.mark.parametrize(("dtype", "least", "most"), [("float16", 3, 6), ("float32", 30, 84)])
def test_perplexities_reach_as_far_as_the_dtype(dtype: str, least: float, most: float) -> None:
    """The largest difference within a row of logits, and with it the mean loss, is that of the range."""
    drawn = [call for call in _drawn("perplexity", 120, dtype=dtype) if call.options["axes"] == 2]
    spreads = [float(max(row) - min(row)) for call in drawn for row in call.values[0]]
    assert least < max(spreads) < most


def test_some_calls_are_wrong_in_every_row() -> None:
    """The mean loss comes near the largest whose exponential float32 holds, where clamps of it show."""
    drawn = [call for call in _drawn("perplexity", 150) if call.options["axes"] == 2]
    assert sum(_least_mean_loss(call) > 70 for call in drawn) >= 3


def test_some_observations_are_the_mean() -> None:
    """In rows of which the distance does not hide what the variance adds."""
    drawn = [call.values for call in _drawn("gaussian_nll_loss", 90)]
    assert sum(x == t and len(set(_entries(x))) > 1 for x, t, _ in drawn) >= 5


def _least_mean_loss(call: Call) -> float:
    """How far the score of the label is below the largest, in the mean of the rows that are not ignored."""
    x, labels, _, kept = call.values
    gaps = [max(row) - row[label - 1] for row, label, keep in zip(x, labels, kept, strict=True) if keep]
    return float(sum(gaps) / len(gaps))
